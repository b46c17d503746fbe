//! Who is owed what: clients that could not be reached, and connections that ended without anything planned.

use super::{check, clean, explained, principal, reports, short};
use crate::check::tests::notation::World;
use crate::history::{Record, Spoken};

const PASSED: &str = "pub a1..3; candidate: c1 sub a; candidate: c1 a1..3; legacy: c1 ask a";

#[test]
fn a_client_that_could_not_keep_a_connection_is_the_one_finding_and_accounts_for_its_losses() {
    let text = format!(
        "{PASSED}; legacy: c1 a1; legacy: c1 ends 4001; legacy: c1 no-door; legacy: c1 no-door; legacy: timeout"
    );
    let found = explained(&text);
    assert_eq!(found.principal.iter().map(short).collect::<Vec<_>>(), ["legacy unreached/no-connection c1"]);
    assert_eq!(
        found.principal[0].describe(),
        "legacy: client c1 could not keep a connection: 2 times not opened (HTTP 503), once closed with 4001"
    );
    let consequences: Vec<_> = found.consequences.iter().map(|it| short(&it.finding)).collect();
    assert!(consequences.contains(&"legacy lost-write/never-delivered c1 a2..3".to_owned()), "{consequences:?}");
    assert_eq!(super::worst(&found), crate::check::Verdict::Unknown);
}

#[test]
fn a_client_that_is_connected_again_is_owed_all() {
    principal(
        &format!("{PASSED}; legacy: c1 a1; legacy: c1 ends 1011; legacy: c1 sub a from 1; legacy: c1 a2"),
        &["legacy lost-write/never-delivered c1 a3"],
    );
}

#[test]
fn what_reached_a_client_wrongly_is_not_excused_by_its_end() {
    let found = explained(&format!("{PASSED}; legacy: c1 a1 a3; legacy: c1 ends 1011; legacy: c1 no-door"));
    let found: Vec<String> = found.principal.iter().map(short).collect();
    assert_eq!(found, ["legacy unreached/no-connection c1", "legacy gap/skipped c1 a2"]);
}

#[test]
fn a_frame_that_can_not_be_read_accounts_for_what_is_missing_and_never_makes_it_right() {
    principal(
        &format!("{PASSED}; legacy: c1 a1; legacy: c1 unreadable; legacy: c1 a3; legacy: c1 stuck a"),
        &["legacy unreached/unreadable c1"],
    );
    principal("pub a1; c1 sub a; c1 a1; legacy: c1 unreadable", &["legacy unreached/unreadable c1"]);
}

#[test]
fn a_limit_of_ours_is_told_as_ours() {
    principal(
        &format!("{PASSED}; legacy: c1 a1; legacy: c1 ends over-limit; legacy: c1 sub a from 1; legacy: c1 a2..3"),
        &["legacy unreached/our-limit c1"],
    );
}

#[test]
fn a_lane_whose_close_keeps_a_client_away_is_charged_with_what_it_missed() {
    let found = explained(&format!("{PASSED}; legacy: c1 a1; legacy: c1 ends 1000; legacy: c1 kept-away"));
    assert_eq!(found.principal.iter().map(short).collect::<Vec<_>>(), ["legacy unreached/kept-away c1"]);
    assert_eq!(super::worst(&found), crate::check::Verdict::Invalid);
}

#[test]
fn a_client_that_gave_up_is_the_cause_unless_the_lane_did_wrong_to_it() {
    principal(
        &format!("{PASSED}; legacy: c1 a1; legacy: c1 ends 1011; legacy: c1 gives-up"),
        &["legacy unreached/gave-up c1"],
    );
    principal(
        "pub a1; candidate: c1 sub a; candidate: c1 a1; legacy: c1 ask a; legacy: c1 refused a internal; \
         legacy: c1 leave; legacy: c1 gives-up; legacy: timeout",
        &["legacy stale-cursor/refused-otherwise c1 a1"],
    );
}

#[test]
fn a_client_that_could_not_be_reached_explains_nothing_of_another() {
    principal(
        "pub a1; legacy: c1 ask a; candidate: c1 sub a; c2 sub a; candidate: c1 a1; candidate: c2 a1; legacy: c1 ends 4001; \
         legacy: timeout",
        &["legacy unreached/no-connection c1", "legacy lost-write/never-delivered c2 a1"],
    );
}

