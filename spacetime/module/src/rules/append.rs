//! Whether an event may be appended, and as which seq.

use super::canonical::payload_hash;
use super::refusal::Refusal;

/// The longest stream id, idempotency key, client id or scope, in bytes.
pub const MAX_NAME_BYTES: usize = 512;

/// What was written under an idempotency key before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The event's seq.
    pub seq: u64,
    /// The hash of its payload.
    pub payload_hash: String,
}

/// What an append comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Append {
    /// Write the event as this seq.
    Write {
        /// The event's seq.
        seq: u64,
    },
    /// The same event is there already: change nothing.
    Repeat,
}

/// Computes a payload's hash and compares it with the one given; an empty one stands for none given.
///
/// # Errors
/// Where the payload has no canonical form, or the hash given is not its.
pub fn checked_hash(payload: &str, given: &str) -> Result<String, Refusal> {
    let computed = payload_hash(payload).map_err(Refusal::InvalidPayload)?;
    if given.is_empty() || given == computed {
        return Ok(computed);
    }
    Err(Refusal::PayloadHashMismatch {
        given: given.to_owned(),
        computed,
    })
}

/// Decides an append, the payload's hash being `hash` and the stream's head `head_seq`.
///
/// The key is looked at before the expected seq, because a repeat of an append that went through carries the seq that
/// was right then.
///
/// # Errors
/// Where the key has another payload, or the next seq is not the expected one.
pub fn decide_append(
    head_seq: u64,
    earlier: Option<&Earlier>,
    hash: &str,
    expected_next_seq: Option<u64>,
) -> Result<Append, Refusal> {
    if let Some(earlier) = earlier {
        let same = earlier.payload_hash == hash;
        return if same {
            Ok(Append::Repeat)
        } else {
            Err(Refusal::IdempotencyConflict { seq: earlier.seq })
        };
    }
    let actual = head_seq + 1;
    match expected_next_seq {
        Some(expected) if expected != actual => Err(Refusal::SequenceConflict { expected, actual }),
        _ => Ok(Append::Write { seq: actual }),
    }
}

/// Refuses a name that is blank or longer than [`MAX_NAME_BYTES`].
///
/// # Errors
/// Where the name is either, with the argument's name.
pub fn check_name(argument: &'static str, name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        return Err(Refusal::BadArgument {
            argument,
            message: "it is blank",
        });
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(Refusal::BadArgument {
            argument,
            message: "it is longer than 512 bytes",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Append, Earlier, check_name, checked_hash, decide_append};
    use crate::rules::refusal::Refusal;

    fn earlier() -> Earlier {
        Earlier {
            seq: 3,
            payload_hash: "sha256:a".to_owned(),
        }
    }

    #[test]
    fn the_first_event_of_a_stream_is_seq_1() {
        assert_eq!(decide_append(0, None, "sha256:a", None), Ok(Append::Write { seq: 1 }));
        assert_eq!(
            decide_append(0, None, "sha256:a", Some(1)),
            Ok(Append::Write { seq: 1 })
        );
    }

    #[test]
    fn a_repeat_changes_nothing_even_with_the_seq_that_was_right_then() {
        assert_eq!(
            decide_append(7, Some(&earlier()), "sha256:a", Some(3)),
            Ok(Append::Repeat)
        );
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
        assert!(matches!(
            checked_hash("{}", "sha256:00"),
            Err(Refusal::PayloadHashMismatch { .. })
        ));
        let hash = checked_hash("{}", "");
        assert!(hash.is_ok());
        assert_eq!(hash.clone().and_then(|hash| checked_hash(" {}", &hash)), hash);
    }

    #[test]
    fn a_name_must_be_there_and_have_a_bound() {
        assert!(check_name("stream_id", " ").is_err());
        assert!(check_name("stream_id", &"a".repeat(513)).is_err());
        assert!(check_name("stream_id", "a").is_ok());
    }
}
