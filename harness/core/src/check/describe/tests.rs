use crate::check::{Finding, Verdict};
use crate::ids::LaneId;

fn finding(reason: &str) -> Finding {
    Finding::new("gap", Verdict::Invalid, reason).on(LaneId::Legacy).at_client("desk").in_stream("a").of_event(5)
}

#[test]
fn a_summary_fits_every_finding_of_its_reason() {
    assert_eq!(finding("skipped").summary(), "the legacy lane skipped events on their way to a client");
}

#[test]
fn a_reason_without_words_is_told_by_its_own_sentence() {
    assert_eq!(finding("some-new-reason").summary(), "on the legacy lane some-new-reason: event 5 of a");
}

#[test]
fn values_that_look_alike_are_told_with_their_code_points() {
    let told = finding("not-what-was-published").expected("\"caf\u{e9}\"", "\"cafe\u{301}\"");
    let says = told.describe();
    assert!(says.ends_with("they differ at character 5: U+00E9 and U+0065 U+0301)"), "{says}");
}

#[test]
fn several_events_take_a_plural_verb() {
    let says = finding("never-delivered").of_events(1, 5).describe();
    assert!(says.contains("events 1 to 5 of a were acknowledged"), "{says}");
}
