//! What a policy file says, and what is refused in one.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::check::tests::finding;

fn read(text: &str) -> Policy {
    Policy::parse("policy.toml", &format!("schema = 1\n{text}")).unwrap()
}

fn mistakes(text: &str) -> String {
    Policy::parse("policy.toml", text).unwrap_err().to_string()
}

#[test]
fn the_default_policy_asks_for_what_the_lanes_can_show_and_lets_nothing_pass() {
    let terms = Policy::parse("policy.toml", DEFAULT).unwrap().terms(None, false, "2026-11-26").unwrap();
    assert_eq!(terms, Terms { digest: terms.digest.clone(), ..Terms::default() });
    assert!(!terms.is_none());
    assert_eq!(terms.required_in_full(), [""; 0]);
}

#[test]
fn the_default_policy_has_the_five_phases_of_a_cutover() {
    let policy = Policy::parse("policy.toml", DEFAULT).unwrap();
    let phases = policy.phases().into_iter().map(|phase| {
        let terms = policy.terms(Some(phase), false, "").unwrap();
        let alone = terms.candidate_alone.join(", ");
        let baseline = if terms.baseline { "; against baselines" } else { "" };
        format!("{phase}: {} rows; candidate alone: {alone}{baseline}\n", terms.required_in_full().len())
    });
    insta::assert_snapshot!(phases.collect::<String>(), @r"
    1: 2 rows; candidate alone: 
    2: 4 rows; candidate alone: 
    3: 5 rows; candidate alone: multi-device
    4: 7 rows; candidate alone: multi-device
    5: 16 rows; candidate alone: ; against baselines
    ");
}

#[test]
fn a_phase_that_a_policy_does_not_have_gives_no_terms() {
    assert_eq!(read("[phase.2]\nrows = \"all\"").terms(Some(3), false, ""), None);
}

#[test]
fn every_row_can_be_asked_for_whatever_the_policy_says() {
    let policy = read("[phase.1]\nrows = []\n[warn]\nrows = [\"multi-device\"]");
    let terms = policy.terms(Some(1), true, "").unwrap();
    assert_eq!(terms.required_in_full().len(), ROWS.len());
    assert!(!terms.warns_of_row("multi-device"));
}

#[test]
fn a_row_that_warns_is_no_row_of_all() {
    let terms = read("rows = \"all\"\n[warn]\nrows = [\"multi-device\"]").terms(None, false, "").unwrap();
    assert_eq!(terms.required_in_full().len(), ROWS.len() - 1);
}

#[test]
fn a_finding_warns_by_its_checker_or_its_reason_and_a_panic_never() {
    let by = |name: &str| read(&format!("[warn]\nfindings = [\"{name}\"]")).terms(None, false, "").unwrap();
    let skipped = finding("gap", "skipped");
    assert!(by("gap").warns_of(&skipped));
    assert!(by("gap/skipped").warns_of(&skipped));
    assert!(!by("lost-write").warns_of(&skipped));
    assert!(!by("gap").warns_of(&finding("gap", "checker-panicked")));
}

#[test]
fn all_mistakes_are_reported_at_once_with_their_places() {
    let text = r#"
schema = 2
mode = "lenient"
rows = "most"
colour = "red"

[phase.1]
rows = ["multi-device", "no-such-row"]
candidate_alone = ["authorization"]
baseline = "yes"
[phase.6]
rows = []
[phase.2]

[warn]
rows = ["multi-device"]
findings = ["gap/skiped", "history", "gap/checker-panicked", "vacuity/timed-out"]

[[normalise]]
pointer = ""
reason = "none"
owner = " "
expires = "2027-01-01"
[[normalise]]
pointer = "meta/~2"
reason = "none"
owner = "me"
expires = 2027-01-01T00:00:00Z
"#;
    let found = mistakes(text);
    // Lists of all rows and checkers grow.
    let found: Vec<&str> = found.lines().filter(|line| !line.contains("known are: ")).collect();
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn what_can_be_read_of_a_broken_file_is_checked_too() {
    let found = mistakes("schema = 1\nrows = = 3\nmode = \"lenient\"\n");
    assert!(found.contains("policy.toml:2:8: this is no TOML"), "{found}");
    assert!(found.contains("policy.toml:3:8: unknown mode `lenient`"), "{found}");
}

#[test]
fn terms_are_read_as_they_are_written() {
    let text = "mode = \"advisory\"\nrows = [\"multi-device\"]\n[warn]\nfindings = [\"gap\"]\n[[normalise]]\n\
                pointer = \"/a\"\nreason = \"clock\"\nowner = \"me\"\nexpires = 2027-01-01";
    let terms = read(text).terms(None, false, "2026-11-26").unwrap();
    let again: Terms = serde_json::from_str(&serde_json::to_string(&terms).unwrap()).unwrap();
    assert_eq!(again, terms);
    assert_eq!((terms.day.as_str(), terms.normalise[0].is_expired("2027-01-01")), ("2026-11-26", false));
    assert!(terms.normalise[0].is_expired("2027-01-02"));
}
