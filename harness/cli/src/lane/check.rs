//! `cutover lane check`: tries everything of a profile that a run would use.

use crate::args::LaneCheckArgs;
use crate::exit::{Exit, Failure};

pub fn run(_args: &LaneCheckArgs) -> Result<Exit, Failure> {
    Err(Failure::usage("`lane check` is not built yet"))
}
