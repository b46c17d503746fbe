//! `cutover plan`: prints what a scenario and a seed compile to, as it is digested and stored in a bundle.

use cutover_core::gate::fit::{Means, ServerKind};
use cutover_core::ids::{LaneId, Seed};
use cutover_core::scenario::compile;

use crate::args::PlanArgs;
use crate::drawn;
use crate::exit::{Exit, Failure};
use crate::out::Stdout;
use crate::scenarios::{self, Source};

pub fn run(args: &PlanArgs) -> Result<Exit, Failure> {
    let source = match drawn::index(&args.scenario) {
        Some(_) if args.dir.is_none() => drawn_for_ours(&args.scenario, args.seed)?,
        _ => scenarios::one(&args.scenario, args.dir.as_deref())?,
    };
    match args.text {
        true => Stdout::new().exact(&source.text)?,
        false => Stdout::new().exact(&(compile(&source.scenario, args.seed).to_json() + "\n"))?,
    }
    Ok(Exit::Allow)
}

fn drawn_for_ours(name: &str, seed: Seed) -> Result<Source, Failure> {
    let lanes = LaneId::BOTH.map(|lane| (lane, Means::of_ours(ServerKind::BuiltIn))).into();
    let drawn = drawn::sources(seed, &[name.to_owned()], &lanes, None);
    drawn.into_iter().next().ok_or_else(|| Failure::usage(format!("`{name}` is not drawn")))
}
