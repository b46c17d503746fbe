//! The command line: what can be asked for, with help that reads at 80 columns.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use cutover_core::evidence::report::{self, FORMATS, Format};
use cutover_core::ids::{LaneId, Seed};
use cutover_core::text::Secret;

const ABOUT: &str = "Drives an old and a new sync lane with one script, and decides allow or block";

const EXIT_CODES: &str = "\
Exit codes:
   0  allow; or, of a smaller run, its own decision: passed-in-part,
      no-difference, valid-without-faults (2 with --require-allow)
   1  block: something is wrong with a lane; or a bundle does not hold
   2  block: not everything could be shown to be right
   3  a lane or the environment is not available
  64  wrong arguments, or a scenario or profile that cannot be read
  70  a fault of cutover itself";

const GATE_EXAMPLES: &str = "\
Examples:
  cutover gate --require-allow
      Both built-in lanes, every scenario: the line for a CI.
  cutover gate --scenario 'resume-*' --seed 42
      Some scenarios, with the seed of an earlier run: passed-in-part at best.
  cutover gate --also scenarios-of-ours
      Every built-in scenario, and some of one's own.
  cutover gate --legacy staging.toml \\
               --candidate http://127.0.0.1:3000
      Lanes of one's own: a profile, and a SpacetimeDB server.
  cutover gate --aa legacy
      The legacy lane against itself: must give no finding.";

const SERVE_EXAMPLES: &str = "\
Examples:
  cutover serve legacy --listen 127.0.0.1:4000 --data-dir /tmp/legacy
  cutover serve candidate --listen 127.0.0.1:3000 --data-dir /tmp/candidate
  cutover serve candidate --data-dir /tmp/sync --database sync
      With the sync module in a database of that name.
  cutover serve legacy --listen 127.0.0.1:0 --data-dir d --defect drop-event
      Port 0 takes a free one; the first line printed names it.
  cutover serve proxy
      Toxiproxy's API on its usual port, 127.0.0.1:8474.";

const PROXY_EXAMPLES: &str = "\
Examples:
  cutover serve proxy --config toxiproxy.json --seed 42
  curl -d '{\"name\":\"sync\",\"listen\":\"127.0.0.1:4001\",
            \"upstream\":\"127.0.0.1:4000\"}' 127.0.0.1:8474/proxies
  curl -d '{\"type\":\"ws_repeat\",
            \"attributes\":{\"kind\":\"delivery\",\"nth\":3}}' \\
       127.0.0.1:8474/proxies/sync/toxics
      The third delivery on each connection arrives twice.";

const RECHECK_NOTES: &str = "\
Nothing is run again. Exit codes: as of the decision where the bundle holds (0,
1 or 2; with --require-allow as there); 1 where it does not; 2 where the run was
interrupted; 64 where DIR is no bundle.";

const HASH_EXAMPLES: &str = "\
Examples:
  cutover hash payload.json
  echo '{\"b\":1,\"a\":2}' | cutover hash --canonical
  cutover hash events.jsonl
      A line per document.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "cutover", version, about = ABOUT, after_help = EXIT_CODES, max_term_width = 80)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `cutover` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios through both lanes and decide: allow or block
    #[command(after_help = GATE_EXAMPLES)]
    Gate(Box<GateArgs>),
    /// Run one of the built-in servers, or the fault proxy, until it is stopped
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Compute a bundle's decision anew from its recorded histories
    #[command(after_help = RECHECK_NOTES)]
    Recheck(RecheckArgs),
    /// Print the payload hash of a JSON document, or of each line of JSON Lines
    #[command(after_help = HASH_EXAMPLES)]
    Hash(HashArgs),
    /// Compare two hash vector files and name where they first part
    Diff(DiffArgs),
    /// List scenarios and the rows of the verification matrix that they prove
    List(ListArgs),
    /// Print the plan that a scenario and a seed give, as JSON
    Plan(PlanArgs),
    /// Run a program that is killed when the process that started it ends
    #[command(hide = true)]
    Tied(TiedArgs),
}

/// Which scenarios.
#[derive(Debug, Clone, Default, Args)]
pub struct ScenarioArgs {
    /// Only scenarios whose name matches (`*` and `?`); may be given again
    #[arg(long = "scenario", value_name = "GLOB")]
    pub globs: Vec<String>,
    /// Read scenarios from this directory instead of the built-in ones
    #[arg(long = "scenarios", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Add the scenarios of this directory or file; may be given again
    #[arg(long, value_name = "DIR|FILE")]
    pub also: Vec<PathBuf>,
    /// Skip known-bad scenarios; the run then does not prove that the gate catches defects
    #[arg(long)]
    pub no_known_bad: bool,
}