#[test]
fn events_that_were_never_sent_are_one_finding_and_never_perhaps_written() {
    let text = "c1 sub a; candidate: pub a1..9; candidate: c1 a1..9; legacy: pub a1 info; legacy: timeout";
    let found = explained(text);
    let principal: Vec<String> = found.principal.iter().map(short).collect();
    assert_eq!(principal, ["legacy wrong-answer/never-answered a1"]);
    let unseen = found.consequences.iter().filter(|it| it.finding.checker == "unseen");
    assert_eq!(unseen.count(), 1);
}

#[test]
fn a_publish_that_is_put_off_and_then_taken_is_no_finding() {
    clean("c1 sub a; legacy: pub a1 later; pub a1; c1 a1");
    let found = explained("c1 sub a; legacy: pub a1 later; pub a1; c1 a1");
    assert_eq!(found.warnings.iter().map(short).collect::<Vec<_>>(), ["legacy unplanned-end/put-off"]);
}

#[test]
fn a_publish_that_is_put_off_for_good_is_unknown_and_names_the_cause() {
    let found = explained("c1 sub a; candidate: pub a1; candidate: c1 a1; legacy: pub a1 later; legacy: timeout");
    assert_eq!(found.principal.iter().map(short).collect::<Vec<_>>(), ["legacy wrong-answer/put-off a1"]);
    assert!(found.principal[0].describe().contains("HTTP 429"));
}

#[test]
fn a_publish_that_was_put_off_is_not_a_repeat_of_itself() {
    check(
        "wrong-answer",
        "c1 sub a; legacy: pub a1 later; legacy: pub a1 known; candidate: pub a1; c1 a1",
        &["legacy taken-for-a-repeat a1"],
    );
}

#[test]
fn a_bootstrap_that_was_cut_leaves_nobody_owed_what_was_pruned() {
    let text = "retain a 2; pub a1..5; candidate: c1 sub a; candidate: c1 a4..5; \
                legacy: c1 ask a; legacy: c1 a4; legacy: c1 cut; legacy: c1 sub a from 4; legacy: c1 a5";
    clean(text);
    let lost = "retain a 2; pub a1..5; candidate: c1 sub a; candidate: c1 a4..5; \
                legacy: c1 ask a; legacy: c1 a4; legacy: c1 cut; legacy: c1 sub a from 4; legacy: c1 stuck a";
    principal(lost, &["legacy lost-write/never-delivered c1 a5"]);
}

fn ends(times: u64, how: &str) -> String {
    let mut text = "c1 sub a".to_owned();
    for time in 1..=times {
        text.push_str(&format!("; pub a{time}; c1 a{time}; legacy: c1 ends {how}; legacy: c1 sub a from {time}"));
    }
    text
}

#[test]
fn one_end_that_nothing_planned_is_a_warning_with_its_cause() {
    let found = explained(&ends(1, "1011"));
    assert!(found.principal.is_empty());
    assert_eq!(
        found.warnings[0].describe(),
        "legacy: connections ended that nothing planned: 1 end in 1 deliveries (once closed with 1011); \
         the candidate lane had 0 ends in 1 deliveries"
    );
}

#[test]
fn ends_again_and_again_are_unknown_with_their_rate() {
    for how in ["1011", "phx_error", "silent"] {
        let found = explained(&ends(8, how));
        assert_eq!(found.principal.iter().map(short).collect::<Vec<_>>(), ["legacy unplanned-end/many"], "{how}");
        let says = found.principal[0].describe();
        assert!(says.contains("8 ends in 8 deliveries") && says.contains("candidate lane had 0 ends in 8"), "{says}");
    }
}

#[test]
fn silence_on_both_lanes_is_a_busy_machine() {
    let both = ends(8, "silent").replace("legacy: ", "");
    assert!(explained(&both).principal.is_empty());
}

