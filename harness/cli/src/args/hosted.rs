//! The arguments of the commands for hosted lanes, and those that choose an environment.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::TextOrJson;

/// The environment of a hosted lane. There are no others, so that no other name of `prod` avoids what holds for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum EnvName {
    /// Where developers try changes
    Dev,
    /// Where a release is tried before production
    Staging,
    /// Where users are served
    Prod,
}

impl EnvName {
    pub fn as_str(self) -> &'static str {
        match self {
            EnvName::Dev => "dev",
            EnvName::Staging => "staging",
            EnvName::Prod => "prod",
        }
    }
}

impl fmt::Display for EnvName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where the variables of an environment are read.
#[derive(Debug, Clone, Default, Args)]
pub struct VariableArgs {
    /// The prefix of the environment's variables [default: OA_SPACETIME]
    #[arg(long, value_name = "PREFIX", requires = "env")]
    pub env_prefix: Option<String>,
    /// Also read variables from this file (NAME=value); those of the process win, and a token comes only from there
    #[arg(long, value_name = "FILE", requires = "env")]
    pub envvars: Option<PathBuf>,
}

/// What every command for hosted lanes takes.
#[derive(Debug, Clone, Args)]
pub struct HostedArgs {
    /// The environment: its variables name the server, the database and the token
    #[arg(value_name = "ENV")]
    pub env: EnvName,
    #[command(flatten)]
    pub variables: VariableArgs,
    /// Write the evidence to this directory [default: a new one in reports/]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// The format of the output on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub format: TextOrJson,
}

pub const PROVISION_EXAMPLES: &str = "\
Examples:
  cutover provision-check staging --envvars lanes/hosted.envvars.example
      Read variables from a file. The token comes from the environment.
  cutover provision-check prod --like reports/20260225T190000Z-deploy-staging
      Expect the schema that was deployed to staging.";

#[derive(Debug, Args)]
pub struct ProvisionArgs {
    #[command(flatten)]
    pub hosted: HostedArgs,
    /// Expect the schema that this deploy left; its evidence [default: the tables and reducers of the built-in module]
    #[arg(long, value_name = "DIR")]
    pub like: Option<PathBuf>,
    /// By how many seconds the server's clock may differ from that of this machine
    #[arg(long, value_name = "SECS", default_value_t = 30)]
    pub clock_skew: u64,
    /// For how many seconds the token must still be good
    #[arg(long, value_name = "SECS", default_value_t = 600)]
    pub token_life: u64,
}

pub const HANDSHAKE_EXAMPLES: &str = "\
Examples:
  cutover handshake dev --repeat 5
  cutover handshake staging --half-open 150
      Also silence a client, and wait up to 150 s until the server notices.";

#[derive(Debug, Args)]
pub struct HandshakeArgs {
    #[command(flatten)]
    pub hosted: HostedArgs,
    /// How many rounds are done
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub repeat: u32,
    /// The public table with a row for each connection; its column `connection_id` has the id
    #[arg(long, value_name = "NAME", default_value = "active_connection")]
    pub table: String,
    /// How many seconds the count may take to be right
    #[arg(long, value_name = "SECS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub within: u64,
    /// Also silence a client without closing it, and wait up to so many seconds until it is no longer counted
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub half_open: Option<u64>,
}

pub const DEPLOY_EXAMPLES: &str = "\
Examples:
  cutover deploy dev --module target/sync.wasm --plan
      Say what a publish would change, and publish nothing.
  cutover deploy staging --module target/sync.wasm --promote-from reports/A
      Publish what a deploy to dev published. A is its evidence.
  cutover deploy dev --pr feature/offline-queue
      Publish to a database of its own, which --delete --pr deletes again.";

#[derive(Debug, Args)]
pub struct DeployArgs {
    #[command(flatten)]
    pub hosted: HostedArgs,
    /// Publish this wasm module [default: the built-in one]
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// Only say what would change; publish nothing
    #[arg(long, conflicts_with_all = ["reset", "delete"])]
    pub plan: bool,
    /// Publish what the environment before this one has; the evidence of its deploy. Required for prod
    #[arg(long, value_name = "DIR")]
    pub promote_from: Option<PathBuf>,
    /// Refuse if the database is not as the last deploy left it; the evidence of that deploy
    #[arg(long, value_name = "DIR")]
    pub after: Option<PathBuf>,
    /// Publish although clients of the old module may break
    #[arg(long)]
    pub break_clients: bool,
    /// Publish although the server makes no plan (SpacetimeDB 1)
    #[arg(long)]
    pub without_plan: bool,
    /// The server's fingerprint, if no variable pins it
    #[arg(long, value_name = "sha256:HEX")]
    pub fingerprint: Option<String>,
    /// How often the publish is tried
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub tries: u32,
    /// Delete all data of the database with this name, which is typed out. Only if it is disposable, and never in prod
    #[arg(long, value_name = "NAME", help_heading = "Disposable databases")]
    pub reset: Option<String>,
    /// Use a database of its own for this pull request or branch; not in prod
    #[arg(long, value_name = "NAME", help_heading = "Disposable databases")]
    pub pr: Option<String>,
    /// Delete the database of --pr, once nobody is connected to it
    #[arg(long, requires = "pr", help_heading = "Disposable databases")]
    #[arg(conflicts_with_all = ["reset", "module", "promote_from", "after", "break_clients", "without_plan"])]
    pub delete: bool,
}
