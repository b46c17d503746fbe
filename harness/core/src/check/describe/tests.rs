use crate::check::Finding;
use crate::check::tests::finding;
use crate::ids::LaneId;

fn at_desk(checker: &str, reason: &str) -> Finding {
    finding(checker, reason).on(LaneId::Legacy).at_client("desk").in_stream("a").of_event(5)
}

#[test]
fn a_summary_fits_every_finding_of_its_reason() {
    assert_eq!(at_desk("gap", "skipped").summary(), "the legacy lane skipped events on their way to a client");
}

#[test]
fn a_reason_that_is_no_deed_of_the_lane_is_summed_up_by_its_own_sentence() {
    let says = at_desk("stale-cursor", "no-rebootstrap").summary();
    assert_eq!(says, "on the legacy lane client desk was refused on a and did not bootstrap again");
}

#[test]
fn values_that_look_alike_are_shown_with_their_code_points() {
    let found = at_desk("hash-mismatch", "not-what-was-published").expected("\"caf\u{e9}\"", "\"cafe\u{301}\"");
    let says = found.describe();
    assert!(says.ends_with("they differ at character 5: U+00E9 and U+0065 U+0301)"), "{says}");
}

#[test]
fn several_events_take_a_plural_verb() {
    let says = at_desk("lost-write", "never-delivered").of_events(1, 5).describe();
    assert!(says.contains("events 1 to 5 of a were acknowledged"), "{says}");
}
