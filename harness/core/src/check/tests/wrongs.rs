//! What a lane does wrong though a retry heals it, or though nothing is missing in the end.

use std::collections::BTreeSet;

use super::notation::World;
use super::{check, clean, explain, explained, principal, reports};
use crate::ids::LaneId;
use crate::plan::Step;

#[test]
fn a_proof_of_life_that_comes_live_is_no_finding() {
    clean("pub a1..2; c1 sub a; c1 a1..2; prove a3; c1 a3");
    clean("retain a 1; pub a1..4; c1 sub a; c1 a4; c1 cut; c1 sub a from 4; prove a5; c1 a5");
    clean("c1 sub a; prove a1; c1 a1");
}

#[test]
fn a_lane_whose_snapshots_work_and_whose_live_tail_is_dead_is_not_live() {
    principal(
        "pub a1..2; c1 sub a; c1 a1..2; prove a3; c1 answers; legacy: c1 a3",
        &["candidate not-live/dead-tail c1 a3"],
    );
}

#[test]
fn a_proof_that_comes_by_a_reconnect_only_does_not_count() {
    principal(
        "pub a1..2; c1 sub a; c1 a1..2; prove a3; legacy: c1 a3; candidate: c1 cut; candidate: c1 sub a from 2; \
         candidate: c1 a3",
        &["candidate not-live/proof-cut-short c1 a3"],
    );
}

#[test]
fn a_lane_that_answers_nothing_while_the_proof_is_waited_for_is_not_judged_by_it() {
    check(
        "not-live",
        "pub a1; c1 sub a; c1 a1; legacy: c1 answers; prove a2; candidate: c1 a2",
        &["legacy proof-unanswered c1 a2"],
    );
}

#[test]
fn a_client_that_was_behind_before_the_proof_is_not_asked_for_it() {
    check(
        "not-live",
        "pub a1..3; c1 sub a; candidate: c1 a1..3; legacy: c1 a1; prove a4; c1 answers; candidate: c1 a4",
        &[],
    );
}

#[test]
fn a_client_that_left_is_not_asked_and_one_without_a_connection_leaves_it_unknown() {
    clean("pub a1; c1 sub a; c2 sub a; c1 a1; c2 a1; c2 leave; prove a2; c1 a2");
    check(
        "not-live",
        "pub a1; c1 sub a; c1 a1; legacy: c1 cut; prove a2; candidate: c1 a2",
        &["legacy not-asked c1 a2"],
    );
}

#[test]
fn deliveries_of_the_proof_are_no_part_of_the_least_that_a_run_must_see() {
    check(
        "vacuity",
        "at-least deliveries 2; pub a1; c1 sub a; c1 a1; prove a2; c1 a2",
        &["legacy vacuous", "candidate vacuous"],
    );
}

#[test]
fn a_live_event_in_more_copies_than_the_contract_has_is_a_finding_on_either_lane() {
    principal(
        "c1 sub a; pub a1..2; legacy: c1 a1 a2 a2; candidate: c1 a1..2",
        &["legacy excess-copies/too-many-copies c1 a2"],
    );
    principal(
        "c1 sub a; pub a1..3; legacy: c1 a1..3; candidate: c1 a1 a1 a2 a3 a3",
        &["candidate excess-copies/too-many-copies c1 a1"],
    );
}

#[test]
fn what_a_new_subscription_brings_again_is_no_excess() {
    clean("pub a1..3; c1 sub a; c1 a1..3; c1 crash; c1 sub a from 1; c1 a2..3");
    // Where replay and live tail meet, an event may come on either side.
    clean("pub a1..2; c1 ask a; pub a3 open; c1 a1..3; c1 ok a head 3; legacy: c1 a3; ack a3");
}

#[test]
fn what_a_planned_fault_repeats_is_no_excess_and_no_more_than_that_is_excused() {
    let text =
        "planned again c1; c1 sub a; pub a1..2; legacy: c1 a1..2; candidate: c1 a1 a1; candidate: fires again c1";
    clean(&format!("{text}; candidate: c1 a2; legacy: fires again c1"));
    principal(
        &format!("{text}; candidate: c1 a2 a2 a2; legacy: fires again c1"),
        &["candidate excess-copies/too-many-copies c1 a2"],
    );
}

#[test]
fn an_event_of_another_tenants_topic_is_a_wrong_stream_and_not_unknown() {
    principal(
        "pub a1; c1 sub a; c1 a1; legacy: c1 foreign run:other:events 5; legacy: c1 foreign run:other:events 5",
        &["legacy wrong-stream/foreign-stream c1"],
    );
}

#[test]
fn an_answer_without_a_row_is_not_written_though_the_next_attempt_is() {
    principal(
        "c1 sub a; pub a1; c1 a1; candidate: pub a2 unwritten; candidate: pub a2; legacy: pub a2; c1 a2",
        &["candidate lost-write/acknowledged-but-not-written a2"],
    );
}

#[test]
fn an_answer_without_a_row_around_a_servers_death_is_unknown() {
    check(
        "lost-write",
        "c1 sub a; pub a1; c1 a1; candidate: pub a2 open; candidate: kill; candidate: start; candidate: ack a2 unwritten; \
         candidate: pub a2; legacy: pub a2; c1 cut; c1 sub a from 1; c1 a2",
        &["candidate acknowledged-but-not-written a2"],
    );
}

