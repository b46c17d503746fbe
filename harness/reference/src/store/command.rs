//! The commands to the writer, and its answers.

use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::topics::TopicPolicy;

#[derive(Debug)]
pub(crate) struct Publish {
    pub topic: String,
    /// The publisher's key: the same key is the same event.
    pub key: String,
    pub payload: Box<RawValue>,
    /// SHA-256 of its canonical form.
    pub hash: [u8; 32],
    /// The sequence number that the publisher expects the event to get.
    pub expected_next_seq: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub seq: u64,
    /// The hash of the payload, `None` where that is null.
    pub hash: Option<[u8; 32]>,
    pub duplicate: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the idempotency key was used for another payload, at seq {seq}")]
    IdempotencyConflict { seq: u64 },
    #[error("the next seq is {actual}, not {expected}")]
    SequenceConflict { expected: u64, actual: u64 },
    #[error("more than {limit} events a second for topics of the class {class}")]
    RateLimited { class: &'static str, limit: u32 },
    #[error("the journal cannot be written: {0}")]
    Unavailable(String),
}

pub(crate) enum Command {
    Publish(Publish, oneshot::Sender<Result<Published, Refused>>),
    SetPolicy(String, TopicPolicy, oneshot::Sender<Result<(), Refused>>),
    Revoke(String, oneshot::Sender<Result<(), Refused>>),
    Stop,
}
