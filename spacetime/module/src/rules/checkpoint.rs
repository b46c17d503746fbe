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
        return Err(Refusal::CheckpointConflict {
            seq: standing.seq,
            durable_offset: standing.durable_offset,
        });
    }
    if asked.seq > head_seq {
        Err(Refusal::CheckpointBeyondHead { head_seq })
    } else {
        Ok(Ack::Write)
    }
}

#[cfg(test)]
mod tests {
    use super::{Ack, Checkpoint, decide_ack};
    use crate::rules::refusal::Refusal;

    const STANDING: Checkpoint = Checkpoint {
        seq: 5,
        durable_offset: 50,
    };

    fn ack(seq: u64, durable_offset: u64) -> Result<Ack, Refusal> {
        decide_ack(Some(STANDING), Checkpoint { seq, durable_offset }, 9)
    }

    #[test]
    fn a_checkpoint_moves_forward_up_to_the_head() {
        assert_eq!(decide_ack(None, STANDING, 9), Ok(Ack::Write));
        assert_eq!(ack(9, 50), Ok(Ack::Write));
        assert_eq!(ack(10, 60), Err(Refusal::CheckpointBeyondHead { head_seq: 9 }));
    }

    #[test]
    fn the_same_checkpoint_again_changes_nothing() {
        assert_eq!(ack(5, 50), Ok(Ack::Repeat));
    }

    #[test]
    fn a_checkpoint_never_moves_back() {
        let conflict = Err(Refusal::CheckpointConflict {
            seq: 5,
            durable_offset: 50,
        });
        assert_eq!(ack(4, 60), conflict);
        assert_eq!(ack(6, 49), conflict);
        assert_eq!(ack(5, 51), conflict);
    }
}
