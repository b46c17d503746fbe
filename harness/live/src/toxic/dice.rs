//! A toxic's random numbers on one connection. They depend on the seed and the name, and on no other toxic.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

#[derive(Debug)]
pub(super) struct Dice(Box<ChaCha8Rng>);

impl Dice {
    pub fn new(seed: u64, name: &str) -> Dice {
        let mut hash = Sha256::new();
        hash.update(b"cutover toxic\0");
        hash.update(seed.to_be_bytes());
        hash.update(name);
        Dice(Box::new(ChaCha8Rng::from_seed(hash.finalize().into())))
    }

    /// A number from `-spread` to just below `spread`, each as likely, as Toxiproxy draws jitter and variation; 0 where
    /// the spread is none or negative.
    pub fn around_zero(&mut self, spread: i64) -> i64 {
        let Ok(spread @ 1..) = u64::try_from(spread) else {
            return 0;
        };
        // The upper half of the product is the draw, scaled to the range. The bias is negligible.
        let drawn = (u128::from(self.0.next_u64()) * (u128::from(spread) * 2)) >> 64;
        i64::try_from(drawn as i128 - i128::from(spread)).unwrap_or(0)
    }
}
