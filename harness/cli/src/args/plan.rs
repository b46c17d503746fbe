//! The arguments of `cutover plan`.

use std::path::PathBuf;

use clap::Args;
use cutover_core::ids::Seed;

#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The name of a scenario (drawn-01 is the first that is drawn for the built-in lanes), or the path of its file
    pub scenario: String,
    /// Print the scenario file instead of the plan
    #[arg(long)]
    pub text: bool,
    /// The seed of all random choices
    #[arg(long, value_name = "N")]
    pub seed: Seed,
    /// Read scenarios from this directory instead of the built-in ones
    #[arg(long = "scenarios", value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
