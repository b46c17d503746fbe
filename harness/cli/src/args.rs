//! The command line. Its help fits 80 columns.

mod baseline;
mod bridge;
mod calibrate;
mod client;
mod compare;
mod fuzz;
mod hosted;
mod lane;
mod matrix;
mod plan;
mod policy;
mod rollout;
mod scenario;
mod shadow;
mod tied;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use cutover_core::evidence::report::{self, FORMATS, Format};
use cutover_core::ids::{LaneId, Seed};
use cutover_core::text::Secret;

pub use baseline::{AcceptArgs, RecordArgs};
pub use bridge::ServeBridgeArgs;
pub use calibrate::CalibrateArgs;
pub use compare::{DiffArgs, HashArgs};
pub use fuzz::FuzzArgs;
pub use hosted::{DeployArgs, EnvName, HandshakeArgs, ProvisionArgs, VariableArgs};
pub use lane::{LaneCheckArgs, LaneCommand, LaneCommandArgs, LaneInitArgs, LegacySession};
pub use matrix::{MatrixArgs, TextOrMarkdown};
pub use plan::PlanArgs;
pub use policy::{PolicyArgs, PolicyFileArgs};
pub use rollout::RolloutArgs;
pub use scenario::ScenarioArgs;
pub use shadow::ShadowArgs;
pub use tied::TiedArgs;

const ABOUT: &str = "Drives a legacy and a candidate sync service with one script, and decides allow or block";

const EXIT_CODES: &str = "\
Exit codes:
   0  allow; or the decision of a partial run that passed: passed-in-part,
      no-difference, valid-without-faults (2 with --require-allow)
   1  block: a lane is wrong, or a bundle was changed
   2  block: the run could not prove everything that it had to prove
   3  a lane or the environment is unavailable
  64  an argument, a scenario, a policy or a lane profile is wrong
  70  a defect of cutover itself";

const GATE_EXAMPLES: &str = "\
Examples:
  cutover gate --require-allow
      Run every scenario on both built-in lanes. Use this in CI.
  cutover gate --scenario 'resume-*' --seed 42
      Run some scenarios with the seed of an earlier run. The best decision
      is passed-in-part.
  cutover gate --also scenarios-of-ours
      Run every built-in scenario and your own.
  cutover gate --legacy staging.toml \\
               --candidate http://127.0.0.1:3000
      Compare your own lanes: a lane profile and a SpacetimeDB server.
  cutover gate --aa legacy
      Compare the legacy lane with itself. This must give no finding.";

const SERVE_EXAMPLES: &str = "\
Examples:
  cutover serve legacy --listen 127.0.0.1:4000 --data-dir /tmp/legacy
  cutover serve candidate --listen 127.0.0.1:3000 --data-dir /tmp/candidate
  cutover serve candidate --data-dir /tmp/sync --database sync
      Publish the sync module to a database of that name.
  cutover serve legacy --listen 127.0.0.1:0 --data-dir d --defect drop-event
      Listen on a free port. The first line of output names it.
  cutover serve proxy
      Serve Toxiproxy's API on its usual port, 127.0.0.1:8474.";

const PROXY_EXAMPLES: &str = "\
Examples:
  cutover serve proxy --config toxiproxy.json --seed 42
  curl -d '{\"name\":\"sync\",\"listen\":\"127.0.0.1:4001\",
            \"upstream\":\"127.0.0.1:4000\"}' 127.0.0.1:8474/proxies
  curl -d '{\"type\":\"ws_repeat\",
            \"attributes\":{\"kind\":\"delivery\",\"nth\":3}}' \\
       127.0.0.1:8474/proxies/sync/toxics
      Deliver the third event twice, once over all connections.";

const RECHECK_NOTES: &str = "\
recheck starts no server and runs no scenario.

Exit codes:
   0, 1, 2  the exit code of the decision, if the bundle is sound
         1  the bundle is not sound
         2  the run was interrupted
        64  DIR is not a bundle";

