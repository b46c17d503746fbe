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
    Err(Refusal::PayloadHashMismatch { given: given.to_owned(), computed })
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
        return if same { Ok(Append::Repeat) } else { Err(Refusal::IdempotencyConflict { seq: earlier.seq }) };
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
        return Err(Refusal::BadArgument { argument, message: "it is blank" });
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(Refusal::BadArgument { argument, message: "it is longer than 512 bytes" });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
