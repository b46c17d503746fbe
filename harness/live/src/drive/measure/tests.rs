use cutover_core::history::Via;
use cutover_core::ids::ConnId;

use super::*;

fn recorded(records: &[(u64, Record)]) -> Recorded {
    Recorded {
        records: records.iter().map(|(_, record)| record.clone()).collect(),
        times_us: records.iter().map(|(at, _)| *at).collect(),
    }
}

fn sent(op: u32) -> Record {
    Record::Invoke { op: OpId(op), attempt: 1 }
}

fn answered(op: u32, seq: u64) -> Record {
    let outcome = Outcome::Published { seq: Seq(seq), duplicate: None, differs: Vec::new() };
    Record::Complete { op: OpId(op), attempt: 1, completion: Completion::Ok { outcome } }
}

fn delivered(seq: u64, verdict: Verdict) -> Record {
    let (client, stream) = (ClientId::new("desk"), StreamId::new("run:a:events"));
    let (conn, sub, seq, via) = (ConnId(1), SubId(1), Seq(seq), Via::UpdateBatch);
    let (hash, declared, key, payload) = (None, None, None, None);
    Record::Delivered { client, conn, sub, stream, seq, hash, declared, key, via, verdict, payload }
}

fn closed(why: Closed) -> Record {
    Record::Closed { client: ClientId::new("desk"), conn: ConnId(1), why }
}

fn subscribed(sub: u32) -> Record {
    let (client, stream) = (ClientId::new("desk"), StreamId::new("run:a:events"));
    Record::Subscribed { client, conn: ConnId(2), sub: SubId(sub), stream, cursor: None }
}

fn accepted(sub: u32) -> Record {
    let (client, stream) = (ClientId::new("desk"), StreamId::new("run:a:events"));
    Record::Accepted { client, sub: SubId(sub), stream, head: None }
}

fn turn(due: &[(u32, u64)]) -> Turn {
    let due = due.iter().map(|(op, due)| (OpId(*op), StreamId::new("run:a:events"), *due));
    Turn { block: 3, from: 0, began_us: 0, due: due.collect() }
}

fn told(measured: &[Record]) -> Vec<String> {
    let told = measured.iter().map(|record| match record {
        Record::Timed(timed) => {
            format!("{} late {} acked {} applied {}", timed.op, timed.late_us, timed.acked_us, timed.applied_us)
        }
        Record::Recovered { client, after_us } => format!("{client} after {after_us}"),
        other => format!("{other:?}"),
    });
    told.collect()
}

#[test]
fn a_delivery_counts_from_the_moment_when_it_was_to_be_sent() {
    let records = recorded(&[
        (1_005, sent(1)),
        (1_800, delivered(1, Verdict::Applied)),
        (2_000, answered(1, 1)),
        (2_500, delivered(1, Verdict::Duplicate)),
    ]);
    assert_eq!(told(&turn(&[(1, 1_000)]).measured(&records)), ["1 late 5 acked 1000 applied 800"]);
}

#[test]
fn an_event_that_waits_for_the_answer_to_the_one_before_is_not_late_but_slow() {
    let records = recorded(&[
        (1_000, sent(1)),
        (9_000, answered(1, 1)),
        (9_002, sent(2)),
        (9_100, delivered(1, Verdict::Applied)),
        (9_500, answered(2, 2)),
        (9_600, delivered(2, Verdict::Applied)),
    ]);
    let turn = turn(&[(1, 1_000), (2, 2_000)]);
    assert_eq!(
        told(&turn.measured(&records)),
        ["1 late 0 acked 8000 applied 8100", "2 late 2 acked 7500 applied 7600"]
    );
}

#[test]
fn an_event_that_this_machine_sent_far_too_late_is_no_sample() {
    let late = |sent_us| {
        let records =
            recorded(&[(sent_us, sent(1)), (40_000, answered(1, 1)), (50_000, delivered(1, Verdict::Applied))]);
        let turn = turn(&[(1, 1_000)]);
        turn.samples(&turn.measured(&records))
    };
    assert_eq!(late(11_000), [Sample { us: 39_000, block: 3 }], "what was late is taken off");
    assert_eq!(late(31_000), []);
}

#[test]
fn a_client_has_recovered_once_all_its_subscriptions_are_accepted() {
    let records = recorded(&[
        (1_000, closed(Closed::Silent)),
        (2_000, closed(Closed::NotOpened { why: "refused".to_owned() })),
        (3_000, subscribed(2)),
        (3_000, subscribed(3)),
        (4_000, accepted(2)),
        (5_000, accepted(3)),
    ]);
    assert_eq!(told(&turn(&[]).measured(&records)), ["desk after 4000"]);
}

#[test]
fn a_client_that_closes_by_itself_recovers_from_nothing() {
    let records = recorded(&[(1_000, closed(Closed::ByClient)), (3_000, subscribed(2)), (4_000, accepted(2))]);
    assert_eq!(turn(&[]).measured(&records), []);
}