#[derive(Debug, Parser)]
#[command(name = "cutover", version, about = ABOUT, after_help = EXIT_CODES, max_term_width = 80)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios through both lanes and decide: allow or block
    #[command(after_help = GATE_EXAMPLES)]
    Gate(Box<GateArgs>),
    /// Search for scenarios that show a lane to be wrong, and make them small
    #[command(after_help = fuzz::EXAMPLES)]
    Fuzz(Box<FuzzArgs>),
    /// Plant defects one at a time, and count those that the gate finds
    #[command(after_help = calibrate::EXAMPLES)]
    Calibrate(Box<CalibrateArgs>),
    /// Propose a lane profile for a service of yours, or check one
    #[command(after_help = lane::EXAMPLES)]
    Lane(LaneCommandArgs),
    /// Run a built-in server or the fault proxy until it is stopped
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Recompute the decision of a bundle from its recorded histories
    #[command(after_help = RECHECK_NOTES)]
    Recheck(RecheckArgs),
    /// Print the payload hash of a JSON document, or of each line of JSON Lines
    #[command(after_help = compare::HASH_EXAMPLES)]
    Hash(HashArgs),
    /// Compare two hash vector files and print the first difference
    Diff(DiffArgs),
    /// List the scenarios and the matrix rows that each of them proves
    List(ListArgs),
    /// Print the verification matrix of a bundle, or what a run could show
    #[command(after_help = matrix::EXAMPLES)]
    Matrix(Box<MatrixArgs>),
    /// Record what a lane's clients apply, as baselines for the time when it is gone
    #[command(after_help = baseline::RECORD_EXAMPLES)]
    Record(Box<RecordArgs>),
    /// Review the baselines that a run differed from, one by one
    #[command(after_help = baseline::ACCEPT_EXAMPLES)]
    Accept(AcceptArgs),
    /// Check a policy, and print what it asks of a run
    #[command(after_help = policy::EXAMPLES)]
    Policy(PolicyFileArgs),
    /// Compile a scenario with a seed, and print the plan as JSON
    Plan(PlanArgs),
    /// Check what is provisioned for a hosted candidate lane
    #[command(after_help = hosted::PROVISION_EXAMPLES)]
    ProvisionCheck(ProvisionArgs),
    /// Prove that a hosted lane counts two clients as they come and go
    #[command(after_help = hosted::HANDSHAKE_EXAMPLES)]
    Handshake(HandshakeArgs),
    /// Publish a module to a hosted lane without loss, with a plan first
    #[command(after_help = hosted::DEPLOY_EXAMPLES)]
    Deploy(Box<DeployArgs>),
    /// Follow two live lanes without writing, and compare what they deliver
    #[command(after_help = shadow::EXAMPLES)]
    Shadow(Box<ShadowArgs>),
    /// Decide whether the next cohort of users may follow: go, hold or roll back
    #[command(after_help = rollout::EXAMPLES)]
    Rollout(Box<RolloutArgs>),
    /// Run a program that is killed when the process that started it ends
    #[command(hide = true)]
    Tied(TiedArgs),
}

#[derive(Debug, Clone, Default, Args)]
pub struct LaneArgs {
    /// The legacy lane: a socket URL or a lane profile [default: the built-in server]
    #[arg(long, value_name = "URL|PROFILE", help_heading = "Lanes")]
    pub legacy: Option<String>,
    /// Token for the legacy lane
    #[arg(long, value_name = "TOKEN", env = "CUTOVER_LEGACY_TOKEN", hide_env_values = true, help_heading = "Lanes")]
    pub legacy_token: Option<Secret>,
    /// The candidate lane: a SpacetimeDB URL or a lane profile [default: the built-in server]
    #[arg(long, value_name = "URL|PROFILE", help_heading = "Lanes")]
    pub candidate: Option<String>,
    /// The candidate lane: the hosted one of this environment, which its variables name
    #[arg(long, value_name = "ENV", conflicts_with_all = ["candidate", "candidate_bin"], help_heading = "Lanes")]
    pub env: Option<EnvName>,
    #[command(flatten, next_help_heading = "Lanes")]
    pub variables: VariableArgs,
    /// Start this binary (spacetime or spacetimedb-standalone) as the candidate; --candidate may name its lane profile
    #[arg(long, value_name = "PATH", help_heading = "Lanes")]
    pub candidate_bin: Option<PathBuf>,
    /// Publish this wasm module to the candidate instead of the built-in one
    #[arg(long, value_name = "FILE", help_heading = "Lanes")]
    pub module: Option<PathBuf>,
    /// Token for the candidate lane
    #[arg(long, value_name = "TOKEN", env = "CUTOVER_CANDIDATE_TOKEN", hide_env_values = true, help_heading = "Lanes")]
    pub candidate_token: Option<Secret>,
    /// Keep the databases of the run on a server that the run did not start
    #[arg(long, help_heading = "Lanes")]
    pub keep_databases: bool,
    /// Compare this lane with itself; a correct gate then finds nothing
    #[arg(long, value_name = "LANE", value_parser = lane(), help_heading = "Lanes")]
    pub aa: Option<LaneId>,
}

