//! The one generator that all chance of a plan is drawn from.
//!
//! Pinned: ChaCha with 20 rounds (RFC 8439's block function as `rand_chacha` runs it), keyed with the SHA-256 of the
//! seed and the scenario's name. What is done with its words is written out here, since a library's ranges and shuffles
//! change between versions and would change every plan with them.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

use crate::ids::Seed;

/// What is hashed before seed and name, so that the key is of no other use.
const DOMAIN: &[u8] = b"cutover.plan/1\0";

pub(crate) struct Chance(ChaCha20Rng);

impl Chance {
    pub(crate) fn new(seed: Seed, scenario: &str) -> Chance {
        let mut key = Sha256::new();
        key.update(DOMAIN);
        key.update(seed.0.to_le_bytes());
        key.update(scenario.as_bytes());
        Chance(ChaCha20Rng::from_seed(key.finalize().into()))
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, each as likely; 0 where the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound <= 1 {
            return 0;
        }
        // The high half of the product is fair once low halves under 2^64 mod bound are drawn again (Lemire 2019).
        let unfair = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.word()) * u128::from(bound);
            if product as u64 >= unfair {
                return (product >> 64) as u64;
            }
        }
    }

    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// One of some things. There must be one; a lone one costs no chance.
    pub(crate) fn pick<T: Copy>(&mut self, things: &[T]) -> Option<T> {
        let index = if things.len() > 1 { self.index(things.len()) } else { 0 };
        things.get(index).copied()
    }

    /// Fisher and Yates.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.index(last + 1));
        }
    }
}

#[cfg(test)]
mod tests;
