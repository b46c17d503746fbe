//! Tests of the checker.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::check::earned;
use crate::check::run::check_one;
use crate::check::tests::notation::World;
use crate::history::{Completion, KillWait, Outcome, Process, Refusal, RelayAnswer, Verdict};
use crate::ids::{ConnId, LaneId, OpId, Seq, StreamId, SubId};
use crate::matrix::Part;
use crate::plan::{BRIDGE, Beside, Bridge, ENQUEUE, Mood, Step};

const FIRST_OP: u32 = 900;

/// A run with a bridge and two events in the outbox, `a` and `b`, in which this happens on the candidate.
fn world(happens: Vec<Record>) -> World {
    let mut world = World::read("pub a1; c1 sub a; c1 a1").unwrap();
    world.plan.bridge = Some(Bridge::default());
    let stream = world.plan.cases[0].streams[0].id.clone();
    let mut records = Vec::new();
    for (nth, key) in (0..).zip(["a", "b"]) {
        let op = OpId(FIRST_OP + nth);
        let args = format!(r#"["{{stream}}/{key}","{{stream}}","{{}}",""]"#);
        let (stream, reducer) = (stream.clone(), ENQUEUE.to_owned());
        world.plan.cases[0].steps.push(Step::Call { op, stream, reducer, args, refused: None });
        records.push(Record::Invoke { op, attempt: 1 });
        records.push(done(op));
    }
    records.extend(happens);
    let at = world.candidate.records.len() - 1;
    world.candidate.records.splice(at..at, records);
    world
}

fn done(op: OpId) -> Record {
    Record::Complete { op, attempt: 1, completion: Completion::Ok { outcome: Outcome::Done } }
}

fn topic() -> String {
    World::read("pub a1; c1 sub a; c1 a1").unwrap().plan.cases[0].streams[0].id.to_string()
}

fn arrival(key: &str, position: u64, answer: RelayAnswer) -> Arrival {
    let stream = topic();
    Arrival {
        id: format!("id-{key}"),
        key: format!("{stream}/{key}"),
        stream,
        position,
        content: crate::hash::sha256(b"{}"),
        wrong: None,
        answer,
        told: true,
    }
}

fn came(key: &str, position: u64, answer: RelayAnswer) -> Record {
    Record::Mirrored { arrival: arrival(key, position, answer) }
}

fn blocked() -> RelayAnswer {
    RelayAnswer::Refused { why: "blocked: no".to_owned() }
}

fn outbox(marks: [&str; 2]) -> Record {
    let row = |(nth, mark): (usize, &&str)| OutboxRow {
        key: format!("{}/{}", topic(), ["a", "b"][nth]),
        position: nth as u64 + 1,
        relay_event_id: (*mark).to_owned(),
    };
    Record::Outbox { rows: marks.iter().enumerate().map(row).collect() }
}

/// Both events come to the relay, and are marked.
fn mirrored() -> Vec<Record> {
    vec![came("a", 1, RelayAnswer::Stored), came("b", 2, RelayAnswer::Stored), outbox(["id-a", "id-b"])]
}

fn found(world: &World) -> Vec<&'static str> {
    let report = check_one(&CHECKER, &Index::build(&world.plan, &world.legacy, &world.candidate));
    assert!(report.findings.iter().all(|finding| finding.lane == Some(LaneId::Candidate)));
    report.findings.iter().map(|finding| finding.reason.word).collect()
}

#[test]
fn an_outbox_that_is_mirrored_once_and_in_order_is_right() {
    assert_eq!(found(&world(mirrored())), [""; 0]);
}

#[test]
fn the_same_event_again_is_a_duplicate_and_a_blocked_one_is_not_owed() {
    let again = vec![
        came("a", 1, RelayAnswer::Stored),
        came("a", 1, RelayAnswer::Duplicate),
        came("b", 2, blocked()),
        outbox(["id-a", ""]),
    ];
    assert_eq!(found(&world(again)), [""; 0]);
}

#[test]
fn each_way_to_mirror_wrongly_is_found() {
    let changed = |change: fn(&mut Arrival)| {
        let mut arrival = arrival("b", 2, RelayAnswer::Stored);
        change(&mut arrival);
        vec![came("a", 1, RelayAnswer::Stored), Record::Mirrored { arrival }, outbox(["id-a", "id-b"])]
    };
    let with = |more: Record| [mirrored(), vec![more]].concat();
    let twice = || Arrival { id: "id-2".to_owned(), ..arrival("a", 1, RelayAnswer::Stored) };
    let forgotten = vec![came("a", 1, RelayAnswer::Stored), outbox(["id-a", ""])];
    let early = vec![came("a", 1, RelayAnswer::Stored), outbox(["id-a", "id-b"])];
    let swapped = vec![mirrored()[1].clone(), mirrored()[0].clone(), outbox(["id-a", "id-b"])];
    let unmarked = [mirrored()[..2].to_vec(), vec![outbox(["id-a", ""])]].concat();
    let otherwise = [mirrored()[..2].to_vec(), vec![outbox(["id-b", "id-b"])]].concat();
    let cases = [
        (forgotten, "not-mirrored"),
        (early, "not-mirrored"),
        (with(Record::Mirrored { arrival: twice() }), "mirrored-twice"),
        (swapped, "out-of-order"),
        (changed(|arrival| arrival.content = "sha256:00".to_owned()), "altered"),
        (changed(|arrival| arrival.stream = "run:other:events".to_owned()), "altered"),
        (changed(|arrival| arrival.position = 7), "altered"),
        (changed(|arrival| arrival.wrong = Some("no".to_owned())), "wrong-signature"),
        (with(came("c", 3, RelayAnswer::Stored)), "strange"),
        (unmarked, "not-marked"),
        (otherwise, "marked-otherwise"),
    ];
    for (records, word) in cases {
        assert_eq!(found(&world(records)), [word]);
    }
}

