//! The streams, identities and clients of a scenario.

use super::compile::payload::Payload;
use crate::plan::{Compression, JoinParams, Programs, Serializer};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    /// Unique in the scenario.
    pub(crate) topic: String,
    pub(crate) retention: Option<u64>,
    pub(crate) replay_budget: Option<u64>,
    pub(crate) payload: Payload,
    pub(crate) keys: Keys,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// No other stream has them.
    Own,
    /// Events of the same seq have the same key in all such streams: a key is one stream's, not the lane's.
    Shared,
    /// Of 64 to 1000 bytes, which differ in the last bytes only.
    Long,
    /// Several in a row differ only in case, in a separator, in an accent or its Unicode form, in a leading zero, or in
    /// an escape.
    Alike,
    /// The id of the topic and the key, joined with a separator or without one, give the same text in another such
    /// stream. The shortest of their ids begins all the others.
    Joined,
}

/// Whose tokens clients present, with rights to streams by index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Unique in the scenario.
    pub(crate) name: String,
    pub(crate) tenant: String,
    pub(crate) reads: Vec<usize>,
    pub(crate) writes: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    /// Unique in the scenario.
    pub(crate) name: String,
    /// The streams that it subscribes to, by index.
    pub(crate) streams: Vec<usize>,
    /// Events per replay batch.
    pub(crate) replay_batch: u32,
    pub(crate) serializer: Serializer,
    pub(crate) compression: Compression,
    /// By its name in `HABITS`.
    pub(crate) habit: Option<&'static str>,
    pub(crate) join: Option<JoinParams>,
    /// The code by which it is refused. Then it subscribes to no stream.
    pub(crate) refused: Option<&'static str>,
    /// Known-bad: it asks for reads that are not confirmed, and says that they were.
    pub(crate) passes_off: bool,
    pub(crate) programs: Option<Programs>,
    /// By index.
    pub(crate) identity: Option<usize>,
}
