//! Whole scripts against a sync service in memory: what the driver does and records, step by step.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use cutover_core::history::{Completion, Outcome, Record};
use cutover_core::ids::{LaneId, Seed};
use cutover_core::plan::ServerAction;
use cutover_core::scenario::{Scenario, compile};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::NoEvents;
use super::fake::Fake;
use crate::drive::{Destination, LaneStack, MeasuredTimeout, ProgramSeat, drive};
use crate::lane::GenericTaggers;

/// Drives a script of one client, `desk`, and one stream over a service, and tells what happened in the exercise phase.
async fn story(fake: &Fake, steps: &str) -> Vec<String> {
    let records = records(fake, steps, 10_000).await;
    let exercise = records.iter().skip_while(|record| !is_phase(record, "Exercise"));
    exercise.take_while(|record| !is_phase(record, "Heal")).filter_map(told).collect()
}

async fn records(fake: &Fake, steps: &str, converge_within_ms: u64) -> Vec<Record> {
    let text = format!(
        r#"
schema = 1
name = "x"
title = "A script"
proves = ["replay-determinism"]
converge_within_ms = {converge_within_ms}
backoff = {{ base_ms = 1, cap_ms = 2 }}
streams = [{{ topic = "run:a:events", retention = 5, replay_budget = 50 }}]
clients = [{{ name = "desk" }}]
steps = [{steps}]
at_least = {{ deliveries = 1 }}
"#
    );
    let scenario = Scenario::parse("x.toml", &text).unwrap_or_else(|errors| panic!("{errors}"));
    let destination = Destination { authority: "lane.example".to_owned(), upstream: watch::channel(None).1 };
    let stack = LaneStack {
        role: LaneId::Legacy,
        lane: Arc::new(fake.clone()),
        taggers: Arc::new(GenericTaggers),
        socket: destination.clone(),
        writer: destination,
        server: Some(Arc::new(fake.clone())),
        module: Some(Arc::new(fake.clone())),
        bridge: None,
        programs: ProgramSeat::default(),
        byte_toxics: None,
        authority: None,
        pace: None,
        least_between: None,
        turns: None,
        answers: Arc::new(MeasuredTimeout::of_answers()),
    };
    let dir = tempfile::tempdir().unwrap();
    let plan = Arc::new(compile(&scenario, Seed(1)));
    let run = drive(plan, stack, dir.path(), Arc::new(NoEvents), CancellationToken::new()).await.unwrap();
    run.history.records
}

fn is_phase(record: &Record, name: &str) -> bool {
    matches!(record, Record::Phase { phase } if format!("{phase:?}") == name)
}

/// A record in a few words.
fn told(record: &Record) -> Option<String> {
    Some(match record {
        Record::Opened { conn, .. } => format!("opens {}", conn.0),
        Record::Closed { why, .. } => format!("{why}"),
        Record::Subscribed { cursor: None, .. } => "bootstraps".to_owned(),
        Record::Subscribed { cursor: Some(cursor), .. } => format!("resumes from {cursor}"),
        Record::Refused { refusal, .. } => format!("is refused: {}", refusal.code),
        Record::Rewound { from, why, .. } => format!("gives up {from}: {why:?}"),
        Record::Delivered { seq, verdict, .. } => format!("{seq} {verdict:?}"),
        Record::Overdue { head, .. } => format!("misses {head}"),
        Record::Complete { op, attempt, completion } => format!("op {op} try {attempt}: {}", answered(completion)),
        Record::Process { process } => format!("server {process:?}"),
        Record::Connections { op: Some(_), listed, missing, left } => {
            format!("{listed} listed, {} missing, {} left", missing.len(), left.len())
        }
        Record::NotCounted { .. } => "not counted".to_owned(),
        Record::TimedOut { waiting_for } => format!("waits in vain for {waiting_for}"),
        _ => return None,
    })
}

fn answered(completion: &Completion) -> String {
    match completion {
        Completion::Ok { outcome: Outcome::Published { seq, duplicate, .. } } => match duplicate {
            Some(true) => format!("{seq} again"),
            _ => format!("{seq}"),
        },
        Completion::Ok { outcome: Outcome::NotOffered } => "not offered".to_owned(),
        Completion::Ok { outcome: Outcome::Rows { rows } } => rows.clone(),
        Completion::Ok { outcome: Outcome::Done | Outcome::Seen { .. } | Outcome::Pruned { .. } } => "done".to_owned(),
        Completion::Fail { refusal } => refusal.code.clone(),
        Completion::Later { why } | Completion::Unwritten { why } | Completion::Info { why } => why.clone(),
    }
}

