//! Whether an event may be appended, and as which seq.

use super::canonical::payload_hash;
use super::refusal::Refusal;

/// The longest stream id, idempotency key, client id or scope, in bytes.
pub const MAX_NAME_BYTES: usize = 512;

/// The event that was written under an idempotency key before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub seq: u64,
    pub payload_hash: String,
}

/// What an append does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Append {
    /// Write the event as this seq.
    Write { seq: u64 },
    /// The same event is there already: change nothing.
    Repeat,
}

/// Computes a payload's hash and compares it with the one given; an empty one stands for none given.
pub fn checked_hash(payload: &str, given: &str) -> Result<String, Refusal> {
    let computed = payload_hash(payload).map_err(Refusal::InvalidPayload)?;
    if given.is_empty() || given == computed {
        return Ok(computed);
    }
    Err(Refusal::PayloadHashMismatch { given: given.to_owned(), computed })
}

/// Decides an append, the payload's hash being `hash` and the stream's head `head_seq`.
///
/// The key is checked before the expected seq: a repeat of an append that was written carries the seq that was right then.
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
