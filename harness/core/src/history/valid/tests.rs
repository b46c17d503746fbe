//! A valid history, and what makes it one no longer.
#![allow(clippy::unwrap_used)]
use super::*;
use crate::check::tests::notation::World;

const GOOD: &str = "planned cut c1; policy a retain 9; pub a1..3; again a1; c1 sub a; c1 a1 a2; fires cut c1; c1 cut; \
                    c1 sub a from 2; c1 a3; c1 leave; c1 sub a from 3; c2 ask a from 9; c2 refused a floor; c2 rewind a; \
                    c2 sub a; c2 a1..3; pub a4; c1 a4; c2 a4";

/// The JSON of each record of a valid history.
fn lines() -> (Plan, History, Vec<String>) {
    let World { plan, legacy, .. } = World::read(GOOD).unwrap();
    let lines = legacy.records.iter().map(|record| serde_json::to_string(record).unwrap());
    let lines = lines.collect();
    (plan, legacy, lines)
}

/// What is wrong once the lines were edited.
fn wrong(edit: impl FnOnce(&mut Vec<String>)) -> String {
    let (plan, mut history, mut lines) = lines();
    edit(&mut lines);
    history.records = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    valid(&plan, &history).map_or_else(|misfit| misfit.what, |()| String::new())
}

fn first(lines: &[String], what: &str) -> usize {
    lines.iter().position(|line| line.contains(what)).unwrap()
}

fn without(what: &str) -> String {
    wrong(|lines| drop(lines.remove(first(lines, what))))
}

fn twice(what: &str) -> String {
    wrong(|lines| lines.insert(first(lines, what), lines[first(lines, what)].clone()))
}

fn with(from: &str, to: &str) -> String {
    wrong(|lines| {
        let at = first(lines, from);
        lines[at] = lines[at].replace(from, to);
    })
}

#[test]
fn a_history_that_fits_is_valid_however_short_it_was_cut() {
    let (plan, mut history, _) = lines();
    while history.records.pop().is_some() {
        assert_eq!(valid(&plan, &history), Ok(()));
    }
}

#[test]
fn operations_that_end_without_having_begun_or_twice_do_not_fit() {
    assert!(without("\"at\":\"invoke\"").contains("ends and never began"));
    assert!(twice("\"at\":\"complete\"").contains("ends a second time"));
    assert!(twice("\"at\":\"invoke\"").contains("begins before attempt 1 has ended"));
    assert!(
        with("\"at\":\"invoke\",\"op\":2,\"attempt\":1", "\"at\":\"invoke\",\"op\":2,\"attempt\":2")
            .contains("follows attempt 0")
    );
}

#[test]
fn what_the_plan_does_not_have_does_not_fit() {
    assert_eq!(with("\"at\":\"invoke\",\"op\":2", "\"at\":\"invoke\",\"op\":99"), "the plan has no operation 99");
    assert_eq!(with("\"client\":\"c1\"", "\"client\":\"c9\""), "the plan has no client `c9`");
    let fire = "\"fault\":\"cut\",\"client\":\"c1\"";
    assert_eq!(
        with(fire, "\"fault\":\"cut\",\"client\":\"c2\""),
        "`cut` strikes `c2`, but the plan has it strike `c1`"
    );
    assert_eq!(with(fire, "\"fault\":\"cat\",\"client\":\"c1\""), "the plan has no fault or toxic `cat`");
    for what in ["subscribed", "rewound", "watermark"] {
        let wrong = wrong(|lines| {
            let at = first(lines, &format!("\"at\":\"{what}\""));
            lines[at] = lines[at].replace("\"stream\":\"a\"", "\"stream\":\"z\"");
        });
        assert_eq!(wrong, "the plan has the client not follow `z`");
    }
}

#[test]
fn connections_that_open_and_close_out_of_order_do_not_fit() {
    assert_eq!(twice("\"at\":\"opened\""), "connection 1 opens after connection 1");
    assert_eq!(without("\"at\":\"closed\""), "connection 2 opens before connection 1 has ended");
    assert_eq!(twice("\"at\":\"closed\""), "connection 1 is not open any more");
    assert_eq!(without("\"at\":\"opened\""), "connection 1 was never opened");
    let failed =
        "{\"at\":\"closed\",\"client\":\"c1\",\"conn\":2,\"why\":{\"how\":\"not-opened\",\"why\":\"refused\"}}";
    let wrong = wrong(|lines| lines.insert(first(lines, "\"at\":\"closed\""), failed.to_owned()));
    assert_eq!(wrong, "connection 2 fails to open while connection 1 is open");
}

#[test]
fn a_connection_that_did_not_open_fits_and_its_number_is_spent() {
    let failed =
        "{\"at\":\"closed\",\"client\":\"c1\",\"conn\":2,\"why\":{\"how\":\"not-opened\",\"why\":\"refused\"}}";
    let wrong = wrong(|lines| lines.insert(first(lines, "\"at\":\"closed\"") + 1, failed.to_owned()));
    assert_eq!(wrong, "connection 2 opens after connection 2");
}

#[test]
fn deliveries_and_answers_without_their_subscription_do_not_fit() {
    assert!(without("\"at\":\"subscribed\"").contains("not the stream's last one"));
    assert!(without("\"sub\":3").contains("is answered and was not asked for"));
    assert!(
        with("\"sub\":1,\"stream\":\"a\",\"seq\":1", "\"sub\":7,\"stream\":\"a\",\"seq\":1")
            .contains("not the stream's last one")
    );
    assert!(
        with("\"conn\":1,\"sub\":1,\"stream\":\"a\",\"seq\":1", "\"conn\":2,\"sub\":1,\"stream\":\"a\",\"seq\":1")
            .contains("was never opened")
    );
    assert!(twice("\"at\":\"accepted\"").contains("is answered a second time"));
    assert!(twice("\"at\":\"refused\"").contains("is answered a second time"));
    assert!(twice("\"at\":\"subscribed\"").contains("comes after subscription"));
}

#[test]
fn a_delivery_of_a_stream_that_was_never_subscribed_to_belongs_to_none_and_fits() {
    let strange = |lines: &mut Vec<String>, sub: u32| {
        let at = first(lines, "\"at\":\"delivered\"");
        let from = "\"sub\":1,\"stream\":\"a\"";
        lines[at] = lines[at].replace(from, &format!("\"sub\":{sub},\"stream\":\"another:tenant\""));
    };
    assert_eq!(wrong(|lines| strange(lines, 0)), "");
    assert!(wrong(|lines| strange(lines, 1)).contains("not the stream's last one"));
}

#[test]
fn phases_follow_one_another() {
    assert_eq!(without("\"phase\":\"setup\""), "the phase Exercise begins a history, not Setup");
    assert_eq!(without("\"phase\":\"heal\""), "the phase Converge does not follow the phase Exercise");
    assert_eq!(twice("\"phase\":\"done\""), "the phase Done does not follow the phase Done");
    let moved = wrong(|lines| {
        let invoke = lines.remove(first(lines, "\"at\":\"invoke\""));
        lines.insert(0, invoke);
    });
    assert_eq!(moved, "no phase has begun");
}
