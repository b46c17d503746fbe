//! What the tokens of an identity may do, at a step of a rehearsal.

use std::collections::{BTreeMap, BTreeSet};

use super::cast::Identity;

#[derive(Debug, Clone)]
pub(super) struct Rights {
    pub(super) reads: BTreeSet<usize>,
    pub(super) writes: BTreeSet<usize>,
    /// Streams that are followed on a connection that is kept open, each with whether its token is still good.
    pub(super) held: BTreeMap<usize, bool>,
}

impl Rights {
    pub(super) fn of(identity: &Identity) -> Rights {
        let (reads, writes) = (identity.reads.iter().copied().collect(), identity.writes.iter().copied().collect());
        Rights { reads, writes, held: BTreeMap::new() }
    }
}
