//! The arguments of `cutover rollout`.

use std::path::PathBuf;

use clap::Args;
use cutover_core::policy::Stage;

use super::TextOrJson;
use super::hosted::EnvName;

pub const EXAMPLES: &str = "\
Examples:
  cutover rollout prod --to 1 --policy policy.toml --build sha256:... \\
                  --evidence reports/gate --evidence reports/shadow
      Decide whether one percent of the users may go to the candidate.
  cutover rollout prod --to 5 --policy policy.toml --build sha256:... \\
                  --evidence reports/gate --slo cohort-1.json \\
                  --previous reports/rollout-1
      Decide the next stage, by a snapshot of the service levels of the first.
  cutover rollout prod --to 5 --policy policy.toml --build sha256:... \\
                  --roll-back 'users report lost events'
      Record that the users were taken back by hand.

Exit codes:
   0  go: the stage may begin
   1  roll back: the users go back to the legacy lane
   2  hold: something is not good enough, or not known
  64  an argument or the policy is wrong";

#[derive(Debug, Clone, Args)]
pub struct RolloutArgs {
    /// The environment whose users are moved
    #[arg(value_name = "ENV")]
    pub env: EnvName,
    /// The stage that is to begin: a cohort in percent, or `retirement`
    #[arg(long, value_name = "STAGE", value_parser = stage)]
    pub to: Stage,
    /// The digest of the module that serves there: `facts.module.sha256` in the evidence of its deploy
    #[arg(long, value_name = "DIGEST")]
    pub build: String,
    /// The policy, with a table `[rollout]`
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// A bundle of `gate`, or the evidence of another command; may be repeated
    #[arg(long, value_name = "DIR")]
    pub evidence: Vec<PathBuf>,
    /// A snapshot of the service levels of the cohort before (`-` for stdin); may be repeated
    #[arg(long, value_name = "FILE")]
    pub slo: Vec<PathBuf>,
    /// The record of the stage before; every stage but the first needs one
    #[arg(long, value_name = "DIR")]
    pub previous: Option<PathBuf>,
    /// Roll back, whatever the evidence says; this is the reason
    #[arg(long, value_name = "REASON", conflicts_with_all = ["evidence", "slo"])]
    pub roll_back: Option<String>,
    /// Write the record to this directory [default: a new one in reports/]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// The format of the output on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub format: TextOrJson,
}

fn stage(text: &str) -> Result<Stage, String> {
    if text == "retirement" {
        return Ok(Stage::Retirement);
    }
    let percent = text.trim_end_matches('%').parse().ok().filter(|percent| (1..=100).contains(percent));
    percent.map(Stage::Cohort).ok_or_else(|| "give a cohort in percent, from 1 to 100, or `retirement`".to_owned())
}
