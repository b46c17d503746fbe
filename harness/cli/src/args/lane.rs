//! The arguments of `cutover lane`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use cutover_core::text::Secret;

use super::TextOrJson;

pub const EXAMPLES: &str = "\
Examples:
  cutover lane check staging.toml
      Try a lane profile, and see which steps work.";

const INIT_NOTES: &str = "\
The profile goes to stdout, and notes on it to stderr, so that `> lane.toml`
keeps the profile alone. Comments in it say what could not be decided.

Exit codes:
   0  a profile was proposed
   3  the server did not answer
  64  an argument is wrong, or there is nothing that a profile could describe";

const CHECK_NOTES: &str = "\
The check writes one event, on a stream of its own, whose id contains the word
`trial`. The service keeps it. A database that the check creates is deleted.

Exit codes:
   0  everything works
   3  the server did not answer, or refused something
  64  an argument or the profile is wrong";

#[derive(Debug, Args)]
pub struct LaneCommandArgs {
    #[command(subcommand)]
    pub what: LaneCommand,
}

#[derive(Debug, Subcommand)]
pub enum LaneCommand {
    /// Propose a lane profile for a service that runs
    #[command(after_help = INIT_NOTES)]
    Init(LaneInitArgs),
    /// Try everything of a lane profile that a run would use
    #[command(after_help = CHECK_NOTES)]
    Check(LaneCheckArgs),
}

#[derive(Debug, Args)]
pub struct LaneInitArgs {
    #[command(flatten)]
    pub of: LaneInitSource,
    #[command(flatten)]
    pub session: LegacySession,
    /// Token for the service
    #[arg(long = "lane-token", value_name = "TOKEN", env = "CUTOVER_LANE_TOKEN", hide_env_values = true)]
    pub token: Option<Secret>,
    /// The format of the output on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
}

/// The session with a Phoenix service that a profile is proposed from.
#[derive(Debug, Args)]
pub struct LegacySession {
    /// Ask for this topic [default: the first one that the service allows]
    #[arg(long, value_name = "TOPIC", help_heading = "With --legacy")]
    pub topic: Option<String>,
    /// Join this channel; `{topic}` stands for the topic in it [default: usual names]
    #[arg(long, value_name = "CHANNEL", help_heading = "With --legacy")]
    pub channel: Option<String>,
    /// The event that subscribes; \"\" where the join does [default: sync:subscribe]
    #[arg(long, value_name = "EVENT", help_heading = "With --legacy")]
    pub subscribe: Option<String>,
    /// Publish two events to the topic, by the contract's call
    #[arg(long, help_heading = "With --legacy")]
    pub publish: bool,
    /// End after this many messages of the service
    #[arg(long, value_name = "N", default_value_t = 200, help_heading = "With --legacy")]
    pub events: usize,
    /// End after this many seconds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600),
        help_heading = "With --legacy")]
    pub seconds: u64,
    /// Read the session from this file of JSON lines, and connect to nothing
    #[arg(long, value_name = "FILE", help_heading = "With --legacy")]
    pub recording: Option<PathBuf>,
}

/// The service that a profile is proposed for.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct LaneInitSource {
    /// Read the schema of this published database: http://HOST/v1/database/NAME
    #[arg(long, value_name = "URL")]
    pub candidate: Option<String>,
    /// Join the channels of this Phoenix socket: wss://HOST/PATH/websocket
    #[arg(long, value_name = "URL")]
    pub legacy: Option<String>,
}

#[derive(Debug, Args)]
pub struct LaneCheckArgs {
    /// The lane profile
    pub file: PathBuf,
    /// Token for the service
    #[arg(long = "lane-token", value_name = "TOKEN", env = "CUTOVER_LANE_TOKEN", hide_env_values = true)]
    pub token: Option<Secret>,
    /// Publish this wasm module to the database that the check creates
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// The format of the output on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
}
