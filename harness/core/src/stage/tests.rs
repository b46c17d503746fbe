#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn tool() -> Tool {
    Tool { name: "cutover".to_owned(), version: "1.0.0".to_owned(), built_from: None }
}

fn record(checks: Vec<Check>) -> StageRecord {
    let mut record = StageRecord::begin("provision-check", "dev", "2026-02-25T19:00:00Z".to_owned(), tool());
    record.checks = checks;
    record.fact("rounds", 3);
    record.files.insert("schema.json".to_owned(), FileEntry::of(b"{}"));
    record.seal();
    record
}

fn checked(bytes: &[u8]) -> Vec<String> {
    let record: StageRecord = serde_json::from_slice(bytes).unwrap();
    recheck(bytes, &|_| Ok(b"{}".to_vec()), &|_, _| Some(record.checks.clone())).unwrap().problems
}

#[test]
fn a_failed_check_beats_an_unknown_one_and_that_a_passed_one() {
    let (passed, failed) = (Check::passed("a", "there"), Check::failed("b", "gone", "start it"));
    let (unknown, skipped) = (Check::unknown("c", "no answer", ""), Check::skipped("d", "not asked", ""));
    let of = |checks: &[&Check]| Decision::of(&checks.iter().map(|check| (*check).clone()).collect::<Vec<_>>());
    assert_eq!(of(&[&passed, &skipped]), Decision::Passed);
    assert_eq!(of(&[&passed, &unknown]), Decision::Unknown);
    assert_eq!(of(&[&unknown, &failed, &passed]), Decision::Failed);
}

#[test]
fn what_checked_nothing_or_skips_without_a_reason_is_unknown() {
    assert_eq!(Decision::of(&[]), Decision::Unknown);
    assert_eq!(Decision::of(&[Check::skipped("a", "not asked", "")]), Decision::Unknown);
    assert_eq!(Decision::of(&[Check::passed("a", ""), Check::skipped("b", " ", "")]), Decision::Unknown);
}

#[test]
fn a_sealed_record_holds_and_no_edited_one_does() {
    let record = record(vec![Check::passed("dns", "127.0.0.1"), Check::failed("tls", "expired", "renew it")]);
    let text = String::from_utf8(record.to_bytes()).unwrap();
    assert_eq!(checked(text.as_bytes()), Vec::<String>::new());
    for (from, to) in [("expired", "valid"), ("\"rounds\": 3", "\"rounds\": 4"), ("19:00", "19:01"), ("dns", "DNS")] {
        let problems = checked(text.replace(from, to).as_bytes());
        assert!(problems.iter().any(|problem| problem.contains("edited")), "{from}: {problems:?}");
    }
    let spaced = checked(text.replace("\"rounds\": 3", "\"rounds\":  3").as_bytes());
    assert_eq!(spaced, ["stage.json: it is not as this tool writes it"]);
}

#[test]
fn a_decision_that_does_not_follow_from_the_checks_does_not_hold_though_the_digest_is_right() {
    let mut record = record(vec![Check::failed("tls", "expired", "renew it")]);
    record.decision = Decision::Passed;
    record.digest = record.own_digest();
    assert_eq!(checked(&record.to_bytes()), ["stage.json: the decision is PASSED, and its checks give FAILED"]);
}

#[test]
fn checks_that_do_not_follow_from_the_facts_do_not_hold() {
    let record = record(vec![Check::passed("rounds", "3 of 3")]);
    let derive = |_: &str, facts: &Facts| Some(vec![Check::failed("rounds", format!("{} of 4", facts["rounds"]), "")]);
    let problems = recheck(&record.to_bytes(), &|_| Ok(b"{}".to_vec()), &derive).unwrap().problems;
    let given = "stage.json: the facts give that `rounds` failed: 3 of 4";
    assert_eq!(problems, [given, "stage.json: the facts do not give that `rounds` passed: 3 of 3"]);
    let unknown = recheck(&record.to_bytes(), &|_| Ok(b"{}".to_vec()), &|_, _| None).unwrap().problems;
    assert_eq!(unknown, ["stage.json: `provision-check` is no command of this version"]);
}

#[test]
fn a_file_that_is_gone_or_another_does_not_hold() {
    let bytes = record(vec![Check::passed("a", "b")]).to_bytes();
    let same = |_: &str, _: &Facts| Some(vec![Check::passed("a", "b")]);
    let other = recheck(&bytes, &|_| Ok(b"[]".to_vec()), &same).unwrap().problems;
    assert_eq!(other, ["schema.json: it is not the file that was recorded"]);
    let gone = recheck(&bytes, &|_| Err("it is not there".to_owned()), &same).unwrap().problems;
    assert_eq!(gone, ["schema.json: it is not there"]);
}

#[test]
fn a_record_of_another_schema_is_told() {
    let text = String::from_utf8(record(vec![]).to_bytes()).unwrap().replace("cutover.stage/1", "cutover.stage/9");
    let error = recheck(text.as_bytes(), &|_| Ok(Vec::new()), &|_, _| None).unwrap_err().to_string();
    assert!(error.contains("cutover.stage/9") && error.contains("cutover.stage/1"), "{error}");
    assert!(recheck(b"{", &|_| Ok(Vec::new()), &|_, _| None).is_err());
}

#[test]
fn a_record_is_printed_for_people() {
    let checks = vec![
        Check::passed("dns", "staging.example.com is 192.0.2.1, 192.0.2.2"),
        Check::skipped("issuer", "no issuer is expected", "set OA_SPACETIME_STAGING_TOKEN_ISSUER to have it compared"),
        Check::unknown("clock", "the answer has no Date header", "ask the server's operator for its clock"),
        Check::failed(
            "tls",
            "the certificate of staging.example.com:443 has expired, by this machine's clock",
            "renew the certificate, or set this machine's clock right",
        ),
    ];
    insta::assert_snapshot!(text(&record(checks), 80));
}

proptest! {
    #[test]
    fn any_record_is_read_as_it_was_written(name in ".*", saw in ".*", number: u64) {
        let mut record = record(vec![Check::new(&name, Outcome::Passed, saw)]);
        record.fact(&name, number);
        record.seal();
        prop_assert_eq!(checked(&record.to_bytes()), Vec::<String>::new());
    }
}
