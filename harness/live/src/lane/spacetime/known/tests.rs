use super::super::incoming::Kind;
use super::super::rows::StreamRow;
use super::*;

const NOW: i64 = 1_700_000_000_000_000;

fn event(seq: u64) -> EventRow {
    EventRow {
        stream_id: "s".to_owned(),
        seq,
        idempotency_key: format!("k{seq}"),
        committed_at: Some(NOW + seq as i64),
        confirmed_read: Some(true),
        payload_hash: "sha256:00".to_owned(),
        payload: "{}".to_owned(),
    }
}

fn known() -> Known {
    let mut known = Known::new(Arc::new(Names::verbatim(&["s"])), Times::default());
    assert_eq!(told(&mut known, &[event(1), event(2)], &[], Some((2, 1))), []);
    known
}

fn told(known: &mut Known, events: &[EventRow], deleted: &[EventRow], row: Option<(u64, u64)>) -> Vec<Contradiction> {
    let streams =
        row.map(|(head_seq, oldest)| StreamRow { stream_id: "s".to_owned(), head_seq, oldest_seq: Some(oldest) });
    let wrong = known.read(&Incoming {
        name: "TransactionUpdate",
        kind: Kind::Transaction,
        events: events.iter().cloned().map(Ok).collect(),
        deleted: deleted.to_vec(),
        streams: streams.into_iter().collect(),
    });
    wrong.into_iter().map(|(_, _, what, _)| what).collect()
}

#[test]
fn an_append_that_moves_the_head_and_prunes_is_right() {
    assert_eq!(told(&mut known(), &[event(3)], &[event(1)], Some((3, 2))), []);
}

#[test]
fn a_head_that_is_not_the_new_event_or_goes_back_is_told() {
    assert_eq!(told(&mut known(), &[event(3)], &[], None), [Contradiction::RowHead]);
    assert_eq!(told(&mut known(), &[event(3)], &[], Some((2, 1))), [Contradiction::RowHead]);
    assert_eq!(told(&mut known(), &[], &[], Some((1, 1))), [Contradiction::RowHead]);
}

#[test]
fn a_row_that_retention_keeps_is_not_deleted_and_none_is_rewritten() {
    assert_eq!(told(&mut known(), &[], &[event(2)], Some((2, 2))), [Contradiction::RowDeleted]);
    let again = EventRow { payload: "{ }".to_owned(), ..event(2) };
    assert_eq!(told(&mut known(), &[again], &[event(2)], None), [Contradiction::RowRewritten]);
}

#[test]
fn a_commit_time_is_of_this_century_stays_and_grows() {
    let at = |seq, time| EventRow { committed_at: Some(time), ..event(seq) };
    for row in [at(3, 0), at(3, NOW / 1000), at(2, NOW + 9), at(3, NOW - OUT_OF_ORDER)] {
        let head = Some((row.seq.max(2), 1));
        assert_eq!(told(&mut known(), &[row], &[], head), [Contradiction::CommittedAt]);
    }
}

#[test]
fn an_event_is_for_confirmed_reads_and_has_a_hash() {
    let unconfirmed = EventRow { confirmed_read: Some(false), ..event(3) };
    assert_eq!(told(&mut known(), &[unconfirmed], &[], Some((3, 1))), [Contradiction::ConfirmedRead]);
    let bare = EventRow { payload_hash: String::new(), ..event(3) };
    assert_eq!(told(&mut known(), &[bare], &[], Some((3, 1))), [Contradiction::HashMissing]);
}
