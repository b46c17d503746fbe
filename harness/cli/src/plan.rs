//! `cutover plan`: prints what a scenario and a seed compile to, as it is digested and stored in a bundle.

use std::io::Write;

use crate::args::PlanArgs;
use crate::compare::cannot_print;
use crate::exit::{Exit, Failure};
use crate::out::Stdout;
use crate::scenarios;

/// Runs the command.
pub fn run(args: &PlanArgs) -> Result<Exit, Failure> {
    let source = scenarios::one(&args.scenario, args.dir.as_deref())?;
    let plan = scenarios::compile(&source.scenario, args.seed);
    let mut out = Stdout::new();
    out.write_all(plan.to_json().as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
        .map_err(|error| cannot_print(&error))?;
    Ok(Exit::Allow)
}
