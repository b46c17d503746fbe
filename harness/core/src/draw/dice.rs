//! Chance that prefers what was covered less.

use super::coverage::Coverage;
use crate::chance::Chance;

pub(super) struct Dice<'c> {
    chance: Chance,
    coverage: &'c Coverage,
}

/// The weight of what was never covered, for each part of its own weight.
const NEW: u64 = 1_000;
/// So often something must be covered until it is drawn half as often.
const HALF: u64 = 4;

impl<'c> Dice<'c> {
    pub(super) fn new(chance: Chance, coverage: &'c Coverage) -> Dice<'c> {
        Dice { chance, coverage }
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.chance.below(n) == 0
    }

    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.chance.between(low, high)
    }

    pub(super) fn pick<T: Copy>(&mut self, things: &[T]) -> Option<T> {
        self.chance.pick(things)
    }

    /// Some of the things, at least one of them, in their order.
    pub(super) fn some<T: Copy>(&mut self, things: &[T]) -> Vec<T> {
        let some: Vec<T> = things.iter().filter(|_| self.chance.below(2) == 0).copied().collect();
        if some.is_empty() { self.pick(things).into_iter().collect() } else { some }
    }

    /// The place of one of the weights, as likely as its weight and the rarity of its feature say.
    pub(super) fn place(&mut self, options: &[(u64, String)]) -> usize {
        let weight = |(weight, feature): &(u64, String)| {
            (weight * NEW * HALF / (HALF + self.coverage.count(feature))).max(u64::from(*weight > 0))
        };
        let weights: Vec<u64> = options.iter().map(weight).collect();
        let mut left = self.chance.below(weights.iter().sum());
        for (place, weight) in weights.into_iter().enumerate() {
            if left < weight {
                return place;
            }
            left -= weight;
        }
        0
    }

    /// A word that can stand under a key.
    pub(super) fn word<'w>(&mut self, key: &str, words: &[&'w str]) -> &'w str {
        let options: Vec<_> = words.iter().map(|word| (1, format!("{key} {word}"))).collect();
        words.get(self.place(&options)).copied().unwrap_or_default()
    }

    /// A number that can stand under a key.
    pub(super) fn number(&mut self, key: &str, numbers: &[u64]) -> u64 {
        let options: Vec<_> = numbers.iter().map(|number| (1, super::words::number(key, *number))).collect();
        numbers.get(self.place(&options)).copied().unwrap_or(1)
    }
}
