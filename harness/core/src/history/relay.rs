//! What came to the relay that the outbox is mirrored to.
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

/// An event as it came to the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Its id, in hex.
    pub id: String,
    /// The tag of the outbox row's own key.
    pub key: String,
    /// The tag of the row's stream.
    pub stream: String,
    /// The tag of the row's position; 0 where it has none.
    pub position: u64,
    /// `sha256:` of its content as it came.
    pub content: String,
    /// What is wrong with its id or signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
    pub answer: RelayAnswer,
    /// Whether the answer was sent.
    pub told: bool,
}

/// What the relay made of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RelayAnswer {
    Stored,
    /// It had it already.
    Duplicate,
    Refused {
        why: String,
    },
    /// It was not judged, and what was sent is no answer.
    Garbage,
}

impl RelayAnswer {
    /// Whether the relay has the event.
    pub fn is_kept(&self) -> bool {
        matches!(self, RelayAnswer::Stored | RelayAnswer::Duplicate)
    }

    /// Whether the event is refused for good, by the standard words of NIP-01.
    pub fn is_final_refusal(&self) -> bool {
        let prefix = |why: &str| why.split_once(':').map(|(prefix, _)| prefix.to_owned());
        match self {
            RelayAnswer::Refused { why } => matches!(prefix(why).as_deref(), Some("blocked" | "invalid")),
            _ => false,
        }
    }
}

/// A row of the outbox, as the candidate stores it at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    pub key: String,
    pub position: u64,
    /// The relay's id of it; blank where it is not marked as sent.
    pub relay_event_id: String,
}
