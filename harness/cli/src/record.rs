//! `cutover record`: runs the scenarios, and keeps what one lane's clients applied as baselines.

use cutover_core::evidence::layout;
use cutover_core::plan::Plan;

use crate::args::{GateArgs, PolicyArgs, RecordArgs, ScenarioArgs};
use crate::baseline::{self, About, write_baseline};
use crate::exit::{Exit, Failure};
use crate::gate;
use crate::out::{Stdout, note};

pub fn run(args: &RecordArgs) -> Result<Exit, Failure> {
    if baseline::is_ci() {
        return Err(Failure::usage("a CI never writes baselines")
            .hint("run `cutover record` on your machine, and commit what it writes"));
    }
    let scenarios = ScenarioArgs { globs: args.globs.clone(), no_known_bad: true, ..ScenarioArgs::default() };
    let gate = GateArgs {
        scenarios,
        seed: Some(args.seed),
        jobs: args.jobs,
        policy: PolicyArgs { policy: args.policy.clone(), ..PolicyArgs::default() },
        ..GateArgs::plain(args.lanes.clone())
    };
    let ran = gate::run_once(&gate)?;
    let evidence = &ran.evidence;
    let server = evidence.lanes.get(&args.lane).map(|server| match &server.version {
        Some(version) => format!("{}, {version}", server.what),
        None => server.what.clone(),
    });
    let mut recorded = 0;
    for scenario in evidence.judged.scenarios.iter().filter(|scenario| scenario.outcome.is_good()) {
        let read = |path: String| {
            let path = std::path::Path::new(&ran.bundle).join(path);
            std::fs::read(&path).map_err(|error| Failure::unreadable(&path, &error))
        };
        let plan = String::from_utf8_lossy(&read(layout::plan(&scenario.name))?).into_owned();
        let plan = Plan::from_json(&plan).map_err(|error| Failure::fault(error.to_string()))?;
        let vector = read(layout::vector(&scenario.name, args.lane))?;
        write_baseline(&args.baselines, &About::of(&plan, args.lane, server.as_deref().unwrap_or_default()), &vector)?;
        recorded += 1;
    }
    let lost: Vec<&str> = evidence
        .judged
        .scenarios
        .iter()
        .filter(|scenario| !scenario.outcome.is_good())
        .map(|scenario| scenario.name.as_str())
        .collect();
    let (lane, dir) = (args.lane, args.baselines.display());
    Stdout::new()
        .say(&format!("recorded {recorded} baselines of the {lane} lane in {dir}\nevidence   {}", ran.bundle))?;
    if !lost.is_empty() {
        note(&format!("not recorded, as they did not pass: {}", lost.join(", ")));
    }
    ran.exit
}
