//! What came of the attempts of a plan: each is done with a token, and a lane must let it pass or refuse it.

use super::index::{Attempted, Index, LaneIndex, OpState, PlannedOp, Settled, What};
use crate::history::{Completion, Outcome, Record};
use crate::ids::StreamId;
use crate::plan::{CONNECT, HELD, INVALID_TOKEN, Needs, Refused};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Something came of a stream that the identity may not read.
    Delivered {
        at: usize,
        of: StreamId,
    },
    /// Nothing came of the stream, which the identity may read.
    Withheld {
        at: usize,
    },
    /// It was done, and had to be refused.
    Done {
        at: usize,
        expected: String,
    },
    /// It was refused, and had to be done.
    Refused {
        at: usize,
        code: String,
    },
    OtherCode {
        at: usize,
        expected: &'static str,
        code: String,
    },
    Unanswered {
        why: String,
    },
}

/// The attempts of a lane, each with its operation and what came of it. `connects` chooses those that only connect, or
/// all others.
pub(super) fn attempts<'a>(
    index: &'a Index<'a>,
    lane: &'a LaneIndex<'a>,
    connects: bool,
) -> impl Iterator<Item = (&'a PlannedOp<'a>, &'a OpState<'a>, &'a Attempted<'a>)> {
    let ops = index.plan.ops.iter().zip(&lane.ops);
    ops.filter_map(move |(op, state)| match &op.what {
        What::Attempt(Some(attempted)) if (attempted.deed.word == CONNECT) == connects => Some((op, state, attempted)),
        _ => None,
    })
}

pub(super) fn judged(
    lane: &LaneIndex<'_>,
    stream: &str,
    attempted: &Attempted<'_>,
    state: &OpState<'_>,
) -> Option<Wrong> {
    let expected = expected(lane, attempted);
    match state.settled {
        Settled::NeverSent if state.sent.is_some() => None,
        Settled::NeverSent => Some(Wrong::Unanswered { why: "it was never done".to_owned() }),
        Settled::Open => Some(Wrong::Unanswered { why: "no answer came".to_owned() }),
        Settled::PutOff { why, .. } => Some(Wrong::Unanswered { why: why.to_owned() }),
        Settled::Refused { at, refusal } => match expected {
            Refused::With(code) if refusal.code != code && !refusal.code.starts_with("http_") => {
                Some(Wrong::OtherCode { at, expected: code, code: refusal.code.clone() })
            }
            _ if attempted.allowed => Some(Wrong::Refused { at, code: refusal.code.clone() }),
            _ => None,
        },
        Settled::Done { at, .. } => {
            let seen = seen(lane, at);
            if let Some(of) = seen.iter().find(|of| !attempted.sees.contains(of)) {
                return Some(Wrong::Delivered { at, of: of.clone() });
            }
            match (attempted.allowed, attempted.deed.needs, expected) {
                (true, Needs::Read, _) if !seen.iter().any(|of| of.as_str() == stream) => Some(Wrong::Withheld { at }),
                (false, _, Refused::With(code)) => Some(Wrong::Done { at, expected: code.to_owned() }),
                _ => None,
            }
        }
    }
}

/// What the lane does, where that is not allowed.
fn expected(lane: &LaneIndex<'_>, attempted: &Attempted<'_>) -> Refused {
    match attempted.deed.needs {
        _ if attempted.allowed => Refused::Unknown,
        Needs::Token => Refused::With(attempted.token.refused.unwrap_or(INVALID_TOKEN)),
        // The token of a connection that was kept may have ended, too.
        _ if attempted.deed.word == HELD => Refused::InSilence,
        _ => attempted.deed.on(lane.lane),
    }
}

fn seen<'a>(lane: &LaneIndex<'a>, at: usize) -> &'a [StreamId] {
    match lane.history.records.get(at) {
        Some(Record::Complete { completion: Completion::Ok { outcome: Outcome::Seen { streams, .. } }, .. }) => streams,
        _ => &[],
    }
}
