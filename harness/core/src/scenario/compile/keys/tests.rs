#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::*;
use crate::scenario::compile::payload::Payload;

fn stream(topic: &str, keys: Keys) -> Stream {
    Stream { topic: topic.to_owned(), retention: None, replay_budget: None, payload: Payload::Small, keys }
}

fn keys(streams: &[Stream], at: usize, count: u64) -> Vec<String> {
    (1..=count).map(|seq| key(streams, at, seq, &format!("mark {seq}"))).collect()
}

#[test]
fn no_two_events_of_a_stream_have_one_key() {
    for kind in [Keys::Own, Keys::Shared, Keys::Long, Keys::Alike, Keys::Joined] {
        let streams = [stream("run:pair:events", kind), stream("run:pair/1:events", kind)];
        for at in 0..streams.len() {
            let keys: BTreeSet<_> = keys(&streams, at, 3_000).into_iter().collect();
            assert_eq!(keys.len(), 3_000, "{kind:?}");
        }
    }
}

#[test]
fn long_keys_are_no_longer_distinct_where_the_last_byte_is_cut() {
    let streams = [stream("run:a:events", Keys::Long)];
    let keys = keys(&streams, 0, 120);
    for length in LENGTHS {
        let of_length: Vec<_> = keys.iter().filter(|key| key.len() == length).collect();
        let cut: BTreeSet<_> = of_length.iter().map(|key| &key[..length - 1]).collect();
        assert!(cut.len() < of_length.len(), "{length}");
    }
}

#[test]
fn alike_keys_are_no_longer_distinct_in_one_case_or_with_one_separator() {
    let streams = [stream("run:a:events", Keys::Alike)];
    let keys = keys(&streams, 0, 120);
    let distinct = |fold: &dyn Fn(&str) -> String| keys.iter().map(|key| fold(key)).collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(&str::to_owned), 120);
    assert!(distinct(&str::to_lowercase) < 120);
    assert!(distinct(&|key| key.replace('_', "-")) < 120);
    assert!(distinct(&|key| key.replace("e\u{301}", "\u{e9}")) < 120);
    assert!(distinct(&|key| key.trim_start_matches('0').to_owned()) < 120);
    assert!(distinct(&|key| key.replace("%2D", "-")) < 120);
}

#[test]
fn joined_keys_meet_behind_their_ids_with_every_separator_and_without_one() {
    let topics = ["run:pair:events", "run:pair-1:events", "run:pair/1:events", "run:pair|1:events"];
    let streams = topics.map(|topic| stream(topic, Keys::Joined));
    for separator in ["", "-", "/", "|"] {
        let joined = |at: usize| -> BTreeSet<String> {
            keys(&streams, at, 24).iter().map(|key| format!("{}{separator}{key}", id(topics[at]))).collect()
        };
        let met = (1..topics.len()).filter(|other| joined(0).intersection(&joined(*other)).next().is_some());
        assert!(met.count() > 0, "{separator:?}");
    }
}

#[test]
fn keys_can_be_joined_where_one_id_begins_all_others() {
    let can = |topics: &[&str]| can_join(topics.iter().copied());
    assert!(can(&["run:pair:events", "worker:pair1:lifecycle"]));
    assert!(!can(&["run:pair:events"]));
    assert!(!can(&["run:pair:events", "worker:pair:lifecycle"]));
    assert!(!can(&["run:pair:events", "run:paid:events"]));
}
