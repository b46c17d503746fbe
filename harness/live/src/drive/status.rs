//! The state that a client reports to the script, so that steps wait for states and never for times.

use std::collections::{BTreeMap, BTreeSet};

use cutover_core::ids::{Cursor, Seq, StreamId};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Whether it holds a connection on which all its streams are subscribed and replayed.
    pub subscribed: bool,
    /// How often it lost such a connection.
    pub ends: u64,
    pub cursors: BTreeMap<StreamId, Cursor>,
    pub moves: u64,
    /// Streams of which it asked for the same event several times in vain.
    pub stuck: BTreeSet<StreamId>,
    /// How often it subscribed anew for acknowledged events that did not come.
    pub overdue: u32,
    pub gave_up: Option<String>,
    /// How far each stream came on the wire, where that is not what `cursors` says: of a program.
    pub delivered: Option<BTreeMap<StreamId, Cursor>>,
}

impl Status {
    pub fn set_subscribed(&mut self, subscribed: bool) {
        self.ends += u64::from(self.subscribed && !subscribed);
        self.subscribed = subscribed;
    }

    pub fn is_settled(&self, heads: &BTreeMap<StreamId, Seq>) -> bool {
        self.gave_up.is_some()
            || heads.iter().all(|(stream, head)| self.stuck.contains(stream) || self.is_at(stream, *head))
    }

    fn is_at(&self, stream: &StreamId, head: Seq) -> bool {
        self.subscribed && self.cursors.get(stream).is_some_and(|cursor| cursor.0 >= head.0)
    }
}

#[cfg(test)]
mod tests;
