//! Which scenarios a command takes.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Default, Args)]
pub struct ScenarioArgs {
    /// Run only the scenarios with a matching name (`*` and `?`); may be repeated
    #[arg(long = "scenario", value_name = "GLOB")]
    pub globs: Vec<String>,
    /// Read scenarios from this directory instead of the built-in ones
    #[arg(long = "scenarios", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Add the scenarios of this directory or file; may be repeated
    #[arg(long, value_name = "DIR|FILE")]
    pub also: Vec<PathBuf>,
    /// Skip known-bad scenarios; the run then does not prove that the gate catches defects
    #[arg(long)]
    pub no_known_bad: bool,
}
