//! Every scenario that a search found is a test: with the planted defect that it names, it gives its finding; without
//! a defect, it gives none. Scenarios whose defect is one of the module need the built-in candidate.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};

use cutover_core::evidence::{Evidence, ScenarioOutcome};
use cutover_core::ids::LaneId;
use cutover_core::scenario::{Found, Scenario};
use support::*;

/// So often a finding is looked for: what came in two of three runs may not come in one.
const TRIES: usize = 5;

fn found() -> Vec<(PathBuf, String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/found");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let scenario = Scenario::parse(path.to_str().unwrap(), &text).unwrap_or_else(|errors| panic!("{errors}"));
        (path, text, scenario)
    };
    files.into_iter().map(read).collect()
}

/// The same scenario as a known-bad one, which plants the defects.
fn planted(text: &str, found: &Found) -> String {
    let lane = found.lane.unwrap();
    let expect = format!("expect = {{ decision = \"block\", findings = [\"{}\"], lane = \"{lane}\" }}", found.checker);
    let list = |key: &str, names: &[String]| match names {
        [] => String::new(),
        names => format!("{key} = {names:?}\n"),
    };
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("found = ")).collect();
    let defects = list("legacy_defects", &found.legacy_defects) + &list("candidate_defects", &found.candidate_defects);
    format!("{}\n{defects}{expect}\n", kept.join("\n"))
}

/// Runs one scenario file of a folder. The legacy lane runs against itself where there is no built-in candidate: only
/// one of the two then has the defects.
fn judged(dir: &Path, name: &str, scenarios: &Path) -> Evidence {
    let mut args = vec!["--scenarios", scenarios.to_str().unwrap()];
    if cfg!(not(feature = "engine")) {
        args.extend(["--aa", "legacy"]);
    }
    let ran = gate(dir, name, &args);
    assert!(ran.code < 3, "{}{}", ran.out, ran.err);
    evidence(dir, name)
}

fn gives(evidence: &Evidence, found: &Found) -> bool {
    let principal = evidence.judged.scenarios.iter().flat_map(|scenario| scenario.principal());
    let mut findings = principal.map(|it| &it.finding);
    findings.any(|finding| {
        let is_same = (finding.checker, finding.reason.word) == (found.checker.as_str(), found.reason.as_str());
        is_same && finding.lane == found.lane
    })
}

#[test]
fn each_found_scenario_gives_its_finding_where_its_defect_is_planted() {
    for (path, text, scenario) in found() {
        let found = scenario.found.as_ref().unwrap_or_else(|| panic!("{} has no `found`", path.display()));
        if cfg!(not(feature = "engine")) && (found.lane != Some(LaneId::Legacy) || !found.candidate_defects.is_empty())
        {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let file = format!("bad/known-bad/{}.toml", scenario.name);
        write(dir.path(), &file, &planted(&text, found));
        let came = (0..TRIES).any(|nth| gives(&judged(dir.path(), &nth.to_string(), &dir.path().join("bad")), found));
        assert!(came, "{} did not give {} {} in {TRIES} runs", path.display(), found.checker, found.reason);
    }
}

#[test]
fn each_found_scenario_passes_without_its_defect() {
    let dir = tempfile::tempdir().unwrap();
    let mut any = false;
    for (path, text, _) in found() {
        any = true;
        write(dir.path(), &format!("honest/{}", path.file_name().unwrap().to_str().unwrap()), &text);
    }
    if any {
        let evidence = judged(dir.path(), "out", &dir.path().join("honest"));
        for scenario in &evidence.judged.scenarios {
            assert_eq!(scenario.outcome, ScenarioOutcome::Passed, "{}: {:#?}", scenario.name, scenario.findings);
        }
    }
}
