//! The arguments of `cutover policy`, and those of the gate that choose a policy.

use std::path::PathBuf;

use clap::Args;
use cutover_core::policy::PHASES;

pub const EXAMPLES: &str = "\
Examples:
  cutover policy --default > policy.toml
      Write the default policy, as a start for your own.
  cutover policy policy.toml --phase 2
      Check a policy, and print what it asks of a run in phase 2.
  cutover gate --policy policy.toml --phase 2
      Judge a run by it.";

#[derive(Debug, Clone, Default, Args)]
pub struct PolicyArgs {
    /// Judge by this policy (TOML) [default: the one that `cutover policy --default` prints]
    #[arg(long, value_name = "FILE", help_heading = "Deciding")]
    pub policy: Option<PathBuf>,
    /// Require what the policy requires in this phase of the cutover, 1 to 5
    #[arg(long, value_name = "N", value_parser = phase(), help_heading = "Deciding")]
    pub phase: Option<u8>,
    /// Judge the candidate alone, against the baselines in this directory; no legacy lane is started
    #[arg(long, value_name = "DIR", help_heading = "Deciding")]
    #[arg(conflicts_with_all = ["legacy", "legacy_token", "aa", "no_faults", "repeat"])]
    pub baseline: Option<PathBuf>,
    /// Require every row of the verification matrix, whatever the policy says
    #[arg(long, help_heading = "Deciding")]
    pub enforce_matrix: bool,
}

#[derive(Debug, Args)]
pub struct PolicyFileArgs {
    /// The policy (TOML) [default: the default policy]
    pub file: Option<PathBuf>,
    /// Print what it requires in this phase of the cutover, 1 to 5
    #[arg(long, value_name = "N", value_parser = phase())]
    pub phase: Option<u8>,
    /// Print the default policy as a file
    #[arg(long, conflicts_with_all = ["file", "phase"])]
    pub default: bool,
}

fn phase() -> clap::builder::RangedI64ValueParser<u8> {
    clap::value_parser!(u8).range(i64::from(*PHASES.start())..=i64::from(*PHASES.end()))
}