#[test]
fn a_publish_that_is_refused_while_events_wait_is_held_up_by_them() {
    let refused = |while_waiting: bool| {
        let mut world = world(mirrored());
        let publish = world.plan.cases[0].steps.iter().find_map(|step| match step {
            Step::Publish { stream, .. } => Some((step.clone(), stream.clone())),
            _ => None,
        });
        let (mut step, _) = publish.unwrap();
        if let Step::Publish { op, expect, .. } = &mut step {
            (*op, *expect) = (OpId(950), PublishExpect::Accepted { seq: Seq(2) });
        }
        world.plan.cases[0].steps.push(step);
        let refusal = Refusal { code: "full".to_owned(), ..Refusal::default() };
        let records = [
            Record::Invoke { op: OpId(950), attempt: 1 },
            Record::Complete { op: OpId(950), attempt: 1, completion: Completion::Fail { refusal } },
        ];
        let first = |record: &Record| matches!(record, Record::Mirrored { .. });
        let waiting_at = world.candidate.records.iter().position(first).unwrap();
        let at = if while_waiting { waiting_at } else { world.candidate.records.len() - 1 };
        world.candidate.records.splice(at..at, records);
        world
    };
    assert_eq!(found(&refused(true)), ["blocks-appends"]);
    assert_eq!(found(&refused(false)), [""; 0]);
}

#[test]
fn a_plan_without_a_bridge_is_not_judged() {
    let mut world = world(Vec::new());
    assert_eq!(found(&world), [""; 0], "a run whose outbox was not read says nothing of it");
    world.plan.bridge = None;
    assert_eq!(found(&world), [""; 0]);
}

/// What the candidate shows where an event is published and delivered after this, and the outbox is mirrored.
fn shown(happens: Vec<Record>) -> Vec<Part> {
    let delivered = Record::Delivered {
        client: "c1".into(),
        conn: ConnId(1),
        sub: SubId(1),
        stream: StreamId::new(topic()),
        seq: Seq(2),
        hash: None,
        declared: None,
        key: None,
        via: crate::history::Via::Transaction,
        verdict: Verdict::Applied,
        payload: None,
    };
    let published = Outcome::Published { seq: Seq(2), duplicate: None, differs: Vec::new() };
    let published = Record::Complete { op: OpId(1), attempt: 1, completion: Completion::Ok { outcome: published } };
    let world = world([happens, vec![published, delivered], mirrored()].concat());
    let earned = earned(&world.plan, &world.candidate).into_iter();
    earned.filter(|part| part.is_of_the_bridge() && *part != Part::OutboxMirrored).collect()
}

#[test]
fn a_relay_in_a_bad_state_shows_its_part_once_an_event_met_it() {
    let relay = |answers| Record::Relay { answers };
    let down = |of| Record::Beside { of, process: Process::Killed { waited_for: KillWait::Nothing } };
    let refused = |why: &str| came("a", 1, RelayAnswer::Refused { why: why.to_owned() });
    let silent = Record::Mirrored { arrival: Arrival { told: false, ..arrival("a", 1, RelayAnswer::Stored) } };
    let again = came("a", 1, RelayAnswer::Duplicate);
    let fire = crate::history::Fire { conn: 1, frame: 1, hit: String::new(), rewrote: None };
    let cases = [
        (vec![], vec![]),
        (vec![down(Beside::Relay)], vec![Part::RelayDown]),
        (vec![down(Beside::Relay), down(Beside::Relay)], vec![Part::RelayDown, Part::RelayFlapping]),
        (vec![Record::Fault { fault: "slow".into(), client: BRIDGE.into(), fire }], vec![Part::RelaySlow]),
        (vec![relay(Mood::Failing)], vec![]),
        (vec![relay(Mood::Failing), refused("error: full")], vec![Part::RelayRefusing]),
        (vec![relay(Mood::Blocking), refused("blocked: no")], vec![Part::RelayBlocking]),
        (vec![relay(Mood::Garbling), came("a", 1, RelayAnswer::Garbage)], vec![Part::RelayGarbling]),
        (vec![relay(Mood::Silent), silent, again], vec![Part::RelaySilent]),
        (vec![down(Beside::Bridge)], vec![Part::BridgeKilled]),
    ];
    for (happens, parts) in cases {
        assert_eq!(shown(happens), parts);
    }
}

#[test]
fn an_outbox_that_was_not_mirrored_shows_nothing() {
    let world = world(vec![came("a", 1, RelayAnswer::Stored), outbox(["id-a", ""])]);
    assert!(!earned(&world.plan, &world.candidate).iter().any(|part| part.is_of_the_bridge()));
}