#[derive(Debug, Clone, Args)]
pub struct GateArgs {
    #[command(flatten)]
    pub lanes: LaneArgs,
    #[command(flatten, next_help_heading = "Scenarios")]
    pub scenarios: ScenarioArgs,
    /// The seed of all random choices [default: a new one, printed on the first line]
    #[arg(long, value_name = "N", help_heading = "Scenarios")]
    pub seed: Option<Seed>,
    /// Draw N scenarios from the seed, drawn-01 and so on; a run with fewer than 12 is never allow [default: 12]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=999), help_heading = "Scenarios")]
    pub drawn: Option<u32>,
    /// Run at most N scenarios at the same time [default: 4 for each core]
    #[arg(long, value_name = "N", value_parser = jobs, help_heading = "Scenarios")]
    pub jobs: Option<usize>,
    /// Publish at most N events per second to each lane, over all scenarios
    #[arg(long, value_name = "N", help_heading = "Scenarios")]
    pub rate: Option<std::num::NonZeroU32>,
    /// Start no more scenarios after the first failure; such a run is never allow
    #[arg(long, help_heading = "Scenarios")]
    pub fail_fast: bool,
    /// Repeat the run N times, with the seeds SEED, SEED+1, …; the worst run decides
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000), help_heading = "Scenarios")]
    pub repeat: u32,
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Exit with 2 if everything passed but the decision is not allow
    #[arg(long, help_heading = "Deciding")]
    pub require_allow: bool,
    /// Run without faults and toxics; this proves that the scenarios are valid, and decides nothing about a release
    #[arg(long, conflicts_with_all = ["enforce_matrix", "phase", "toxiproxy"], help_heading = "Scenarios")]
    pub no_faults: bool,
    /// Put a program in the place of the lane's clients, as docs/CLIENTS.md says; such a run is never allow
    #[arg(long = "client", value_name = "LANE=COMMAND", value_parser = client::program, help_heading = "Lanes")]
    pub clients: Vec<(LaneId, Vec<String>)>,
    /// Use the Toxiproxy at this URL, on this machine, for byte toxics
    #[arg(long, value_name = "URL", help_heading = "Scenarios")]
    pub toxiproxy: Option<String>,
    /// Write the evidence to this directory [default: a new one in reports/]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// The format of the output on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats(), help_heading = "Output")]
    pub format: &'static Format,
}

impl GateArgs {
    /// The gate over one scenario of a file.
    pub fn of_one(lanes: LaneArgs, name: &str, file: PathBuf, out: PathBuf) -> GateArgs {
        let scenarios = ScenarioArgs { globs: vec![name.to_owned()], also: vec![file], ..ScenarioArgs::default() };
        GateArgs { scenarios, out: Some(out), ..GateArgs::plain(lanes) }
    }

    /// The gate over the built-in scenarios, without any other option. It draws none.
    pub fn plain(lanes: LaneArgs) -> GateArgs {
        GateArgs {
            lanes,
            scenarios: ScenarioArgs::default(),
            seed: None,
            jobs: None,
            rate: None,
            fail_fast: false,
            repeat: 1,
            policy: PolicyArgs::default(),
            require_allow: false,
            drawn: Some(0),
            no_faults: false,
            clients: Vec::new(),
            toxiproxy: None,
            out: None,
            format: FORMATS[0],
        }
    }
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(subcommand)]
    pub what: Served,
}

#[derive(Debug, Subcommand)]
pub enum Served {
    /// The legacy lane: a sync service on Phoenix sockets
    Legacy(ServeLegacyArgs),
    /// The candidate lane: SpacetimeDB
    Candidate(ServeCandidateArgs),
    /// The bridge: takes the candidate's outbox to a Nostr relay
    #[command(override_usage = bridge::USAGE)]
    Bridge(ServeBridgeArgs),
    /// The fault proxy: Toxiproxy's HTTP API, with toxics that understand messages
    #[command(after_help = PROXY_EXAMPLES)]
    Proxy(ServeProxyArgs),
}

#[derive(Debug, Args)]
pub struct ServeLaneArgs {
    /// The address to listen on; port 0 means any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// The directory of its data; created if it is missing
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Exit when this parent process exits
    #[arg(long, value_name = "PID", hide = true)]
    pub die_with_parent: Option<i32>,
}