const CONNECT: &str = r#"{ do = "connect" }"#;
const DISCONNECT: &str = r#"{ do = "disconnect" }"#;

fn publish(count: u32) -> String {
    format!(r#"{{ do = "publish", stream = "run:a:events", count = {count} }}"#)
}

fn burst(count: u32) -> String {
    format!(r#"{{ do = "publish", stream = "run:a:events", count = {count}, pace = "burst" }}"#)
}

fn script(steps: &[&str]) -> String {
    steps.join(",\n")
}

#[tokio::test]
async fn a_client_follows_live_what_is_published_while_it_is_connected() {
    let story = story(&Fake::default(), &script(&[CONNECT, &publish(2)])).await;
    assert_eq!(story, ["opens 1", "bootstraps", "op 1 try 1: 1", "1 Applied", "op 2 try 1: 2", "2 Applied"]);
}

#[tokio::test]
async fn a_publish_that_is_acknowledged_and_not_written_is_left_and_the_script_goes_on() {
    let fake = Fake::with(|service| service.unwritten = 4);
    let story = story(&fake, &script(&[CONNECT, &burst(3)])).await;
    let tried =
        ["op 1 try 1: no row", "op 1 try 2: no row", "op 1 try 3: no row", "op 2 try 1: no row", "op 3 try 1: 1"];
    assert_eq!(story[2..7], tried);
}

#[tokio::test]
async fn a_publish_that_is_written_by_a_second_try_is_not_left() {
    let fake = Fake::with(|service| service.unwritten = 2);
    let story = story(&fake, &script(&[CONNECT, &publish(1)])).await;
    assert_eq!(story[2..5], ["op 1 try 1: no row", "op 1 try 2: no row", "op 1 try 3: 1"]);
}

#[tokio::test]
async fn a_client_that_comes_back_catches_up_from_its_cursor() {
    let steps = script(&[CONNECT, &publish(1), DISCONNECT, &burst(2), CONNECT]);
    let story = story(&Fake::default(), &steps).await;
    let back = ["closed by the client", "op 2 try 1: 2", "op 3 try 1: 3", "opens 2", "resumes from 1"];
    assert_eq!(story[4..9], back);
    assert_eq!(story[9..], ["2 Applied", "3 Applied"]);
}

#[tokio::test]
async fn a_client_whose_connection_is_cut_resumes_on_a_new_one() {
    let fake = Fake::with(|service| service.cut_at = [2].into());
    let story = story(&fake, &script(&[CONNECT, &publish(3)])).await;
    let resumed = ["op 2 try 1: 2", "closed with 1012", "opens 2", "resumes from 1", "2 Applied"];
    assert_eq!(story[4..9], resumed);
    assert_eq!(story[9..], ["op 3 try 1: 3", "3 Applied"]);
}

#[tokio::test]
async fn a_client_whose_cursor_is_stale_gives_it_up_and_bootstraps() {
    let steps = script(&[CONNECT, &publish(1), DISCONNECT, &burst(9), CONNECT]);
    let story = story(&Fake::default(), &steps).await;
    let resumed = story.iter().skip_while(|line| *line != "opens 2");
    let stale = ["opens 2", "resumes from 1", "is refused: stale_cursor", "gives up 1: Stale", "bootstraps"];
    let replayed = ["6 Applied", "7 Applied", "8 Applied", "9 Applied", "10 Applied"];
    assert_eq!(resumed.collect::<Vec<_>>(), [stale, replayed].concat());
}

#[tokio::test]
async fn a_client_resumes_from_a_cursor_that_the_script_sets() {
    let cursor = r#"{ do = "set-cursor", client = "desk", stream = "run:a:events", to = 1 }"#;
    let story = story(&Fake::default(), &script(&[CONNECT, &publish(3), DISCONNECT, cursor, CONNECT])).await;
    assert_eq!(story[9..], ["opens 2", "resumes from 1", "2 Applied", "3 Applied"]);
}

#[tokio::test]
async fn a_client_that_crashes_resumes_from_its_checkpoint() {
    let steps = script(&[CONNECT, &publish(2), r#"{ do = "crash" }"#, &burst(1), CONNECT]);
    let story = story(&Fake::default(), &steps).await;
    assert_eq!(story[6..], ["the client died", "op 3 try 1: 3", "opens 2", "resumes from 2", "3 Applied"]);
}

#[tokio::test]
async fn a_client_that_resubscribes_bootstraps_on_the_same_connection() {
    let steps = script(&[CONNECT, &publish(2), r#"{ do = "resubscribe" }"#, &publish(1)]);
    let story = story(&Fake::default(), &steps).await;
    let again = ["gives up 2: Unsubscribed", "bootstraps", "1 Applied", "2 Applied", "op 3 try 1: 3", "3 Applied"];
    assert_eq!(story[6..], again);
}

#[tokio::test]
async fn a_client_that_resubscribes_to_a_stream_names_it() {
    let again = r#"{ do = "resubscribe", stream = "run:a:events" }"#;
    let story = story(&Fake::default(), &script(&[CONNECT, &publish(1), again])).await;
    assert_eq!(story[4..], ["gives up 1: Unsubscribed", "bootstraps", "1 Applied"]);
}

#[tokio::test]
async fn a_script_goes_on_before_a_client_that_connects_in_a_burst_is_subscribed() {
    let connect = r#"{ do = "connect", pace = "burst" }"#;
    let story = story(&Fake::default(), &script(&[connect, &publish(2)])).await;
    let applied: Vec<_> = story.iter().filter(|line| line.ends_with("Applied")).collect();
    assert_eq!(applied, ["1 Applied", "2 Applied"]);
}

#[tokio::test]
async fn a_publish_whose_answer_is_lost_is_retried_under_its_key_and_written_once() {
    let fake = Fake::with(|service| service.lost_answers = 1);
    let story = story(&fake, &script(&[CONNECT, &publish(1)])).await;
    assert_eq!(story[2..], ["op 1 try 1: the answer was lost", "1 Applied", "op 1 try 2: 1 again"]);
}

#[tokio::test]
async fn a_publish_under_a_known_key_is_repeated_or_refused() {
    let republish = r#"{ do = "republish", stream = "run:a:events", seqs = [1] }"#;
    let conflict = r#"{ do = "conflict", stream = "run:a:events", seqs = [1] }"#;
    let story = story(&Fake::default(), &script(&[CONNECT, &publish(1), republish, conflict])).await;
    assert_eq!(story[4..], ["op 2 try 1: 1 again", "op 3 try 1: idempotency_conflict"]);
}

#[tokio::test]
async fn a_policy_that_the_script_sets_counts_from_then_on() {
    let policy = r#"{ do = "policy", stream = "run:a:events", retention = 1 }"#;
    let story = story(&Fake::default(), &script(&[&burst(3), policy, CONNECT])).await;
    assert_eq!(story[3..], ["op 4 try 1: done", "opens 1", "bootstraps", "3 Applied"]);
}

#[tokio::test]
async fn an_event_that_never_comes_live_is_asked_for_on_a_new_connection() {
    let fake = Fake::with(|service| service.not_sent = [2].into());
    let story = story(&fake, &script(&[CONNECT, &publish(2)])).await;
    assert_eq!(story[5..], ["misses 2", "closed by the client", "opens 2", "resumes from 1", "2 Applied"]);
}

#[tokio::test]
async fn a_client_that_does_not_converge_within_the_bound_is_named() {
    let fake = Fake::with(|service| service.not_sent = [2].into());
    let records = records(&fake, &script(&[CONNECT, &burst(2)]), 100).await;
    let converge = records.iter().skip_while(|record| !is_phase(record, "Converge"));
    let converge = converge.take_while(|record| !is_phase(record, "ProofOfLife"));
    let vain =
        "waits in vain for `desk` to catch up with the acknowledged heads, not within 100 ms (our bound `converge`)";
    assert_eq!(converge.filter_map(told).collect::<Vec<_>>(), [vain]);
    assert!(is_phase(records.last().unwrap(), "Done"), "the run goes on to its end");
}

#[tokio::test]
async fn a_script_whose_server_is_killed_goes_on_once_its_clients_noticed() {
    let server = |action: &str| format!(r#"{{ do = "server", lane = "legacy", action = "{action}" }}"#);
    let fake = Fake::default();
    let steps = script(&[CONNECT, &publish(1), &server("kill"), &server("restart"), &publish(1)]);
    let mut story = story(&fake, &steps).await;
    // How often the client tries in vain depends on its back-off.
    story.retain(|line| !line.starts_with("not opened") && !line.starts_with("opens"));
    assert_eq!(story[3], "server Killed { waited_for: Durable }");
    assert_eq!(story[4], "lost (the connection was closed)");
    assert_eq!(story[5], "server Started");
    let mut rest = story[6..].to_vec();
    rest.sort();
    assert_eq!(rest, ["2 Applied", "op 2 try 1: 2", "resumes from 1"]);
    let service = fake.service();
    let [(ServerAction::Kill, Some(killed)), (ServerAction::Restart, Some(restarted))] = &service.actions[..] else {
        panic!("{:?}", service.actions)
    };
    assert!(killed.starts_with("run:a:events:1:") && killed == restarted, "{killed} {restarted}");
}

#[tokio::test]
async fn a_step_of_the_other_lane_does_nothing() {
    let server = |action: &str| format!(r#"{{ do = "server", lane = "candidate", action = "{action}" }}"#);
    let fake = Fake::default();
    let story = story(&fake, &script(&[CONNECT, &server("kill"), &server("restart"), &publish(1)])).await;
    assert_eq!(story, ["opens 1", "bootstraps", "op 1 try 1: 1", "1 Applied"]);
    assert!(fake.service().actions.is_empty());
}

#[tokio::test]
async fn connections_are_counted_as_the_lane_lists_them() {
    let count = r#"{ do = "count", within_ms = 100 }"#;
    let steps = script(&[CONNECT, &publish(1), count, DISCONNECT, count]);
    let counts = |story: Vec<String>| -> Vec<String> {
        story.into_iter().filter(|told| told.contains("listed") || told.contains("counted")).collect()
    };
    let right = story(&Fake::with(|service| service.lists = true), &steps).await;
    assert_eq!(counts(right), ["1 listed, 0 missing, 0 left", "0 listed, 0 missing, 0 left"]);
    let stays = Fake::with(|service| (service.lists, service.ended_stay) = (true, true));
    assert_eq!(counts(story(&stays, &steps).await), ["1 listed, 0 missing, 0 left", "0 listed, 0 missing, 1 left"]);
    assert_eq!(counts(story(&Fake::default(), &steps).await), ["not counted", "not counted"]);
}

#[tokio::test]
async fn the_calls_of_a_script_are_made_in_order_and_rows_are_read_behind_them() {
    let reducers = r#"{ do = "reducers", stream = "run:a:events", scripts = ["presence"] }"#;
    let story = story(&Fake::default(), &script(&[CONNECT, &publish(1), reducers])).await;
    let first = ["op 2 try 1: done", "op 3 try 1: done", "op 4 try 1: done", "op 5 try 1: done"];
    assert_eq!(story[4..8], first);
    assert_eq!(story[8], "op 6 try 1: [SELECT client_id, state FROM session_presence WHERE session_id = 'a/s']");
}

#[tokio::test]
async fn a_lane_without_reducers_is_asked_for_none() {
    let fake = Fake::with(|service| service.has_no_reducers = true);
    let reducers = r#"{ do = "reducers", stream = "run:a:events", scripts = ["bridge"] }"#;
    let story = story(&fake, &script(&[CONNECT, &publish(1), reducers])).await;
    assert_eq!(story[4..6], ["op 2 try 1: not offered", "op 3 try 1: not offered"]);
}

fn update(update: &str) -> String {
    format!(r#"{{ do = "update-module", update = "{update}" }}"#)
}

#[tokio::test]
async fn a_client_that_an_update_closes_is_awaited_and_comes_back() {
    let fake = Fake::with(|service| service.update_closes = true);
    let story = story(&fake, &script(&[CONNECT, &publish(2), &update("breaking"), &publish(2)])).await;
    assert_eq!(story[6], "server Updating { update: Breaking }");
    assert!(story[7].starts_with("lost"), "{story:?}");
    assert!(story.iter().any(|told| told == "resumes from 2") && !story.iter().any(|told| told.contains("in vain")));
}

#[tokio::test]
async fn an_update_that_clients_do_not_notice_leaves_them_where_they_are() {
    let story = story(&Fake::default(), &script(&[CONNECT, &publish(2), &update("additive"), &publish(1)])).await;
    let told = ["server Updating { update: Additive }", "op 3 try 1: 3", "3 Applied"];
    assert_eq!(story[story.len() - 3..], told);
}

#[tokio::test]
async fn an_update_that_the_server_refuses_ends_the_script() {
    let fake = Fake::with(|service| service.refuses_updates = true);
    let story = story(&fake, &script(&[CONNECT, &publish(1), &update("additive"), &publish(1)])).await;
    let said = "waits in vain for the module to be published anew: the server refuses it";
    assert_eq!(story.last().unwrap(), said);
}
