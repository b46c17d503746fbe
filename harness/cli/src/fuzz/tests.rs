#![allow(clippy::unwrap_used)]

use std::time::Duration;

use cutover_core::draw::Coverage;
use cutover_core::evidence::ScenarioOutcome;
use cutover_core::ids::LaneId;
use cutover_core::shrink::Wanted;

use super::report::FoundOne;
use super::trial::Rate;
use super::*;

fn summary() -> Summary {
    let wanted = Wanted { lane: Some(LaneId::Legacy), checker: "gap", reason: "not-live" };
    let mut found = FoundOne::new(wanted, Verdict::Invalid, 23);
    found.scenarios = 4;
    found.rate = Rate { came: 3, of: 3 };
    found.shrunk = Some((3, 57, Duration::from_secs(71)));
    found.evidence = Some("reports/fuzz-20260225T101010Z-42/drawn-17".into());
    found.saved = Some("scenarios/found/gap-not-live-legacy.toml".into());
    let flaky = Wanted { lane: Some(LaneId::Candidate), checker: "vacuity", reason: "fault-never-fired" };
    let mut flaky = FoundOne::new(flaky, Verdict::Unknown, 12);
    flaky.rate = Rate { came: 3, of: 10 };
    flaky.text = Some("schema = 1\nname = \"vacuity\"\n".to_owned());
    let mut covered = Coverage::default();
    covered.note_text("steps = [{ do = \"connect\" }, { do = \"publish\", count = 200 }]\n");
    covered.note_text("steps = [{ do = \"connect\" }]\nfaults = [{ do = \"cut\", at = { resume = 1 } }]\n");
    Summary {
        took: Duration::from_secs(605),
        draws: 100,
        driven: 98,
        outcomes: [(ScenarioOutcome::Passed, 93), (ScenarioOutcome::Failed, 4), (ScenarioOutcome::Unknown, 1)].into(),
        found: vec![found, flaky],
        covered,
        failure: None,
    }
}

#[test]
fn the_report_reads_at_80_columns() {
    let text = report(&summary(), 80);
    let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_finding_is_steady_where_two_of_three_runs_give_it() {
    for (came, of, steady) in [(3, 3, true), (2, 3, true), (1, 3, false), (6, 10, false), (7, 10, true)] {
        assert_eq!(Rate { came, of }.is_steady(), steady, "{came} of {of}");
    }
}

#[test]
fn a_file_that_is_there_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let save = dir.path().join("found");
    let places = Places { evidence: dir.path().join("out"), save: Some(save.clone()) };
    assert_eq!(places.free_name("gap"), "gap");
    places.save("gap", "one").unwrap();
    assert_eq!(places.free_name("gap"), "gap-2");
    assert_eq!(std::fs::read_to_string(save.join("gap.toml")).unwrap(), "one");
}
