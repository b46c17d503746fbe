//! A subscription, and the lane's answer to it.

use crate::history::Refusal;
use crate::ids::{ConnId, Seq};

/// The code of a lane that limits the rate (contract, "Errors").
pub(in crate::check) const RATE_LIMITED: &str = "rate_limited";

/// The code of a refused stale cursor (contract, "Ordering, delivery, replay").
pub(in crate::check) const STALE_CURSOR: &str = "stale_cursor";

#[derive(Debug)]
pub(in crate::check) struct Sub<'a> {
    pub at: usize,
    pub client: usize,
    pub stream: usize,
    pub conn: ConnId,
    /// The cursor that the client sent; `None` for a bootstrap.
    pub asked: Option<u64>,
    /// The cursor that the lane saw, after a fault rewrote it.
    pub saw: Option<u64>,
    pub reply: Option<Reply<'a>>,
    /// The record that ended it: the connection's end or the next subscription of the same stream; the length of the
    /// history where nothing did.
    pub ended: usize,
    /// The ledger's record of a message that was lost or let others pass on its way to the client while this was open.
    /// What is missing or out of order from there on is the network's doing; that it is mended is the client's.
    pub disturbed_at: Option<usize>,
    /// Whether its connection had not carried the stream before.
    pub fresh: bool,
    /// Its deliveries, by their place in [`LaneIndex::deliveries`].
    pub deliveries: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::check) enum Reply<'a> {
    Accepted { at: usize, head: Option<Seq> },
    Refused { at: usize, refusal: &'a Refusal },
}

impl Sub<'_> {
    /// Whether a record lies behind a fault that took messages of this subscription from their place.
    pub fn is_disturbed(&self, at: usize) -> bool {
        self.disturbed_at.is_some_and(|disturbed| disturbed <= at)
    }

    pub fn accepted_at(&self) -> Option<usize> {
        match self.reply {
            Some(Reply::Accepted { at, .. }) => Some(at),
            _ => None,
        }
    }
}
