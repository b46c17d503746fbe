//! The arguments of `cutover fuzz`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use cutover_core::ids::Seed;
use cutover_core::text::seconds;

use super::{LaneArgs, jobs};

pub const EXAMPLES: &str = "\
Examples:
  cutover fuzz --for 10m
      Search on both built-in lanes for ten minutes.
  cutover fuzz --candidate http://127.0.0.1:3000 --for 1h \\
               --save scenarios/found
      Search on your lane, and save what is found as small scenarios.
  cutover fuzz --shrink failing.toml --seed 42 --save scenarios/found
      Make a scenario of yours smaller, as long as its finding comes back.
  cutover fuzz --for 10m --defect skip-live
      See the search find a planted defect.

Exit codes:
   0  nothing was found
   1  a lane is wrong
   2  something could not be shown to be right
   3  a lane or the environment is unavailable
  64  an argument, a scenario or a lane profile is wrong";

#[derive(Debug, Clone, Args)]
pub struct FuzzArgs {
    /// How long to draw scenarios: seconds, or with a unit (90s, 10m, 1h)
    #[arg(long = "for", value_name = "TIME", default_value = "1m", value_parser = duration, help_heading = "Search")]
    pub time: Duration,
    /// Draw at most N scenarios [default: as many as the time allows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Search")]
    pub runs: Option<u32>,
    /// The seed of all random choices [default: a new one, printed on the first line]
    #[arg(long, value_name = "N", value_parser = storable_seed, help_heading = "Search")]
    pub seed: Option<Seed>,
    /// Drive at most N scenarios at the same time [default: 4 for each core]
    #[arg(long, value_name = "N", value_parser = jobs, help_heading = "Search")]
    pub jobs: Option<usize>,
    /// Publish at most N events per second to each lane, over all scenarios
    #[arg(long, value_name = "N", help_heading = "Search")]
    pub rate: Option<NonZeroU32>,
    /// End the search with the first finding
    #[arg(long, help_heading = "Search")]
    pub fail_fast: bool,
    /// Draw nothing: make this scenario smaller, as long as its finding comes back
    #[arg(long, value_name = "FILE", conflicts_with_all = ["time", "runs"], help_heading = "Search")]
    pub shrink: Option<PathBuf>,
    /// Plant these defects in the built-in legacy server or in the module (names, separated by commas)
    #[arg(long = "defect", value_name = "NAMES", help_heading = "Search")]
    pub defects: Option<String>,
    #[command(flatten)]
    pub lanes: LaneArgs,
    /// Save each finding as a small scenario in this directory, such as scenarios/found
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub save: Option<PathBuf>,
    /// Write the evidence of each finding to this directory [default: a new one in reports/]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
}

/// A seed that a scenario file can hold: TOML's whole numbers have a sign.
fn storable_seed(text: &str) -> Result<Seed, String> {
    let seed: Seed = text.parse()?;
    if seed.0 > i64::MAX as u64 { Err(format!("give a whole number from 0 to {}", i64::MAX)) } else { Ok(seed) }
}

/// The longest search.
const MAX_SEARCH: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    // A number alone is one of seconds.
    let time = text.parse().ok().or_else(|| seconds(text)).map(Duration::from_secs);
    let time = time.filter(|time| (Duration::from_secs(1)..=MAX_SEARCH).contains(time));
    time.ok_or_else(|| "give a time such as 90s, 10m or 1h, of at most 7 days".to_owned())
}
