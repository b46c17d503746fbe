use super::{Append, Earlier, checked_hash, decide_append};
use crate::refusal::{MAX_NAME_BYTES, Refusal, check_name};

fn earlier() -> Earlier {
    Earlier { seq: 3, payload_hash: "sha256:a".to_owned() }
}

#[test]
fn the_first_event_of_a_stream_is_seq_1() {
    assert_eq!(decide_append(0, None, "sha256:a", None), Ok(Append::Write { seq: 1 }));
    assert_eq!(decide_append(0, None, "sha256:a", Some(1)), Ok(Append::Write { seq: 1 }));
}

#[test]
fn a_repeat_changes_nothing_even_with_the_seq_that_was_right_then() {
    assert_eq!(decide_append(7, Some(&earlier()), "sha256:a", Some(3)), Ok(Append::Repeat));
}

#[test]
fn the_same_key_with_another_payload_is_a_conflict() {
    let refused = decide_append(7, Some(&earlier()), "sha256:b", None);
    assert_eq!(refused, Err(Refusal::IdempotencyConflict { seq: 3 }));
}

#[test]
fn another_next_seq_than_expected_is_a_conflict() {
    let refused = decide_append(7, None, "sha256:a", Some(7));
    assert_eq!(refused, Err(Refusal::SequenceConflict { expected: 7, actual: 8 }));
}

#[test]
fn a_wrong_hash_is_refused_and_none_is_filled_in() {
    assert!(matches!(checked_hash("{}", "sha256:00"), Err(Refusal::PayloadHashMismatch { .. })));
    let hash = checked_hash("{}", "");
    assert!(hash.is_ok());
    assert_eq!(hash.clone().and_then(|hash| checked_hash(" {}", &hash)), hash);
}

#[test]
fn a_name_must_be_there_and_have_a_bound() {
    assert!(check_name("stream_id", " ").is_err());
    assert!(check_name("stream_id", &"a".repeat(MAX_NAME_BYTES + 1)).is_err());
    assert!(check_name("stream_id", &"a".repeat(MAX_NAME_BYTES)).is_ok());
    assert!(check_name("stream_id", "a").is_ok());
}
