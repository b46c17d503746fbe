//! `cutover lane`: proposes a lane profile, and checks one.

mod candidate;
mod check;
mod init;
mod legacy;
mod proposal;

use crate::args::{LaneCommand, LaneCommandArgs};
use crate::exit::{Exit, Failure};

pub fn run(args: &LaneCommandArgs) -> Result<Exit, Failure> {
    match &args.what {
        LaneCommand::Init(args) => init::run(args),
        LaneCommand::Check(args) => check::run(args),
    }
}
