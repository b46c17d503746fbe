#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::policy::{Policy, RolloutTerms, Stage};

const POLICY: &str = r#"
schema = 1
[rollout]
soak = "30m"
fresh = "10m"
[rollout.slo.lag_ms]
least_samples = 100
hold_above = 200
roll_back_above = 1000
hold_above_percent_of_legacy = 150
[rollout.slo.delivered]
least_samples = 100
hold_below = 0.999
roll_back_below = 0.99
"#;

fn terms() -> RolloutTerms {
    Policy::parse("policy.toml", POLICY).unwrap().rollout.unwrap()
}

fn at(text: &str) -> Moment {
    Moment::parse(&format!("2026-03-01T{text}Z")).unwrap()
}

fn metrics(lag: &str, delivered: &str) -> String {
    format!(r#"{{"lag_ms": {lag}, "delivered": {delivered}}}"#)
}

fn snapshot(metrics: &str) -> String {
    format!(
        r#"{{"schema": "cutover.slo/1", "environment": "prod", "cohort": 1, "build": "b1",
            "from": "2026-03-01T10:10:00Z", "to": "2026-03-01T11:00:00Z", "metrics": {metrics}}}"#
    )
}

const LAG: &str = r#"{"value": 50, "samples": 900, "beside": 60}"#;
const DELIVERED: &str = r#"{"value": 1, "samples": 900}"#;

fn good() -> String {
    snapshot(&metrics(LAG, DELIVERED))
}

fn gate() -> Evidence {
    Evidence {
        place: "reports/gate".to_owned(),
        command: "gate".to_owned(),
        broken: None,
        passed: Some(true),
        decision: "ALLOW".to_owned(),
        digest: "sha256:1".to_owned(),
        build: Some("b1".to_owned()),
        environment: Some("prod".to_owned()),
        started: Some(at("08:00:00")),
    }
}

fn before() -> Previous {
    Previous {
        place: "reports/1".to_owned(),
        broken: None,
        to: Stage::Cohort(1),
        word: Word::Go,
        environment: "prod".to_owned(),
        build: "b1".to_owned(),
        at: at("10:00:00"),
        digest: "sha256:2".to_owned(),
    }
}

fn decided(to: Stage, snapshots: &[String], evidence: Vec<Evidence>, previous: Option<Previous>) -> (Word, String) {
    let terms = terms();
    let snapshots =
        snapshots.iter().enumerate().map(|(nth, text)| (format!("slo-{nth}.json"), Snapshot::parse(text))).collect();
    let at = at("11:05:00");
    let input = Input { terms: &terms, to, environment: "prod", build: "b1", at, snapshots, evidence, previous };
    let found = judge(&input);
    let lines: Vec<String> =
        found.iter().map(|found| format!("{} {}: {} [{}]", found.word, found.name, found.saw, found.mend)).collect();
    (word(&found), lines.join("\n"))
}

/// The decision about the second cohort with this in the place of what is good, and the line that says why.
fn with(snapshot: &str, evidence: Evidence, previous: Option<Previous>) -> (Word, String) {
    let (word, lines) = decided(Stage::Cohort(5), &[snapshot.to_owned()], vec![evidence], previous);
    let worst = lines.lines().find(|line| line.starts_with(word.as_str())).unwrap_or_default().to_owned();
    (word, worst)
}