#[test]
fn a_publish_that_is_not_written_under_a_key_of_another_stream_says_so() {
    let mut world =
        World::read("pub a1; pub b1 unwritten; c1 sub a; c1 a1; pub a2 unwritten; candidate: pub a2; candidate: c1 a2")
            .unwrap();
    let keys: Vec<String> = world.plan.steps().filter_map(key_of).collect();
    let shared = keys.first().cloned().unwrap();
    for step in world.plan.cases.iter_mut().flat_map(|case| &mut case.steps) {
        if let Step::Publish { key, stream, .. } = step
            && stream.as_str() == "b"
        {
            key.clone_from(&shared);
        }
    }
    let found = explain(&reports(&world)).principal;
    let words: BTreeSet<_> = found
        .iter()
        .filter(|finding| finding.lane == Some(LaneId::Legacy) && finding.checker == "lost-write")
        .map(|finding| (finding.stream.as_ref().unwrap().as_str(), finding.reason.word))
        .collect();
    assert_eq!(words, [("a", "acknowledged-but-not-written"), ("b", "key-of-another-stream")].into());
}

fn key_of(step: &Step) -> Option<String> {
    match step {
        Step::Publish { key, .. } => Some(key.clone()),
        _ => None,
    }
}

#[test]
fn a_text_that_is_no_payload_and_was_accepted_is_one_finding_with_all_that_follows() {
    principal(
        "c1 sub a; legacy: invalid a1 = 1; candidate: invalid a1; legacy: c1 a1=?; pub a1; candidate: c1 a1",
        &["legacy hash-mismatch/not-canonical c1 a1"],
    );
}

#[test]
fn a_publish_whose_seq_goes_to_the_next_one_was_not_written() {
    principal(
        "c1 sub a; pub a1..2; c1 a1..2; pub a3; legacy: pub a4 = 3; candidate: pub a4; legacy: c1 a3=a4; \
         candidate: c1 a3..4",
        &["legacy lost-write/acknowledged-but-not-written a3"],
    );
}

#[test]
fn a_fault_that_never_fired_names_what_passed_unread() {
    let text = "planned cut-1 c1; pub a1; c1 sub a; c1 a1; fires cut-2 c1; unread c1 it is compressed; unread c2 no";
    let found = explained(text).principal;
    let told: Vec<String> = found.iter().map(super::Finding::describe).collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("fault cut-1 never fired"), "{told:#?}");
    assert!(told[0].contains("passed unread: it is compressed"), "{told:#?}");
}

#[test]
fn every_rule_about_fields_is_reported_by_its_word() {
    let reasons = crate::check::ALL.iter().find(|checker| checker.name == "contradiction").unwrap().reasons;
    for reason in reasons {
        let seq = if reason.word == "head-beyond" { 9 } else { 1 };
        let text = format!("pub a1; c1 sub a; c1 a1; legacy: c1 contradicts a {seq} {}", reason.word);
        principal(&text, &[&format!("legacy contradiction/{} c1 a{seq}", reason.word)]);
    }
}

#[test]
fn what_was_in_flight_is_no_contradiction() {
    // The head moved on behind the batch, or was published just then.
    clean("pub a1; c1 sub a; c1 a1; pub a2 open; legacy: c1 contradicts a 2 head-beyond; ack a2; c1 a2");
    clean("pub a1; c1 sub a; c1 a1; pub a2; legacy: c1 contradicts a 2 complete-too-soon; c1 a2");
    clean("pub a1; c1 sub a; c1 a1; pub a2; legacy: c1 contradicts a 1 complete-too-late; c1 a2");
    // What retention removed before it could be sent.
    clean("retain a 1; pub a1..3; c1 sub a; c1 a3; legacy: c1 contradicts a 2 watermark");
}

#[test]
fn an_event_under_another_key_is_a_finding() {
    principal(
        "pub a1..2; c1 sub a; c1 a1; legacy: c1 a2^; candidate: c1 a2",
        &["legacy hash-mismatch/another-key c1 a2"],
    );
}

#[test]
fn a_refusal_is_held_to_every_field_that_it_has() {
    let told = |fields: &str| {
        format!(
            "retain a 2; pub a1..6; c1 cursor a 1; c1 ask a from 1; candidate: c1 refused a floor; \
             legacy: c1 refused a floor head=6 {fields}; c1 rewind a; c1 sub a; c1 a5..6"
        )
    };
    clean(&told("full=true tier=warm format=openagents.sync.snapshot.v1"));
    for wrong in [
        "full=false",
        "tier=cold",
        "again",
        "format=openagents.sync.snapshot.v2",
        "format=openagents.sync.snapshot.v1 snapshot=a snapshot-head=6",
        "format=openagents.sync.snapshot.v1 snapshot=b",
    ] {
        principal(&told(wrong), &["legacy stale-cursor/wrong-fields c1 a2..6"]);
    }
    principal(&told("full=true reason-again"), &["legacy stale-cursor/wrong-reason c1 a2..6"]);
}

#[test]
fn of_a_stream_that_nobody_follows_an_accepted_conflict_is_a_wrong_answer_alone() {
    principal(
        "pub a1; c1 sub a; c1 a1; pub b1; legacy: conflict b1 = 2; candidate: conflict b1",
        &["legacy wrong-answer/accepted-a-conflict b2"],
    );
}
