//! The gate over a SpacetimeDB 2 server, which is none of this project. `CUTOVER_SPACETIMEDB_BIN` names its binary.
//! Where it does not, these tests are ignored, and nextest counts them as skipped.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use cutover_core::evidence::ScenarioOutcome;
use cutover_core::history::{Closed, Record, file};
use cutover_core::ids::LaneId;
use libtest_mimic::{Arguments, Trial};
use support::{Ran, evidence, gate, rechecked, run, text, write};

const NAMES_IT: &str = "CUTOVER_SPACETIMEDB_BIN";

/// The binary. A test without one does not run.
static BINARY: OnceLock<String> = OnceLock::new();

/// What shows most of a server: replay, loss of connections and servers, stale cursors, keys, and the module itself.
const KEY: [&str; 12] = [
    "awkward-payloads",
    "checkpoints-kept",
    "clients-counted",
    "future-cursor",
    "key-conflict",
    "pruned-by-hand",
    "reducers-called",
    "resume-after-cut",
    "server-paused",
    "servers-killed",
    "stale-below-floor",
    "tokens",
];

const KNOWN_BAD: [&str; 5] = [
    "candidate-drops-event",
    "candidate-misdelivers",
    "module-forgets-pruned-keys",
    "module-loses-after-restart",
    "module-shares-keys",
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let binary = std::env::var(NAMES_IT).ok().filter(|path| !path.is_empty());
    let ignored = binary.is_none();
    if let Some(binary) = binary {
        // A test runs in the folder of its package.
        let path = std::path::absolute(&binary).unwrap();
        BINARY.set(text(&path)).unwrap();
    }
    let trials = vec![
        trial("the server named is of version 2 or newer", is_of_version_2),
        trial("key scenarios pass and planted defects are caught", key_scenarios),
        trial("v3 is spoken where only that is offered", || speaks("v3.bsatn.spacetimedb")),
        trial("v2 is spoken where only that is offered", || speaks("v2.bsatn.spacetimedb")),
        trial("v1 is spoken where only that is offered", || speaks("v1.bsatn.spacetimedb")),
        trial("an event that was read as confirmed survives a kill at once", confirmed),
        trial("an event that was read as confirmed survives forty kills", || on_request("killed-many-times")),
        trial("reads that are passed off as confirmed are caught", || on_request("unconfirmed-passed-off")),
        trial("an additive update of the module is not noticed", additive),
        trial("a breaking update closes all clients and loses nothing", breaking),
        trial("updates that lose events are caught", bad_updates),
    ];
    let trials = trials.into_iter().map(|trial| trial.with_ignored_flag(ignored)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

fn binary() -> &'static str {
    BINARY.get().unwrap()
}

/// A run of these scenarios alone.
fn driven(dir: &Path, scenarios: &[&str], more: &[&str]) -> Ran {
    let mut args = vec!["--candidate-bin", binary(), "--drawn", "0"];
    scenarios.iter().for_each(|scenario| args.extend(["--scenario", scenario]));
    args.extend(more);
    gate(dir, "out", &args)
}

/// Every scenario of the run was driven, and passed or was caught.
fn all_well(dir: &Path, ran: &Ran, scenarios: &[&str]) {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let evidence = evidence(dir, "out");
    assert!(evidence.scope.left_out.is_empty(), "{:?}", evidence.scope.left_out);
    let judged = evidence.judged.scenarios.iter();
    let well = judged.filter(|one| matches!(one.outcome, ScenarioOutcome::Passed | ScenarioOutcome::Caught));
    assert_eq!(well.count(), scenarios.len());
    assert_eq!(rechecked(dir, "out"), 0);
}

/// What the candidate's clients saw in a scenario.
fn records(dir: &Path, scenario: &str) -> Vec<Record> {
    let path = dir.join("out/histories").join(format!("{scenario}.candidate.jsonl"));
    file::read(&std::fs::read(path).unwrap()).unwrap().records
}

fn profile(dir: &Path, more: &str) -> String {
    text(&write(dir, "candidate.toml", &format!("kind = \"spacetime\"\n{more}\n")))
}

fn is_of_version_2() {
    let dir = tempfile::tempdir().unwrap();
    let ran = driven(dir.path(), &["equal-streams"], &[]);
    all_well(dir.path(), &ran, &["equal-streams"]);
    let version = evidence(dir.path(), "out").lanes[&LaneId::Candidate].version.clone().unwrap();
    let major = version.strip_prefix("SpacetimeDB ").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    assert!(major.is_some_and(|major| major >= 2), "{NAMES_IT} names {version}");
}

fn key_scenarios() {
    let dir = tempfile::tempdir().unwrap();
    let scenarios = [&KEY[..], &KNOWN_BAD].concat();
    let ran = driven(dir.path(), &scenarios, &[]);
    all_well(dir.path(), &ran, &scenarios);
}

fn speaks(protocol: &str) {
    let dir = tempfile::tempdir().unwrap();
    let profile = profile(dir.path(), &format!("subprotocols = [\"{protocol}\"]"));
    let scenarios = ["resume-after-cut", "stale-several", "candidate-drops-event"];
    let ran = driven(dir.path(), &scenarios, &["--candidate", &profile]);
    all_well(dir.path(), &ran, &scenarios);
    let spoken = evidence(dir.path(), "out").lanes[&LaneId::Candidate].spoken.clone();
    assert!(!spoken.is_empty() && spoken.iter().all(|said| said.starts_with(protocol)), "{spoken:?}");
}

fn confirmed() {
    let dir = tempfile::tempdir().unwrap();
    let profile = profile(dir.path(), "confirmed = true");
    let ran = driven(dir.path(), &["killed-at-once"], &["--candidate", &profile]);
    all_well(dir.path(), &ran, &["killed-at-once"]);
    let shown = ran.out.lines().find(|line| line.trim_start().starts_with("durability-gated-delivery"));
    assert!(shown.is_some_and(|line| line.contains("1/1")), "{}", ran.out);
}

fn on_request(scenario: &str) {
    let dir = tempfile::tempdir().unwrap();
    let profile = profile(dir.path(), "confirmed = true");
    let folder = text(&repo().join("scenarios/on-request"));
    let ran = driven(dir.path(), &[scenario], &["--candidate", &profile, "--also", &folder]);
    all_well(dir.path(), &ran, &[scenario]);
}

fn repo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// How the connections of a scenario's clients ended before they left.
fn ends(dir: &Path, scenario: &str) -> Vec<Closed> {
    let ended = records(dir, scenario).into_iter().filter_map(|record| match record {
        Record::Closed { why, .. } if !matches!(why, Closed::ByClient) => Some(why),
        _ => None,
    });
    ended.collect()
}

fn additive() {
    let dir = tempfile::tempdir().unwrap();
    let ran = driven(dir.path(), &["module-updated"], &[]);
    all_well(dir.path(), &ran, &["module-updated"]);
    assert_eq!(ends(dir.path(), "module-updated"), []);
}

fn breaking() {
    let dir = tempfile::tempdir().unwrap();
    let ran = driven(dir.path(), &["module-updated-breaking"], &[]);
    all_well(dir.path(), &ran, &["module-updated-breaking"]);
    let ends = ends(dir.path(), "module-updated-breaking");
    assert!(ends.len() >= 6, "three clients, two breaking updates: {ends:?}");
}

fn bad_updates() {
    let dir = tempfile::tempdir().unwrap();
    let scenarios = ["update-loses-event", "update-forgets-keys", "update-not-live"];
    let ran = driven(dir.path(), &scenarios, &[]);
    all_well(dir.path(), &ran, &scenarios);
    assert_eq!(run(&["matrix", &text(&dir.path().join("out"))]).code, 0);
}
