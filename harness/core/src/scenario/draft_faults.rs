//! The faults and toxics of a scenario as they stand in its file.

use super::draft::{CursorWord, Number};
use super::read::At;
use super::script::{Cut, Lanes, When};
use crate::plan::{ByteToxic, Direction, FaultKind, MessageKind, Scope};

/// A word that may be left to the cases or to chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick<T> {
    This(T),
    Each,
    Random,
}

#[derive(Debug)]
pub(super) struct FaultDraft {
    pub(super) name: String,
    /// Clients, or the writer where `None`.
    pub(super) clients: Option<Vec<usize>>,
    pub(super) lane: Lanes,
    pub(super) at: At<PlaceDraft>,
    pub(super) kind: KindDraft,
    pub(super) draws: u64,
    pub(super) always: bool,
}

#[derive(Debug)]
pub(super) enum PlaceDraft {
    Delivery { stream: usize, seqs: Vec<At<Number>> },
    Proof { stream: usize },
    Ack { stream: usize, seqs: Vec<At<Number>> },
    Resume(Number),
    ResumeReply(Number),
    HeartbeatReply(Number),
    Message(PickDraft),
}

/// A message, picked by what it is and carries.
#[derive(Debug)]
pub(super) struct PickDraft {
    pub(super) direction: Direction,
    pub(super) kind: Option<MessageKind>,
    pub(super) event: Option<String>,
    pub(super) stream: Option<usize>,
    pub(super) seq: Option<At<Number>>,
    pub(super) payload: Option<(String, Option<String>)>,
    pub(super) nth: Option<At<Number>>,
    pub(super) per: Scope,
}

/// A byte toxic.
#[derive(Debug)]
pub(super) struct ToxicDraft {
    pub(super) name: String,
    /// Clients, or the writer where `None`.
    pub(super) clients: Option<Vec<usize>>,
    pub(super) lane: Lanes,
    pub(super) stream: Direction,
    pub(super) toxicity: f64,
    pub(super) toxic: ByteToxic,
}

#[derive(Debug)]
pub(super) enum KindDraft {
    Cut {
        how: Pick<Cut>,
        code: u16,
        when: Pick<When>,
    },
    Hold {
        acked: Option<(usize, At<Number>)>,
    },
    RewriteCursor {
        stream: usize,
        to: At<CursorWord>,
    },
    ReplacePayload,
    Misdeliver {
        stream: usize,
        seq: At<Number>,
    },
    /// The file says all that the plan will.
    Settled(FaultKind),
}

impl KindDraft {
    /// Whether it plants a defect.
    pub(super) fn is_mutation(&self) -> bool {
        matches!(
            self,
            KindDraft::ReplacePayload | KindDraft::Misdeliver { .. } | KindDraft::Settled(FaultKind::Mutate { .. })
        )
    }

    /// Whether it takes a message from its place among the others, so that clients have to notice.
    pub(super) fn displaces(&self) -> bool {
        matches!(self, KindDraft::Settled(FaultKind::Drop | FaultKind::Reorder { .. }))
    }

    /// Whether it delivers again.
    pub(super) fn repeats(&self) -> bool {
        matches!(self, KindDraft::Settled(FaultKind::Repeat { .. }))
    }

    /// Whether it ends the connection.
    pub(super) fn ends(&self) -> bool {
        matches!(self, KindDraft::Cut { .. } | KindDraft::Settled(FaultKind::Drain { .. }))
    }
}
