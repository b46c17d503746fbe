//! The arguments of `cutover matrix`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{LaneArgs, ScenarioArgs};

pub const EXAMPLES: &str = "\
Examples:
  cutover matrix
      Print what a run over the built-in lanes can show.
  cutover matrix --legacy staging.toml --candidate http://127.0.0.1:3000
      Print what a run over these lanes can show, and what is left out.
  cutover matrix reports/latest
      Print what the run of a bundle showed.";

#[derive(Debug, Args)]
pub struct MatrixArgs {
    /// A bundle: a directory that `cutover gate` wrote [default: a run with these options]
    #[arg(conflicts_with_all = ["legacy", "candidate", "candidate_bin", "aa", "globs", "dir", "also"])]
    pub bundle: Option<PathBuf>,
    #[command(flatten)]
    pub lanes: LaneArgs,
    #[command(flatten, next_help_heading = "Scenarios")]
    pub scenarios: ScenarioArgs,
    /// The format of the output on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub format: TextOrMarkdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextOrMarkdown {
    /// Text for people
    Text,
    /// Markdown, for a page
    Markdown,
}
