//! `cutover plan`: prints what a scenario and a seed compile to, as it is digested and stored in a bundle.

use cutover_core::scenario::compile;

use crate::args::PlanArgs;
use crate::exit::{Exit, Failure};
use crate::out::Stdout;
use crate::scenarios;

pub fn run(args: &PlanArgs) -> Result<Exit, Failure> {
    let source = scenarios::one(&args.scenario, args.dir.as_deref())?;
    let plan = compile(&source.scenario, args.seed);
    Stdout::new().exact(&(plan.to_json() + "\n"))?;
    Ok(Exit::Allow)
}
