//! Whether a client's checkpoint may move.

use super::refusal::Refusal;

/// How far a client has come in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last seq that the client applied.
    pub seq: u64,
    /// The offset up to which the client has it on disk, in the client's own count.
    pub durable_offset: u64,
}

/// What an acknowledgement comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack {
    /// Write the checkpoint.
    Write,
    /// It stands already: change nothing.
    Repeat,
}

/// Decides an acknowledgement against the checkpoint that stands and the stream's head.
///
/// # Errors
/// Where it would move the seq or the offset back, gives the same seq another offset, or claims events that the stream
/// does not have.
pub fn decide_ack(standing: Option<Checkpoint>, asked: Checkpoint, head_seq: u64) -> Result<Ack, Refusal> {
    if standing == Some(asked) {
        return Ok(Ack::Repeat);
    }
    if let Some(standing) = standing
        && (asked.seq <= standing.seq || asked.durable_offset < standing.durable_offset)
    {
        return Err(Refusal::CheckpointConflict { seq: standing.seq, durable_offset: standing.durable_offset });
    }
    if asked.seq > head_seq { Err(Refusal::CheckpointBeyondHead { head_seq }) } else { Ok(Ack::Write) }
}

#[cfg(test)]
mod tests;
