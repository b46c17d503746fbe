//! The arguments of `cutover serve bridge`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use cutover_core::plan::defect::bridge::Defect;

use super::ServeLaneArgs;

#[derive(Debug, Args)]
pub struct ServeBridgeArgs {
    #[command(flatten)]
    pub lane: ServeLaneArgs,
    /// The SpacetimeDB server, such as ws://127.0.0.1:3000
    #[arg(long, value_name = "URL")]
    pub candidate: String,
    /// The name that the server is asked for, if it is not the one in the URL
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// The database that has the outbox
    #[arg(long, value_name = "NAME")]
    pub database: String,
    /// A file with the token of the database's owner
    #[arg(long, value_name = "FILE")]
    pub token_file: PathBuf,
    /// The Nostr relay, such as ws://127.0.0.1:7000
    #[arg(long, value_name = "URL")]
    pub relay: String,
    /// A file with the Nostr secret key, in hex or as nsec1
    #[arg(long, value_name = "FILE")]
    pub key_file: PathBuf,
    /// How long an answer of the relay is waited for
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    pub answer_within_ms: u64,
    /// The first wait before another attempt; each further one is twice as long
    #[arg(long, value_name = "MS", default_value_t = 200)]
    pub backoff_ms: u64,
    /// The longest wait before another attempt
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    pub backoff_cap_ms: u64,
    /// How often an event is sent that the relay refuses for now, until it is parked
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub attempts: u32,
    /// Plant a defect, for a test of the gate; may be given more than once
    #[arg(long = "defect", value_name = "NAME", hide_possible_values = true)]
    #[arg(value_parser = PossibleValuesParser::new(Defect::NAMES))]
    pub defects: Vec<String>,
}