#[test]
fn an_end_that_was_planned_is_not_counted() {
    let faults = "planned cut-1 c1; c1 sub a; pub a1; c1 a1; c1 fires_; c1 ends 1011; c1 sub a from 1";
    let faults = faults.replace("c1 fires_", "fires cut-1 c1");
    assert!(explained(&faults).warnings.is_empty());
    let toxic = format!("toxic slow c1 100; fires slow c1; {}", ends(5, "silent"));
    assert!(explained(&toxic).principal.is_empty());
    let killed =
        "c1 sub a; pub a1; c1 a1; c1 ends 1006; kill; c1 no-door; c1 no-door; start; c1 sub a from 1; pub a2; c1 a2";
    let found = explained(killed);
    assert!(found.warnings.is_empty() && found.principal.is_empty(), "{found:?}");
}

#[test]
fn a_breaking_update_plans_an_end_and_an_additive_one_does_not() {
    let closed = |update: &str| {
        let mut text = "pub a1".to_owned();
        ["c1", "c2", "c3"].iter().for_each(|client| text.push_str(&format!("; {client} sub a; {client} a1")));
        text.push_str(&format!("; update {update}"));
        for client in ["c1", "c2", "c3"] {
            text.push_str(&format!("; candidate: {client} ends 1001; candidate: {client} sub a from 1"));
        }
        let found = explained(&text);
        (found.principal.iter().map(short).collect::<Vec<_>>(), found.warnings.len())
    };
    assert_eq!(closed("breaking"), (Vec::new(), 0));
    assert_eq!(closed("additive").0, ["candidate unplanned-end/many"]);
}

#[test]
fn a_fault_of_another_client_plans_no_end() {
    let text =
        "planned cut-1 c2; c1 sub a; c2 sub a; pub a1; c1 a1; c2 a1; fires cut-1 c2; c1 ends 1011; c1 sub a from 1";
    assert_eq!(explained(text).warnings.len(), 2);
}

#[test]
fn a_lane_that_can_not_be_reached_for_a_while_is_a_warning_and_again_and_again_unknown() {
    let outage = |times: u64, clients: &[&str]| {
        let mut text = "pub a1".to_owned();
        clients.iter().for_each(|client| text.push_str(&format!("; {client} sub a; {client} a1")));
        for client in clients.iter().flat_map(|client| vec![client; times as usize]) {
            text.push_str(&format!(
                "; legacy: {client} cut; legacy: {client} no-door; legacy: {client} no-door; legacy: {client} sub a from 1"
            ));
        }
        explained(&text)
    };
    let restart = outage(1, &["c1", "c2", "c3", "c4"]);
    assert!(restart.principal.is_empty() && restart.warnings.len() == 1);
    let flapping = outage(3, &["c1"]);
    assert_eq!(flapping.principal.iter().map(short).collect::<Vec<_>>(), ["legacy unplanned-end/many"]);
}

#[test]
fn answers_that_never_came_count_against_the_other_lane_only() {
    let text = "c1 sub a; legacy: pub a1..4 info; pub a1..4; c1 a1..4";
    assert_eq!(explained(text).principal.iter().map(short).collect::<Vec<_>>(), ["legacy unplanned-end/many"]);
    let both = "c1 sub a; pub a1..4 info; pub a1..4; c1 a1..4";
    assert!(explained(both).principal.is_empty());
}

/// What `gap` finds where the legacy lane's profile says, or does not say, that each event comes once.
fn gaps(legacy: &str, once: bool) -> Vec<String> {
    let mut world = World::read(&format!("pub a1..2; c1 sub a; legacy: c1 {legacy}; candidate: c1 a1..2")).unwrap();
    for record in &mut world.legacy.records {
        if let Record::Opened { spoken, .. } = record {
            *spoken = Some(Spoken { protocol: "Phoenix".to_owned(), compression: None, confirmed: None, once });
        }
    }
    let found = reports(&world);
    let findings = found.iter().flat_map(|report| &report.findings);
    findings.filter(|finding| finding.checker == "gap").map(short).collect()
}

#[test]
fn a_lane_that_sends_each_event_once_lacks_no_copy() {
    assert!(gaps("a1u a2u", true).is_empty());
    assert_eq!(gaps("a1u a2u", false), ["legacy gap/copy-missing c1 a1..2"]);
    // One that sends a copy all the same is held to it.
    assert_eq!(gaps("a1 a2u", true), ["legacy gap/copy-missing c1 a2"]);
}
