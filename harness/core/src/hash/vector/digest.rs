//! The digest tree of a vector, by which equal vectors are known without a walk.
//!
//! Anybody can compute it again; `H` is SHA-256, `‖` joins bytes, numbers are 8 bytes, big-endian, texts are UTF-8 after
//! their length in bytes as such a number:
//!
//! - an event: `H(0x00 ‖ seq ‖ the 32 bytes of its payload hash)`
//! - a series, which is the events of one client on one stream:
//!   `H(0x02 ‖ stream ‖ client ‖ number of events ‖ M(events by seq))`
//! - the vector: `H(0x03 ‖ number of series ‖ M(series by stream, then client))`
//! - `M` is the Merkle tree hash of RFC 6962, section 2.1, over digests that are there already: of none `H()`, of one that
//!   digest, of more `H(0x01 ‖ M(the first k) ‖ M(the rest))` with `k` the largest power of two smaller than their number.
//!
//! Payloads take no part, only their hashes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::hash::PayloadHash;
use crate::ids::{ClientId, Seq, StreamId};

const EVENT: u8 = 0;
const NODE: u8 = 1;
const SERIES: u8 = 2;
const ROOT: u8 = 3;

/// The digests of a vector. They are spelled as payload hashes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestTree {
    /// The digest of the whole vector.
    pub root: PayloadHash,
    /// The digests of its series, by stream, then client.
    pub series: Vec<SeriesDigest>,
}

/// The digest of what one client applied on one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesDigest {
    /// The stream.
    pub stream: StreamId,
    /// The client.
    pub client: ClientId,
    /// How many events the series has.
    pub events: u64,
    /// The digest of the series.
    pub digest: PayloadHash,
}

/// Sums up events that come in order of stream, client and seq.
#[derive(Debug, Default)]
pub(super) struct DigestBuilder {
    series: Vec<SeriesDigest>,
    open: Option<(StreamId, ClientId)>,
    events: MerkleTree,
}

impl DigestBuilder {
    pub fn push(&mut self, stream: &StreamId, client: &ClientId, seq: Seq, hash: &PayloadHash) {
        if self.open.as_ref().is_none_or(|(s, c)| (s, c) != (stream, client)) {
            self.close_series();
            self.open = Some((stream.clone(), client.clone()));
        }
        let mut hasher = Sha256::new_with_prefix([EVENT]);
        hasher.update(seq.0.to_be_bytes());
        hasher.update(hash.as_bytes());
        self.events.push(hasher.finalize().into());
    }

    pub fn finish(mut self) -> DigestTree {
        self.close_series();
        let mut tree = MerkleTree::default();
        for series in &self.series {
            tree.push(*series.digest.as_bytes());
        }
        let mut hasher = Sha256::new_with_prefix([ROOT]);
        hasher.update((self.series.len() as u64).to_be_bytes());
        hasher.update(tree.finish());
        DigestTree { root: PayloadHash::from_bytes(hasher.finalize().into()), series: self.series }
    }

    fn close_series(&mut self) {
        let Some((stream, client)) = self.open.take() else {
            return;
        };
        let tree = std::mem::take(&mut self.events);
        let events = tree.leaves;
        let mut hasher = Sha256::new_with_prefix([SERIES]);
        for text in [stream.as_str(), client.as_str()] {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        hasher.update(events.to_be_bytes());
        hasher.update(tree.finish());
        let digest = PayloadHash::from_bytes(hasher.finalize().into());
        self.series.push(SeriesDigest { stream, client, events, digest });
    }
}

/// RFC 6962's tree, built from the left: complete subtrees wait, largest first, one for each bit set in `leaves`.
#[derive(Debug, Default)]
struct MerkleTree {
    complete: Vec<[u8; 32]>,
    leaves: u64,
}

impl MerkleTree {
    fn push(&mut self, leaf: [u8; 32]) {
        let mut digest = leaf;
        // Two subtrees of a size become one, as a carry runs through the bits of a counter.
        for _ in 0..self.leaves.trailing_ones() {
            if let Some(left) = self.complete.pop() {
                digest = node(&left, &digest);
            }
        }
        self.complete.push(digest);
        self.leaves += 1;
    }

    fn finish(self) -> [u8; 32] {
        let joined = self.complete.into_iter().rev().reduce(|right, left| node(&left, &right));
        joined.unwrap_or_else(|| Sha256::digest([]).into())
    }
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut hasher = Sha256::new_with_prefix([NODE]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests;
