//! The source of a proxy's random numbers: its seed and its client's name, so that the same run draws the same.

use cutover_core::ids::{ClientId, FaultId};
use sha2::{Digest, Sha256};

use crate::frame::Direction;
use crate::toxic;

pub(super) struct Chance {
    seed: u64,
    client: ClientId,
}

impl Chance {
    pub(super) fn new(seed: u64, client: ClientId) -> Chance {
        Chance { seed, client }
    }

    pub(super) fn gives(&self, conn: u32, name: &FaultId, toxicity: f64) -> bool {
        toxic::applies(self.seed, self.client.as_str(), name.as_str(), conn.into(), toxicity)
    }

    /// The seed of a direction's toxics, another one for each connection and direction.
    pub(super) fn of(&self, conn: u32, direction: Direction) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(conn.to_be_bytes());
        hash.update([u8::from(direction == Direction::Upstream)]);
        hash.update(self.client.as_str());
        let mut drawn = [0; 8];
        drawn.copy_from_slice(&hash.finalize()[..8]);
        u64::from_be_bytes(drawn)
    }
}
