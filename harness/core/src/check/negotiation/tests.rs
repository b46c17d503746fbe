//! Tests of the checker.

#![allow(clippy::unwrap_used)]

use crate::check::Finding;
use crate::check::index::Index;
use crate::check::run::check_one;
use crate::check::tests::notation::World;
use crate::history::{Record, Refusal};
use crate::ids::{ClientId, ConnId, LaneId};
use crate::plan::{JoinParams, Window};

/// A run with a client that says nothing of itself, and must be refused where there is a window.
fn world(window: Option<Window>) -> World {
    let mut world = World::read("pub a1; c1 sub a; c1 a1").unwrap();
    let mut client = world.plan.cases[0].clients[0].clone();
    client.id = ClientId::new("old");
    client.streams.clear();
    client.join = Some(JoinParams::default());
    client.refused = window.as_ref().and_then(|window| window.refuses(&JoinParams::default())).map(str::to_owned);
    world.plan.cases[0].clients.push(client);
    world.plan.window = window;
    world
}

fn refusal() -> Refusal {
    Refusal { code: "invalid_client_build".to_owned(), window: Window::default().told(), ..Refusal::default() }
}

fn refused(refusal: Refusal, subscribed: bool) -> Record {
    Record::NotLetIn { client: ClientId::new("old"), conn: ConnId(1), refusal, subscribed }
}

fn let_in() -> Record {
    Record::Opened { client: ClientId::new("old"), conn: ConnId(1), spoken: None, habit: None }
}

/// What is found on the legacy lane, where a client that must be refused met this; the candidate did right.
fn found(records: Vec<Record>) -> Vec<String> {
    let mut world = world(Some(Window::default()));
    world.legacy.records.splice(2..2, records);
    world.candidate.records.insert(2, refused(refusal(), false));
    said(&world)
}

fn said(world: &World) -> Vec<String> {
    let report = check_one(&super::CHECKER, &Index::build(&world.plan, &world.legacy, &world.candidate));
    assert!(report.findings.iter().all(|finding| finding.lane == Some(LaneId::Legacy)));
    report.findings.iter().map(Finding::describe).collect()
}

#[test]
fn a_client_that_is_refused_by_the_window_is_right() {
    assert!(found(vec![refused(refusal(), false)]).is_empty());
}

#[test]
fn each_wrong_answer_to_a_client_is_found() {
    let with = |field: &str, value: &str| {
        let mut refusal = refusal();
        refusal.window.insert(field.to_owned(), value.to_owned());
        refused(refusal, false)
    };
    let other = Refusal { code: "upgrade_required".to_owned(), ..refusal() };
    for (records, says) in [
        (vec![let_in()], "had to be refused and was let in (expected invalid_client_build; got let in)"),
        (vec![refused(other, false)], "with another code (expected invalid_client_build; got upgrade_required)"),
        (vec![with("max_schema_version", "2")], "(expected max_schema_version 1; got max_schema_version 2)"),
        (vec![with("retryable", "true")], "(expected retryable false; got retryable true)"),
        (vec![refused(refusal(), true)], "was refused and could still subscribe"),
        (
            vec![refused(refusal(), false), refused(refusal(), false)],
            "tried again (expected one attempt; got 2 attempts)",
        ),
        (vec![], "was neither refused nor let in"),
    ] {
        let found = found(records);
        assert!(found.len() == 1 && found[0].contains(says), "{found:?}");
    }
}

#[test]
fn a_refusal_that_does_not_say_whether_it_is_for_good_is_taken_for_one_that_is() {
    let mut silent = refusal();
    silent.window.remove("retryable");
    assert!(found(vec![refused(silent, false)]).is_empty());
    let mut without = refusal();
    without.window.remove("max_client_build_id");
    assert!(found(vec![refused(without, false)])[0].contains("got max_client_build_id nothing"));
}

#[test]
fn a_client_that_is_refused_while_nothing_is_checked_is_found() {
    let mut world = world(None);
    world.candidate.records.insert(2, let_in());
    world.legacy.records.insert(2, let_in());
    assert!(said(&world).is_empty());
    world.legacy.records[2] = refused(refusal(), false);
    assert!(said(&world)[0].contains("had to be let in and was refused"));
}
