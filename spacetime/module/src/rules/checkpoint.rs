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

/// What an acknowledgement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack {
    Write,
    /// The same checkpoint is there already: change nothing.
    Repeat,
}

/// Decides an acknowledgement. Seq and offset never move back, the same seq keeps its offset, and no seq is beyond the head.
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