#[derive(Debug, Args)]
pub struct ServeCandidateArgs {
    #[command(flatten)]
    pub lane: ServeLaneArgs,
    /// First publish the sync module to a database of this name; DIR/owner-token then holds the owner's token
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
}

#[derive(Debug, Args)]
pub struct ServeLegacyArgs {
    #[command(flatten)]
    pub lane: ServeLaneArgs,
    /// A settings file: TOML, or JSON if its name ends in .json
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Plant these defects, for a test of the gate (names, separated by commas)
    #[arg(long = "defect", value_name = "NAMES")]
    pub defects: Option<String>,
}

#[derive(Debug, Args)]
pub struct ServeProxyArgs {
    /// The address of the API: HOST:PORT, :PORT for all interfaces, PORT for this machine; port 0 means any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8474")]
    pub listen: String,
    /// Create the proxies of this Toxiproxy configuration file (JSON)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The seed of all random choices [default: a new one, printed on the second line]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seed)]
    pub seed: Option<Seed>,
    /// The longest WebSocket message that message toxics read; the ledger counts longer ones, which pass unread
    #[arg(long, value_name = "BYTES", default_value_t = 1_073_741_824)]
    #[arg(value_parser = clap::value_parser!(u64).range(1024..=4_294_967_296), help_heading = "Limits")]
    pub message_max_bytes: u64,
    /// The most open connections of a proxy; further connections wait
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000), help_heading = "Limits")]
    pub connections_max: u64,
    /// The timeout for connecting to an upstream
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=600_000), help_heading = "Limits")]
    pub connect_timeout_ms: u64,
    /// The host of the API
    #[arg(long, value_name = "HOST", conflicts_with = "listen", help_heading = "Options of toxiproxy-server")]
    pub host: Option<String>,
    /// The port of the API
    #[arg(long, value_name = "PORT", conflicts_with = "listen", help_heading = "Options of toxiproxy-server")]
    pub port: Option<String>,
    /// Print the version of Toxiproxy that the API follows
    #[arg(long = "version", help_heading = "Options of toxiproxy-server")]
    pub print_version: bool,
    /// Accepted and ignored: the proxy metrics are always on
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new(), help_heading = "Options of toxiproxy-server")]
    pub proxy_metrics: Option<bool>,
    /// Accepted and ignored: there are no metrics of a Go runtime
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new(), help_heading = "Options of toxiproxy-server")]
    pub runtime_metrics: Option<bool>,
    /// Exit when this parent process exits
    #[arg(long, value_name = "PID", hide = true)]
    pub die_with_parent: Option<i32>,
}

#[derive(Debug, Clone, Args)]
pub struct RecheckArgs {
    /// The bundle: a directory that `cutover gate` or a command for hosted lanes wrote
    pub dir: PathBuf,
    /// Exit with 2 if everything passed but the decision is not allow
    #[arg(long)]
    pub require_allow: bool,
    /// The format of the output on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
}

#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub scenarios: ScenarioArgs,
    /// Write the built-in scenarios and their JSON schema to this directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["globs", "dir", "also", "no_known_bad", "format"])]
    pub export: Option<PathBuf>,
    /// List the checkers instead: what each finds, by which rule, and with which reasons
    #[arg(long, conflicts_with_all = ["globs", "dir", "also", "no_known_bad", "export"])]
    pub checkers: bool,
    /// List the fields of the contract instead: what judges each, or why nothing does
    #[arg(long, conflicts_with_all = ["globs", "dir", "also", "no_known_bad", "export", "checkers"])]
    pub fields: bool,
    /// The format of the output on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// Text for people
    Text,
    /// JSON for programs
    Json,
}

/// More scenarios at the same time would only measure the machine.
const MAX_JOBS: usize = 64;

/// A seed. Seeds of a Go program may be negative.
fn seed(text: &str) -> Result<Seed, String> {
    text.parse().or_else(|why| text.parse().map(|seed: i64| Seed(seed as u64)).map_err(|_| why))
}

fn lane() -> impl TypedValueParser<Value = LaneId> {
    let value = |lane: LaneId| PossibleValue::new(lane.as_str()).help(format!("The {lane} lane"));
    let lane = |name: String| LaneId::BOTH.into_iter().find(|lane| lane.as_str() == name).ok_or("no such lane");
    PossibleValuesParser::new(LaneId::BOTH.map(value)).try_map(lane)
}

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
