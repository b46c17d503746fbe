//! The gate with drivers that only pretend: what is left of a run, however it ended.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use clap::Parser;
use cutover_core::evidence::recheck::{Rechecked, recheck};
use cutover_core::evidence::{Driven, LaneRun, State};
use cutover_core::history::{HISTORY_SCHEMA, Header, History, Phase, Record};
use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::args::{Cli, Command};
use crate::bundle_dir::BundleThere;
use crate::driver::Message;

const SCENARIO: &str = r#"schema = 1
name = "two-events"
title = "Two events reach a client"
proves = ["replay-determinism"]
streams = [{ topic = "run:alpha:events" }]
clients = [{ name = "desk" }]
steps = [
  { do = "connect" },
  { do = "publish", stream = "run:alpha:events", count = 2 },
  { do = "await" },
]
at_least = { deliveries = 2 }
"#;

/// A driven plan in which nothing happened.
fn idle(plan: &Plan) -> Message {
    let lane = |lane| {
        let header = Header {
            schema: HISTORY_SCHEMA.to_owned(),
            scenario: plan.scenario.clone(),
            seed: plan.seed,
            lane,
            plan_digest: plan.digest(),
        };
        let phases = std::iter::successors(Some(Phase::Setup), |phase| phase.next());
        let records: Vec<Record> = phases.map(|phase| Record::Phase { phase }).collect();
        LaneRun { times_us: (0..records.len() as u64).collect(), history: History { header, records }, started_us: 0 }
    };
    let (legacy, candidate) = (lane(LaneId::Legacy), lane(LaneId::Candidate));
    Message::Driven(
        Box::new(Driven { plan: plan.clone(), legacy, candidate, elapsed_ms: 1 }),
        tokio::sync::oneshot::channel().0,
    )
}

/// A signal reaches every run in the process, so there is one at a time where tests share a process.
static ONE_RUN: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Runs the gate in a directory with a driver; returns how it ended and what recheck makes of the bundle.
fn gate<F>(
    dir: &Path,
    driver: impl FnOnce(DriveRequest, Sender<Message>, CancellationToken) -> F,
) -> (Result<Exit, Failure>, Rechecked)
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let _one_run = ONE_RUN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let scenarios = dir.join("scenarios");
    std::fs::create_dir(&scenarios).unwrap();
    std::fs::write(scenarios.join("two-events.toml"), SCENARIO).unwrap();
    let out = dir.join("out");
    let [scenarios, at] = [&scenarios, &out].map(|path| path.to_str().unwrap().to_owned());
    let line = ["cutover", "gate", "--seed", "7", "--scenarios", &scenarios, "--out", &at];
    let Command::Gate(args) = Cli::parse_from(line).command else { panic!("no gate") };
    let sources = scenarios::select(&args.scenarios).unwrap();
    let plans = sources.iter().map(|source| compile(&source.scenario, Seed(7))).collect();
    let request = DriveRequest { plans, settings: settings(&args).unwrap(), jobs: 1, enough: None };
    let recording =
        Recording::begin(&args, Seed(7), None, &sources, (&policy::given(&args.policy).unwrap(), None)).unwrap();
    let runtime = runtime().unwrap();
    let mut recording = runtime.block_on(conduct(request, recording, driver)).unwrap();
    let (evidence, _) = recording.close().unwrap();
    let compile = |name: &str, bytes: &[u8], build| scenarios::compile_bytes(name, bytes, build);
    let rechecked = recheck(&BundleThere::look(&out).unwrap(), &compile).unwrap();
    assert_eq!(rechecked.problems, []);
    (recording.exit(&evidence, false), rechecked)
}

fn state(rechecked: &Rechecked) -> State {
    rechecked.evidence.as_ref().unwrap().state.clone()
}

#[test]
fn a_run_in_which_nothing_happened_is_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, rechecked) = gate(dir.path(), async |request, tell, _| {
        tell.send(idle(&request.plans[0])).await.unwrap();
        Ok(())
    });
    assert_eq!(exit.unwrap(), Exit::Unknown);
    assert_eq!((state(&rechecked), rechecked.exit_code()), (State::Complete, 2));
}

#[test]
fn a_signal_ends_the_run_and_the_bundle_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, rechecked) = gate(dir.path(), async |request, tell, stop| {
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGTERM).unwrap();
        stop.cancelled().await;
        tell.send(idle(&request.plans[0])).await.unwrap();
        Ok(())
    });
    assert_eq!(exit.unwrap(), Exit::Unknown);
    assert_eq!(state(&rechecked), State::Interrupted { by: "SIGTERM".to_owned() });
    assert_eq!(rechecked.computed.scenarios.len(), 1, "what ended while stopping is kept");
}

#[test]
fn an_unavailable_lane_exits_3() {
    let dir = tempfile::tempdir().unwrap();
    let what = "nobody listens on 127.0.0.1:1".to_owned();
    let error = Failure::environment(what.clone());
    let (exit, rechecked) = gate(dir.path(), async |_, _, _| Err(error));
    let failure = exit.unwrap_err();
    assert_eq!((failure.exit, failure.message), (Exit::Environment, what.clone()));
    assert_eq!((state(&rechecked), rechecked.exit_code()), (State::Failed { why: what }, 2));
}

#[test]
fn a_driver_that_panics_exits_70() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, rechecked) = gate(dir.path(), async |_, _, _| panic!("a fault that a test planted"));
    assert_eq!(exit.unwrap_err().exit, Exit::Fault);
    assert!(matches!(state(&rechecked), State::Failed { .. }));
}

#[test]
fn a_scenario_that_is_left_out_is_told_and_decides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, rechecked) = gate(dir.path(), async |request, tell, _| {
        let left_out = [(request.plans[0].scenario.clone(), "the server is not ours".to_owned())].into();
        let means = std::collections::BTreeMap::new();
        tell.send(Message::Lanes { means, left_out }).await.unwrap();
        Ok(())
    });
    assert_eq!(exit.unwrap(), Exit::Unknown);
    assert_eq!((state(&rechecked), rechecked.exit_code()), (State::Complete, 2));
    let left_out = rechecked.evidence.unwrap().scope.left_out;
    assert_eq!(left_out["two-events"], "the server is not ours");
}

#[test]
fn a_driver_that_forgets_a_scenario_is_at_fault() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, _) = gate(dir.path(), async |_, _, _| Ok(()));
    let failure = exit.unwrap_err();
    assert_eq!(failure.exit, Exit::Fault);
    assert!(failure.message.contains("two-events"), "{failure}");
}
