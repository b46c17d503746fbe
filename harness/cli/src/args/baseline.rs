//! The arguments of `cutover record` and `cutover accept`.

use std::path::PathBuf;

use clap::Args;
use cutover_core::ids::{LaneId, Seed};

use super::{LaneArgs, lane};

pub const RECORD_EXAMPLES: &str = "\
Examples:
  cutover record --seed 42
      Record what the legacy lane does in every scenario.
  cutover record --seed 42 --scenario 'resume-*' --out ours
      Record some scenarios in another directory.
  cutover gate --baseline golden/baselines
      Judge the candidate alone against what was recorded.";

pub const ACCEPT_EXAMPLES: &str = "\
Examples:
  cutover accept
      Review the changes in golden/baselines one by one.
  cutover accept ours --all
      Accept every change in another directory.";

/// Where baselines are kept.
const DIR: &str = "golden/baselines";

#[derive(Debug, Args)]
pub struct RecordArgs {
    #[command(flatten)]
    pub lanes: LaneArgs,
    /// Record only the scenarios with a matching name (`*` and `?`); may be repeated
    #[arg(long = "scenario", value_name = "GLOB", help_heading = "Scenarios")]
    pub globs: Vec<String>,
    /// The seed of all random choices; a run against the baselines uses the same
    #[arg(long, value_name = "N", help_heading = "Scenarios")]
    pub seed: Seed,
    /// Run at most N scenarios at the same time [default: 4 for each core]
    #[arg(long, value_name = "N", value_parser = super::jobs, help_heading = "Scenarios")]
    pub jobs: Option<usize>,
    /// Judge the run by this policy (TOML) [default: the default policy]
    #[arg(long, value_name = "FILE", help_heading = "Deciding")]
    pub policy: Option<PathBuf>,
    /// The lane to record
    #[arg(long, value_name = "LANE", default_value = "legacy", value_parser = lane(), help_heading = "Output")]
    pub lane: LaneId,
    /// Write the baselines to this directory
    #[arg(long = "out", value_name = "DIR", default_value = DIR, help_heading = "Output")]
    pub baselines: PathBuf,
}

#[derive(Debug, Args)]
pub struct AcceptArgs {
    /// The directory of the baselines
    #[arg(default_value = DIR)]
    pub dir: PathBuf,
    /// Accept every change
    #[arg(long, conflicts_with = "reject")]
    pub all: bool,
    /// Reject every change
    #[arg(long)]
    pub reject: bool,
}