/// `cutover gate`.
#[derive(Debug, Clone, Args)]
pub struct GateArgs {
    /// The legacy lane: a socket URL or a lane profile [default: the built-in one]
    #[arg(long, value_name = "URL|PROFILE", help_heading = "Lanes")]
    pub legacy: Option<String>,
    /// Token for the legacy lane
    #[arg(long, value_name = "TOKEN", env = "CUTOVER_LEGACY_TOKEN", hide_env_values = true, help_heading = "Lanes")]
    pub legacy_token: Option<Secret>,
    /// The candidate lane: a SpacetimeDB URL or a lane profile [default: built-in]
    #[arg(long, value_name = "URL|PROFILE", help_heading = "Lanes")]
    pub candidate: Option<String>,
    /// Start this spacetime or spacetimedb-standalone binary as the candidate; a lane profile says how to speak to it
    #[arg(long, value_name = "PATH", help_heading = "Lanes")]
    pub candidate_bin: Option<PathBuf>,
    /// Publish this wasm module to the candidate instead of the built-in one
    #[arg(long, value_name = "FILE", help_heading = "Lanes")]
    pub module: Option<PathBuf>,
    /// Token for the candidate lane
    #[arg(long, value_name = "TOKEN", env = "CUTOVER_CANDIDATE_TOKEN", hide_env_values = true, help_heading = "Lanes")]
    pub candidate_token: Option<Secret>,
    /// Leave the databases of the run on a server that was not started for it
    #[arg(long, help_heading = "Lanes")]
    pub keep_databases: bool,
    /// Run this lane against itself, to show that nothing is found where nothing differs
    #[arg(long, value_name = "LANE", help_heading = "Lanes")]
    pub aa: Option<LaneArg>,
    /// What to run.
    #[command(flatten, next_help_heading = "Scenarios")]
    pub scenarios: ScenarioArgs,
    /// The number that all chance is drawn from [default: a new one, printed first]
    #[arg(long, value_name = "N", help_heading = "Scenarios")]
    pub seed: Option<Seed>,
    /// Scenarios that run at the same time [default: by the number of cores]
    #[arg(long, value_name = "N", value_parser = jobs, help_heading = "Scenarios")]
    pub jobs: Option<usize>,
    /// The most publishes a second to each lane, of all scenarios together
    #[arg(long, value_name = "N", help_heading = "Scenarios")]
    pub rate: Option<std::num::NonZeroU32>,
    /// Start no further scenario after the first that fails; such a run is never allow
    #[arg(long, help_heading = "Scenarios")]
    pub fail_fast: bool,
    /// Run all of it N times, with seeds SEED, SEED+1, …; the worst run decides
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=1_000), help_heading = "Scenarios")]
    pub repeat: u32,
    /// Block where a row of the verification matrix is not shown
    #[arg(long, help_heading = "Deciding")]
    pub enforce_matrix: bool,
    /// End with 2 where the decision is another one than allow, though all passed
    #[arg(long, help_heading = "Deciding")]
    pub require_allow: bool,
    /// Leave faults and toxics out: shows that scenarios are valid without them, and decides nothing about a release
    #[arg(long, conflicts_with_all = ["enforce_matrix", "toxiproxy"], help_heading = "Scenarios")]
    pub no_faults: bool,
    /// Put byte toxics into the Toxiproxy that answers at this URL, on this machine
    #[arg(long, value_name = "URL", help_heading = "Scenarios")]
    pub toxiproxy: Option<String>,
    /// Where the evidence goes [default: reports/<run>]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// What is printed to stdout
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats(), help_heading = "Output")]
    pub format: &'static Format,
}

/// `cutover serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// What to serve.
    #[command(subcommand)]
    pub what: Served,
}

/// What `cutover serve` can serve.
#[derive(Debug, Subcommand)]
pub enum Served {
    /// The lane being retired: a Phoenix-socket sync service
    Legacy(ServeLegacyArgs),
    /// The lane that is to replace it: SpacetimeDB
    Candidate(ServeCandidateArgs),
    /// The fault proxy: Toxiproxy's HTTP API, with toxics that understand messages
    #[command(after_help = PROXY_EXAMPLES)]
    Proxy(ServeProxyArgs),
}

/// What both lanes' servers take.
#[derive(Debug, Args)]
pub struct ServeLaneArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Where its data lives; created where it is not there
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// End when the process of this id, which started this one, ends
    #[arg(long, value_name = "PID", hide = true)]
    pub die_with_parent: Option<i32>,
}

/// `cutover serve candidate`.
#[derive(Debug, Args)]
pub struct ServeCandidateArgs {
    /// What both lanes' servers take.
    #[command(flatten)]
    pub lane: ServeLaneArgs,
    /// Publish the sync module to a database of this name first; the owner's token is kept in DIR/owner-token
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
}

/// `cutover serve legacy`.
#[derive(Debug, Args)]
pub struct ServeLegacyArgs {
    /// What both lanes' servers take.
    #[command(flatten)]
    pub lane: ServeLaneArgs,
    /// Its settings (TOML, or JSON by its name)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Plant defects in it, to see them caught (names, commas between)
    #[arg(long = "defect", value_name = "NAMES")]
    pub defects: Option<String>,
}

