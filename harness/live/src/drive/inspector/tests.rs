#![allow(clippy::unwrap_used)]

use super::*;

fn event(seq: u64, key: &str, payload: &str) -> ShownEvent {
    ShownEvent {
        seq,
        key: key.to_owned(),
        payload: payload.to_owned(),
        payload_hash: Some(payload_hash(payload.as_bytes()).unwrap().to_string()),
        committed_at: Some(i64::try_from(wall_clock_us()).unwrap()),
        confirmed_read: Some(true),
    }
}

fn known(event: &ShownEvent) -> Known {
    let (key, payload, hash) = (event.key.clone(), event.payload.clone(), event.payload_hash.clone());
    Known { key, payload, hash, committed_at: event.committed_at }
}

fn fields(differs: &[Differs]) -> Vec<&str> {
    differs.iter().map(|differs| differs.field.as_str()).collect()
}

#[test]
fn a_stored_event_that_stayed_as_it_was_acknowledged_differs_in_nothing() {
    let stored = event(1, "k", r#"{"a":1}"#);
    let mut differs = Vec::new();
    compare(Some(&mut known(&stored)), &stored, &mut differs);
    assert_eq!(differs, []);
}

#[test]
fn a_row_that_a_repeat_wrote_anew_differs_in_its_text_and_its_time() {
    let first = event(1, "k", r#"{"a":1}"#);
    let rewritten = ShownEvent {
        payload: r#"{ "a": 1 }"#.to_owned(),
        committed_at: first.committed_at.map(|time| time + 1),
        confirmed_read: Some(false),
        ..first.clone()
    };
    let mut differs = Vec::new();
    compare(Some(&mut known(&first)), &rewritten, &mut differs);
    assert_eq!(fields(&differs), ["confirmed_read", "payload", "committed_at"]);
}

#[test]
fn a_column_that_a_lane_does_not_store_is_not_compared() {
    let first = event(1, "k", "1");
    let bare = ShownEvent { payload_hash: None, committed_at: None, confirmed_read: None, ..first.clone() };
    let mut differs = Vec::new();
    compare(Some(&mut known(&first)), &bare, &mut differs);
    differs.extend(compare_times(&vec![bare; 12]).into_iter().map(|(_, differs)| differs));
    assert_eq!(differs, []);
}

#[test]
fn a_row_that_nobody_acknowledged_has_a_strange_key() {
    let mut differs = Vec::new();
    compare(None, &event(9, "strange", "1"), &mut differs);
    assert_eq!(fields(&differs), ["idempotency_key"]);
}

#[test]
fn commit_times_that_go_back_or_stand_still_are_noticed() {
    let times = |times: &[i64]| {
        let event =
            |(seq, time): (usize, &i64)| ShownEvent { committed_at: Some(*time), ..event(seq as u64 + 1, "k", "1") };
        let events: Vec<ShownEvent> = times.iter().enumerate().map(event).collect();
        compare_times(&events).into_iter().map(|(seq, differs)| (seq.unwrap(), differs.expected)).collect::<Vec<_>>()
    };
    assert_eq!(times(&[5, 5, 6, 6, 6, 4, 7]), []);
    assert_eq!(times(&[2_000_000, 900_000]), [(2, "2000000 or later".to_owned())]);
    assert_eq!(times(&[7; 12]), [(9, "later than 7".to_owned())]);
}

#[test]
fn a_key_that_is_gone_moved_or_strange_is_noticed() {
    let events: BTreeMap<u64, Known> =
        [(1, known(&event(1, "a", "1"))), (2, known(&event(2, "b", "2"))), (3, known(&event(3, "c", "3")))].into();
    let hash = |payload: &str| payload_hash(payload.as_bytes()).unwrap().to_string();
    let key = |key: &str, seq, hash| ShownKey { key: key.to_owned(), seq, payload_hash: Some(hash) };
    let mut differs = Vec::new();
    compare_keys(&events, &[key("a", 1, hash("1")), key("b", 7, hash("2")), key("z", 4, hash("4"))], &mut differs);
    let found: Vec<_> = differs.iter().map(|(seq, differs)| (*seq, differs.field.as_str())).collect();
    let (append_key, seq) = ("sync_append_key.append_key", "sync_append_key.seq");
    assert_eq!(found, [(Some(2), seq), (Some(3), append_key), (Some(4), append_key)]);
}

#[test]
fn keys_of_another_form_are_not_compared() {
    let events = [(1, known(&event(1, "a", "1")))].into();
    let mut differs = Vec::new();
    compare_keys(
        &events,
        &[ShownKey { key: "x/a".to_owned(), seq: 1, payload_hash: Some(String::new()) }],
        &mut differs,
    );
    assert_eq!(differs, []);
}

#[test]
fn seqs_become_unbroken_ranges_and_one_that_comes_twice_stands_alone() {
    assert_eq!(ranges([3, 4, 5, 5, 6, 9].into_iter()), [(3, 5), (5, 6), (9, 9)]);
    assert_eq!(ranges([].into_iter()), []);
}
