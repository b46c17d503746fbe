//! What drawn scenarios covered: features of their files and of what was seen, and pairs of features.

use std::collections::{BTreeMap, BTreeSet};

use super::{seen, words};
use crate::history::History;
use crate::plan::Plan;

/// In how many scenarios each feature was covered, and each pair of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    scenarios: u64,
    features: BTreeMap<String, u64>,
    pairs: BTreeMap<(String, String), u64>,
}

/// How much of what can be covered is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub name: &'static str,
    pub covered: usize,
    pub of: usize,
    pub missing: Vec<String>,
}

impl Coverage {
    /// Counts a scenario that was driven: its file, its plan, and what its lanes showed.
    pub fn note(&mut self, text: &str, plan: &Plan, histories: &[&History]) {
        let mut features = words::features(text);
        for history in histories {
            features.extend(seen::features(plan, history));
        }
        self.add(features);
    }

    /// Counts a scenario by its file alone.
    pub fn note_text(&mut self, text: &str) {
        self.add(words::features(text));
    }

    fn add(&mut self, features: BTreeSet<String>) {
        self.scenarios += 1;
        for feature in &features {
            for other in features.range(feature.clone()..).skip(1) {
                *self.pairs.entry((feature.clone(), other.clone())).or_default() += 1;
            }
        }
        for feature in features {
            *self.features.entry(feature).or_default() += 1;
        }
    }

    pub fn merge(&mut self, other: &Coverage) {
        self.scenarios += other.scenarios;
        for (feature, count) in &other.features {
            *self.features.entry(feature.clone()).or_default() += count;
        }
        for (pair, count) in &other.pairs {
            *self.pairs.entry(pair.clone()).or_default() += count;
        }
    }

    pub fn count(&self, feature: &str) -> u64 {
        self.features.get(feature).copied().unwrap_or_default()
    }

    pub fn scenarios(&self) -> u64 {
        self.scenarios
    }

    /// What is known that can be covered, group by group.
    pub fn groups(&self) -> Vec<Group> {
        let group = |(name, known): (&'static str, Vec<String>)| {
            let missing: Vec<String> = known.iter().filter(|feature| self.count(feature) == 0).cloned().collect();
            Group { name, covered: known.len() - missing.len(), of: known.len(), missing }
        };
        words::known().into_iter().map(group).collect()
    }

    /// Every feature with the number of scenarios that covered it.
    pub fn features(&self) -> impl Iterator<Item = (&str, u64)> {
        self.features.iter().map(|(feature, count)| (feature.as_str(), *count))
    }

    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// How rare the pairs of a file's features are: the sum over all pairs of one part in those that are known.
    pub(super) fn rarity(&self, text: &str) -> u64 {
        let features: Vec<_> = words::features(text).into_iter().collect();
        let mut rarity = 0;
        for (place, feature) in features.iter().enumerate() {
            for other in &features[place + 1..] {
                let known = self.pairs.get(&(feature.clone(), other.clone())).copied().unwrap_or_default();
                rarity += 1_000 / (1 + known);
            }
        }
        rarity
    }

    /// One line for a report.
    pub fn line(&self) -> String {
        format!(
            "{} drawn scenarios covered {} features and {} pairs of them",
            self.scenarios,
            self.features.len(),
            self.pairs.len()
        )
    }
}