/// `cutover serve proxy`.
#[derive(Debug, Args)]
pub struct ServeProxyArgs {
    /// Where its API listens: HOST:PORT, :PORT for every interface, or a PORT of this machine; 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8474")]
    pub listen: String,
    /// Proxies to begin with: a Toxiproxy configuration file (JSON)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The number that all chance is drawn from [default: a new one, printed second]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seed)]
    pub seed: Option<Seed>,
    /// The longest WebSocket message that toxics see; a longer one passes unread, and the ledger says so
    #[arg(long, value_name = "BYTES", default_value_t = 1_073_741_824, value_parser = clap::value_parser!(u64).range(1024..=4_294_967_296), help_heading = "Limits")]
    pub message_max_bytes: u64,
    /// Connections of each proxy at a time; further ones wait
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000), help_heading = "Limits")]
    pub connections_max: u64,
    /// How long an upstream may take to accept a connection
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=600_000), help_heading = "Limits")]
    pub connect_timeout_ms: u64,
    /// Where its API listens, as toxiproxy-server takes it
    #[arg(long, value_name = "HOST", conflicts_with = "listen", help_heading = "As toxiproxy-server has them")]
    pub host: Option<String>,
    /// The port of its API
    #[arg(long, value_name = "PORT", conflicts_with = "listen", help_heading = "As toxiproxy-server has them")]
    pub port: Option<String>,
    /// Print the version of Toxiproxy whose API this is
    #[arg(long = "version", help_heading = "As toxiproxy-server has them")]
    pub print_version: bool,
    /// Accepted; what there is of metrics is always on
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), help_heading = "As toxiproxy-server has them")]
    pub proxy_metrics: Option<bool>,
    /// Accepted; there are no metrics of Go's runtime
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), help_heading = "As toxiproxy-server has them")]
    pub runtime_metrics: Option<bool>,
    /// End when the process of this id, which started this one, ends
    #[arg(long, value_name = "PID", hide = true)]
    pub die_with_parent: Option<i32>,
}

/// `cutover recheck`.
#[derive(Debug, Clone, Args)]
pub struct RecheckArgs {
    /// The bundle: a directory that `cutover gate` wrote
    pub dir: PathBuf,
    /// End with 2 where the decision is another one than allow, though all passed
    #[arg(long)]
    pub require_allow: bool,
    /// What is printed to stdout
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
}

/// `cutover hash`.
#[derive(Debug, Args)]
pub struct HashArgs {
    /// The document, or JSON Lines [default: stdin]
    pub file: Option<PathBuf>,
    /// Print the canonical text too
    #[arg(long)]
    pub canonical: bool,
}

/// `cutover diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The baseline's vector file
    pub a: PathBuf,
    /// The other one
    pub b: PathBuf,
}

/// `cutover list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What to list.
    #[command(flatten)]
    pub scenarios: ScenarioArgs,
    /// Write the built-in scenarios and their schema to this directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["globs", "dir", "also", "no_known_bad", "format"])]
    pub export: Option<PathBuf>,
    /// What is printed to stdout
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
}

/// `cutover plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The scenario's name, or a path to its file
    pub scenario: String,
    /// The number that all chance is drawn from
    #[arg(long, value_name = "N")]
    pub seed: Seed,
    /// Read scenarios from this directory instead of the built-in ones
    #[arg(long = "scenarios", value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `cutover tied`.
#[derive(Debug, Args)]
pub struct TiedArgs {
    /// The process that starts it
    pub parent: i32,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub line: Vec<OsString>,
}

/// A lane, as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LaneArg {
    /// The lane being retired: a Phoenix-socket sync service
    Legacy,
    /// The lane that is to replace it: SpacetimeDB
    Candidate,
}

impl From<LaneArg> for LaneId {
    fn from(lane: LaneArg) -> LaneId {
        match lane {
            LaneArg::Legacy => LaneId::Legacy,
            LaneArg::Candidate => LaneId::Candidate,
        }
    }
}

/// In which form a smaller command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// For people
    Text,
    /// For programs
    Json,
}

/// More scenarios at once than this would only measure the machine.
const MAX_JOBS: usize = 64;

/// A seed; Go's may be negative.
fn seed(text: &str) -> Result<Seed, String> {
    text.parse().or_else(|why| text.parse().map(|seed: i64| Seed(seed as u64)).map_err(|_| why))
}

/// The formats of a report that can be asked for.
fn formats() -> impl TypedValueParser<Value = &'static Format> {
    let options = FORMATS.iter().filter_map(|format| format.option);
    let values = options.map(|(name, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(values).try_map(|name| report::format(&name).ok_or("there is no such format"))
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs) if (1..=MAX_JOBS).contains(&jobs) => Ok(jobs),
        _ => Err(format!("give a whole number from 1 to {MAX_JOBS}")),
    }
}

#[cfg(test)]
mod tests;
