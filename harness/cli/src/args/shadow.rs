//! The arguments of `cutover shadow`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};
use cutover_core::text::Secret;

use super::TextOrJson;
use super::fuzz::duration;
use super::hosted::{EnvName, VariableArgs};

pub const EXAMPLES: &str = "\
Examples:
  cutover shadow --legacy staging-phoenix.toml --env staging \\
                 --stream run:42:events --for 1h
      Follow one stream on both lanes for an hour, and compare what comes.
  cutover shadow --legacy legacy.toml --candidate candidate.toml \\
                 --streams topics.txt --for 8h --metrics 127.0.0.1:9464
      Follow all streams of a file, and show the state at /metrics.

It subscribes, and writes nothing. Stopped by SIGINT, it decides by what it saw,
and says that it was stopped before its end.

Exit codes:
   0  all that came was the same on both lanes
   1  the lanes differ, or a lane refused the client
   2  something could not be compared
   3  a lane cannot be reached
  64  an argument or a lane profile is wrong";

#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("followed").required(true).multiple(true).args(["stream", "streams"]))]
#[command(group = ArgGroup::new("where").required(true).args(["candidate", "env"]))]
pub struct ShadowArgs {
    /// Follow this stream (a legacy topic); may be repeated
    #[arg(long, value_name = "TOPIC", help_heading = "Streams")]
    pub stream: Vec<String>,
    /// Follow the streams of this file, one in each line
    #[arg(long, value_name = "FILE", help_heading = "Streams")]
    pub streams: Option<PathBuf>,
    /// How long to follow them: seconds, or with a unit (90s, 10m, 8h)
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = duration, help_heading = "Streams")]
    pub time: Duration,
    /// The candidate may be later by so much, in 95 of 100 events
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration, help_heading = "Streams")]
    pub most_lag: Duration,
    /// The legacy lane: a socket URL or a lane profile
    #[arg(long, value_name = "URL|PROFILE", help_heading = "Lanes")]
    pub legacy: String,
    /// Token for the legacy lane
    #[arg(long, value_name = "TOKEN", env = "CUTOVER_LEGACY_TOKEN", hide_env_values = true, help_heading = "Lanes")]
    pub legacy_token: Option<Secret>,
    /// The candidate: the URL of a database, or a lane profile that names one
    #[arg(long, value_name = "URL|PROFILE", help_heading = "Lanes")]
    pub candidate: Option<String>,
    /// Token for the lane that is to replace it
    #[arg(long, value_name = "TOKEN", env = "CUTOVER_CANDIDATE_TOKEN", hide_env_values = true, help_heading = "Lanes")]
    pub candidate_token: Option<Secret>,
    /// The candidate is the database of this environment
    #[arg(long, value_name = "ENV", help_heading = "Lanes")]
    pub env: Option<EnvName>,
    #[command(flatten)]
    pub variables: VariableArgs,
    /// Serve the state to Prometheus at http://ADDRESS/metrics
    #[arg(long, value_name = "ADDRESS", help_heading = "Output")]
    pub metrics: Option<SocketAddr>,
    /// Write the evidence to this directory [default: a new one in reports/]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// The format of the output on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub format: TextOrJson,
}
