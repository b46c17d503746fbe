//! Divergences of two vectors: all found, the first told down to the value, and shown as it should be.

use cutover_core::hash::VectorError;
use cutover_core::hash::diff::{Counts, DiffReport, diff_named};
use cutover_core::hash::vector::{Entry, HashVector};
use proptest::prelude::*;

use crate::vector::{vector, vectors, write};

fn diff(a: &HashVector, b: &HashVector) -> DiffReport {
    diff_files(&write(a), &write(b)).unwrap()
}

fn diff_files(a: &str, b: &str) -> Result<DiffReport, VectorError> {
    diff_named("A", a.as_bytes(), "B", b.as_bytes())
}

#[derive(Debug, Clone, Copy)]
enum Plant {
    Keep,
    DropFromA,
    DropFromB,
    ChangeInB,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_vector_does_not_differ_from_itself(vector in vectors()) {
        let report = diff(&vector, &vector);
        prop_assert!(report.is_equal());
        prop_assert_eq!(report.equal, vector.len() as u64);
        prop_assert_eq!(report.first, None);
    }

    #[test]
    fn exactly_what_was_planted_is_found(
        whole in vectors(),
        plants in prop::collection::vec(prop::sample::select(vec![
            Plant::Keep, Plant::Keep, Plant::DropFromA, Plant::DropFromB, Plant::ChangeInB,
        ]), 40),
    ) {
        let (mut a, mut b) = (HashVector::new(), HashVector::new());
        let mut expected = Counts::default();
        let mut first = None;
        for ((stream, client, seq, entry), plant) in whole.iter().zip(plants) {
            let changed = Entry::with_canonical("[\"planted\"]");
            let (in_a, in_b) = match plant {
                Plant::Keep => (Some(entry), Some(entry)),
                Plant::DropFromA => { expected.missing_in_a += 1; (None, Some(entry)) }
                Plant::DropFromB => { expected.missing_in_b += 1; (Some(entry), None) }
                Plant::ChangeInB => { expected.hash_mismatch += 1; (Some(entry), Some(&changed)) }
            };
            if !matches!(plant, Plant::Keep) {
                first.get_or_insert((stream.clone(), client.clone(), seq));
            }
            if let Some(entry) = in_a { a.insert(stream, client, seq, entry.clone()); }
            if let Some(entry) = in_b { b.insert(stream, client, seq, entry.clone()); }
        }
        let report = diff(&a, &b);
        prop_assert_eq!(report.differing, expected);
        prop_assert_eq!(report.streams.iter().map(|stream| stream.differing.total()).sum::<u64>(), expected.total());
        prop_assert_eq!(report.first.map(|first| (first.stream, first.client, first.seq)), first);
    }
}

fn shown(a: &str, b: &str) -> String {
    diff(&vector(a), &vector(b)).to_string()
}

#[test]
fn vectors_that_are_equal_say_so() {
    insta::assert_snapshot!(shown("s/c/1 {}", "s/c/1 {}"), @"equal: 1 event in A, the same in B");
}

#[test]
fn a_payload_that_differs_is_told_down_to_the_value() {
    insta::assert_snapshot!(shown(
        r#"
        run:alpha:events/device-1/1 {"kind":"start"}
        run:alpha:events/device-1/2 {"kind":"delta","text":"na\u001bïve","tokens":[1,2]}
        run:alpha:events/device-2/2 {"kind":"delta"}
        run:beta:events/device-1/7 {}"#,
        r#"
        run:alpha:events/device-1/1 {"kind":"start"}
        run:alpha:events/device-1/2 {"kind":"delta","text":"na\u001bïve","tokens":[1,3]}
        run:alpha:events/device-2/2 {"kind":"Delta"}
        run:beta:events/device-1/8 {}"#,
    ));
}

#[test]
fn an_event_that_one_lacks_is_told_with_the_hash_of_the_other() {
    insta::assert_snapshot!(shown("s/c/1 {}\n s/c/2 {}", "s/c/1 {}\n s/c/2 {}\n s/b/1 []"));
}

#[test]
fn a_member_that_one_lacks_is_absent_there() {
    insta::assert_snapshot!(shown(r#"s/c/1 {"a":{"b~":1}}"#, r#"s/c/1 {"a":{}}"#));
}

#[test]
fn without_payloads_only_hashes_are_told() {
    let a = write(&vector("s/c/1 {}"));
    let hash = |payload: &str| Entry::with_canonical(payload).hash.to_string();
    let b = a.replace(",\"payload\":{}", "").replace(&hash("{}"), &hash("[]"));
    insta::assert_snapshot!(diff_named("legacy", a.as_bytes(), "candidate", b.as_bytes()).unwrap().to_string());
}

#[test]
fn a_payload_that_was_edited_beside_its_hash_is_found() {
    let a = write(&vector("s/c/1 {\"n\":1}"));
    let b = a.replace("\"n\":1", "\"n\" : 2");
    insta::assert_snapshot!(diff_files(&a, &b).unwrap().to_string());
    let respelled = a.replace("\"n\":1", "\"n\" : 1.0");
    assert!(diff_files(&a, &respelled).unwrap().is_equal());
}

#[test]
fn a_bad_line_is_an_error_wherever_it_is() {
    let a = write(&vector("s/c/1 {}\n s/c/2 {}\n s/c/3 {}"));
    let b = a.replace("\"seq\":3", "\"seq\":\"3\"");
    let error = diff_files(&a, &b).unwrap_err().to_string();
    assert!(error.starts_with("B, line 4: column 36: invalid type: string \"3\", expected u64; "), "{error}");
    let error = diff_files(a.lines().next().unwrap(), &b).unwrap_err().to_string();
    assert!(error.starts_with("A, line 1: the file ends after 0 of 3 entries; "), "{error}");
}