#[test]
fn a_stage_goes_on_where_everything_is_there_and_good() {
    let (word, lines) = decided(Stage::Cohort(5), &[good()], vec![gate()], Some(before()));
    assert_eq!(word, Word::Go, "{lines}");
    insta::assert_snapshot!(lines, @"
    go gate in reports/gate: it decided ALLOW, 3 h ago []
    go the stage before: 1 % began 65 min ago []
    go slo-0.json: 50 min of the cohort of 1 %, ended 5 min ago []
    go delivered in slo-0.json: 1 of 900 samples []
    go lag_ms in slo-0.json: 50 of 900 samples, and 60 on the legacy lane []
    ");
    assert_eq!(decided(Stage::Cohort(1), &[], vec![gate()], None).0, Word::Go);
}

#[test]
fn nothing_at_all_holds() {
    assert_eq!(word(&[]), Word::Hold);
    for to in [Stage::Cohort(1), Stage::Cohort(5), Stage::Cohort(100), Stage::Retirement] {
        assert_eq!(decided(to, &[], Vec::new(), None).0, Word::Hold, "{to}");
    }
}

#[test]
fn a_number_beyond_a_limit_holds_or_rolls_back() {
    let of = |lag: &str, delivered: &str| with(&snapshot(&metrics(lag, delivered)), gate(), Some(before()));
    let lag = |value: &str| of(&format!(r#"{{"value": {value}, "samples": 900, "beside": 300}}"#), DELIVERED);
    assert_eq!(lag("200").0, Word::Go);
    assert_eq!(
        lag("200.5"),
        (
            Word::Hold,
            "hold lag_ms in slo-0.json: 200.5 is above 200 [look for why, and take another snapshot]".to_owned()
        )
    );
    assert_eq!(lag("1001").0, Word::RollBack);
    assert_eq!(of(LAG, r#"{"value": 0.9989, "samples": 900}"#).0, Word::Hold);
    assert_eq!(of(LAG, r#"{"value": 0.98, "samples": 900}"#).0, Word::RollBack);
    assert_eq!(of(r#"{"value": 91, "samples": 900, "beside": 60}"#, DELIVERED).0, Word::Hold);
    assert_eq!(of(r#"{"value": 90, "samples": 900, "beside": 60}"#, DELIVERED).0, Word::Go);
    // Too few samples say nothing, not even that it is bad.
    assert_eq!(of(r#"{"value": 5000, "samples": 99, "beside": 60}"#, DELIVERED).0, Word::Hold);
}

#[test]
fn what_is_no_number_holds() {
    for lag in ["null", "\"NaN\"", "{}", r#"{"value": null, "samples": 900}"#, r#"{"value": 50}"#, "50"] {
        assert_eq!(with(&snapshot(&metrics(lag, DELIVERED)), gate(), Some(before())).0, Word::Hold, "{lag}");
    }
    let (word, why) = with(&snapshot(&metrics("NaN", DELIVERED)), gate(), Some(before()));
    assert_eq!(word, Word::Hold);
    assert!(why.contains("JSON has no NaN and no Infinity: write null"), "{why}");
    assert_eq!(with(&snapshot("{}"), gate(), Some(before())).0, Word::Hold);
    assert_eq!(with("", gate(), Some(before())).0, Word::Hold);
}

#[test]
fn a_snapshot_of_something_else_holds() {
    let of = |from: &str, to: &str| with(&good().replace(from, to), gate(), Some(before()));
    for (from, to, why) in [
        ("\"prod\"", "\"staging\"", "it is of staging, and not of prod"),
        ("\"cohort\": 1", "\"cohort\": 5", "it is of the cohort of 5 %, and not of 1 %"),
        ("\"b1\"", "\"b2\"", "it is of the build b2, and not of b1"),
        ("T11:00:00Z", "T10:54:00Z", "it ended 11 min ago, and may be 10 min old"),
        ("T11:00:00Z", "T12:00:00Z", "it ends in the future, by 55 min"),
        ("T10:10:00Z", "T10:31:00Z", "it is of 29 min, and must be of 30 min"),
        ("T10:10:00Z", "T09:50:00Z", "it begins before the cohort did"),
        ("T10:10:00Z", "T10:10:00", "is `2026-03-01T10:10:00`, and not a time with an offset"),
        ("cutover.slo/1", "cutover.slo/9", "its schema is `cutover.slo/9`"),
    ] {
        let (word, line) = of(from, to);
        assert_eq!(word, Word::Hold, "{to}: {line}");
        assert!(line.contains(why), "{why}: {line}");
    }
}

#[test]
fn evidence_that_is_missing_old_broken_or_of_something_else_holds() {
    let with = |evidence: Evidence| with(&good(), evidence, Some(before()));
    for (evidence, why) in [
        (Evidence { command: "deploy".to_owned(), ..gate() }, "there is no evidence of `cutover gate`"),
        (Evidence { broken: Some("a digest".to_owned()), ..gate() }, "it does not hold: a digest"),
        (Evidence { passed: None, decision: "UNKNOWN".to_owned(), ..gate() }, "it decided UNKNOWN"),
        (Evidence { build: Some("b2".to_owned()), ..gate() }, "it is of the build b2, and not of b1"),
        (Evidence { build: None, ..gate() }, "it does not say which module it is of"),
        (Evidence { environment: Some("dev".to_owned()), ..gate() }, "it is of dev, and not of prod"),
        (Evidence { environment: None, ..gate() }, "it is of no hosted environment"),
        (Evidence { started: None, ..gate() }, "it does not say when it was started"),
        (Evidence { started: Moment::parse("2026-02-27T08:00:00Z"), ..gate() }, "it is 51 h old, and may be 24 h"),
        (Evidence { started: Some(at("12:00:00")), ..gate() }, "it is from the future"),
    ] {
        let (word, line) = with(evidence);
        assert_eq!(word, Word::Hold, "{why}: {line}");
        assert!(line.contains(why), "{why}: {line}");
    }
}

#[test]
fn a_gate_that_blocks_takes_users_back_where_there_are_any() {
    let blocked = Evidence { passed: Some(false), decision: "BLOCK".to_owned(), ..gate() };
    assert_eq!(with(&good(), blocked.clone(), Some(before())).0, Word::RollBack);
    assert_eq!(decided(Stage::Cohort(1), &[], vec![blocked.clone()], None).0, Word::Hold);
    // A second bundle that is good does not hide it.
    assert_eq!(decided(Stage::Cohort(5), &[good()], vec![gate(), blocked], Some(before())).0, Word::RollBack);
}

#[test]
fn no_stage_can_be_left_out_or_hurried() {
    let after = |previous: Option<Previous>| with(&good(), gate(), previous);
    for (previous, why) in [
        (None, "there is no record of it"),
        (Some(Previous { to: Stage::Cohort(5), ..before() }), "is about 5 %, and before 5 % comes 1 %"),
        (Some(Previous { word: Word::Hold, ..before() }), "decided hold"),
        (Some(Previous { word: Word::RollBack, ..before() }), "decided roll-back"),
        (Some(Previous { environment: "dev".to_owned(), ..before() }), "is of dev"),
        (Some(Previous { build: "b0".to_owned(), ..before() }), "a new build begins with the first cohort"),
        (Some(Previous { broken: Some("its digest".to_owned()), ..before() }), "does not hold: its digest"),
        (Some(Previous { at: at("10:40:00"), ..before() }), "is to be watched for 30 min"),
    ] {
        let (word, line) = after(previous);
        assert_eq!(word, Word::Hold, "{why}: {line}");
        assert!(line.contains(why), "{why}: {line}");
    }
    assert_eq!(with(&good(), gate(), Some(before())).0, Word::Go);
    assert_eq!(decided(Stage::Retirement, &[good()], vec![gate()], Some(before())).0, Word::Hold);
}

#[test]
fn moments_have_an_offset() {
    let noon = Moment::parse("2026-03-01T12:00:00Z").unwrap();
    assert_eq!(Moment::parse("2026-03-01T14:00:00.5+02:00"), Some(noon));
    assert_eq!(noon.since(Moment::parse("1970-01-01T00:00:00Z").unwrap()), 1_772_366_400);
    for text in ["2026-03-01T12:00:00", "2026-03-01", "noon", ""] {
        assert_eq!(Moment::parse(text), None, "{text}");
    }
}

#[test]
fn mistakes_of_a_policy_are_told_with_their_places() {
    let text = "schema = 1\n[rollout]\ncohorts = [5, 1]\nsoak = \"soon\"\nneeds = [\"hope\"]\n[rollout.slo.a]\n\
                least_samples = 0\nhold_above = 3\nroll_back_above = 2\n[rollout.slo.b]\nhold_above = \"NaN\"\n";
    let found = Policy::parse("policy.toml", text).unwrap_err().to_string();
    insta::assert_snapshot!(found);
    let none = Policy::parse("policy.toml", "schema = 1\n[rollout]\n[rollout.slo]\n").unwrap_err().to_string();
    assert!(none.contains("`rollout.slo` has no metric"), "{none}");
}

proptest! {
    /// Whatever is taken away from what is good, or made another text, it is never *go*.
    #[test]
    fn a_snapshot_that_lost_something_is_never_go(nth in 0..8_usize, to in "[a-zA-Z0-9 :.{}\\[\\]\"-]{0,12}") {
        let keys = ["schema", "environment", "cohort", "build", "from", "to", "metrics", "value"];
        let lost = good().replacen(&format!("\"{}\"", keys[nth]), &format!("\"x{}\"", to.replace('"', "")), 1);
        prop_assert_eq!(with(&lost, gate(), Some(before())).0, Word::Hold);
    }
}
