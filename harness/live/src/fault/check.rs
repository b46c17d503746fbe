//! Whether a planned fault can strike at all, before it is armed.

use cutover_core::plan::{Cut, FaultKind, Mutation, PlannedFault, Position};

use crate::frame::pointer::{is_json, is_pointer};

/// Why a fault would never strike, or would do harm to more than it names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {mend}")]
pub struct PlanError {
    /// What is wrong, with the value.
    pub what: String,
    /// How to mend it.
    pub mend: &'static str,
}

/// Looks at a fault's position and at what it is to do.
///
/// # Errors
/// The first thing that can't be.
pub fn check(fault: &PlannedFault) -> Result<(), PlanError> {
    if let Position::Message(pick) = &fault.at {
        if pick.nth == Some(0) {
            return Err(wrong("nth is 0", "messages are counted from 1"));
        }
        if let Some(predicate) = &pick.payload {
            pointer(&predicate.pointer)?;
            predicate.equals.as_deref().map_or(Ok(()), json)?;
        }
    }
    match &fault.kind {
        FaultKind::Cut {
            how: Cut::Close { code },
            ..
        }
        | FaultKind::Drain { code, .. } => close_code(*code),
        FaultKind::Repeat { more: 0 } => Err(wrong("it repeats 0 times", "say how often")),
        FaultKind::Reorder { behind: 0, .. } => Err(wrong("nothing may pass the message", "`behind` is at least 1")),
        FaultKind::Split { frames: 0 | 1 } => {
            Err(wrong("a message in one frame is not split", "`frames` is at least 2"))
        }
        FaultKind::Merge { messages: 0, .. } => Err(wrong("no message is none", "`messages` counts from 1")),
        FaultKind::Mutate {
            mutation: Mutation::SetJson { pointer: at, value },
        } => pointer(at).and_then(|()| json(value)),
        FaultKind::Mutate {
            mutation: Mutation::SetColumn { value, .. },
        } => json(value),
        _ => Ok(()),
    }
}

fn wrong(what: impl Into<String>, mend: &'static str) -> PlanError {
    PlanError {
        what: what.into(),
        mend,
    }
}

fn pointer(text: &str) -> Result<(), PlanError> {
    let mend = "it is empty or begins with `/`, and a `~` in it is followed by 0 or 1 (RFC 6901)";
    is_pointer(text)
        .then_some(())
        .ok_or_else(|| wrong(format!("`{text}` is no JSON Pointer"), mend))
}

fn json(text: &str) -> Result<(), PlanError> {
    let mend = "a text stands in quotes of its own";
    is_json(text)
        .then_some(())
        .ok_or_else(|| wrong(format!("`{text}` is no JSON"), mend))
}

/// Codes that may stand in a close frame (RFC 6455, 7.4).
fn close_code(code: u16) -> Result<(), PlanError> {
    let sent = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    let mend = "1000 to 1003, 1007 to 1014 and 3000 to 4999 can be sent (RFC 6455, 7.4)";
    sent.then_some(())
        .ok_or_else(|| wrong(format!("no close frame has the code {code}"), mend))
}
