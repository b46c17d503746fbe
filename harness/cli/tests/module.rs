//! Modules that are not this project's, through the built binary: the gate over them, and the commands that make and
//! check a profile.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "engine")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cutover_core::evidence::ScenarioOutcome;
use support::*;

fn at(path: &str) -> String {
    text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path))
}

struct Other {
    profile: String,
    wasm: String,
}

fn append_only() -> Other {
    let wasm = at("spacetime/fixtures/append-only/cutover_fixture.wasm");
    Other { profile: at("lanes/append-only.example.toml"), wasm }
}

fn renamed() -> Other {
    let wasm = at("spacetime/fixtures/renamed/cutover_fixture.wasm");
    Other { profile: at("spacetime/fixtures/renamed/lane.toml"), wasm }
}

fn driven(dir: &Path, name: &str, other: &Other, scenarios: &[&str]) -> Ran {
    let mut args = vec!["--candidate", &other.profile, "--module", &other.wasm];
    scenarios.iter().for_each(|scenario| args.extend(["--scenario", scenario]));
    gate(dir, name, &args)
}

/// The checkers and reasons of the findings that block, by scenario.
fn found(dir: &Path, name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let scenarios = evidence(dir, name).judged.scenarios.into_iter();
    let blocked =
        scenarios.filter(|scenario| !matches!(scenario.outcome, ScenarioOutcome::Passed | ScenarioOutcome::Caught));
    let reasons = blocked.map(|scenario| {
        let findings = scenario.findings.iter().filter(|finding| finding.consequence_of.is_none());
        let named = findings.map(|finding| format!("{}/{}", finding.checker, finding.reason));
        (scenario.name.clone(), named.collect())
    });
    reasons.collect()
}
