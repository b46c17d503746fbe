use super::{Ack, Checkpoint, decide_ack};
use crate::refusal::Refusal;

const STANDING: Checkpoint = Checkpoint { seq: 5, durable_offset: 50 };

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
    let conflict = Err(Refusal::CheckpointConflict { seq: 5, durable_offset: 50 });
    assert_eq!(ack(4, 60), conflict);
    assert_eq!(ack(6, 49), conflict);
    assert_eq!(ack(5, 51), conflict);
}
