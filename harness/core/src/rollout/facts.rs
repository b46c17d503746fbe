//! What a decision about a stage was made of. It stands in the record, so that a recheck decides again.

use serde::{Deserialize, Serialize};

use super::{Evidence, Found, Input, Moment, Previous, Snapshot, judge};
use crate::policy::{Policy, Stage};

/// A text with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Where it was read.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// Everything that a decision follows from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutFacts {
    /// The stage that is to begin.
    pub to: Stage,
    /// Where.
    pub environment: String,
    /// The digest of the module that serves there.
    pub build: String,
    /// When it was decided.
    pub at: Moment,
    /// Why a person had the users taken back, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roll_back: Option<String>,
    /// The policy file.
    pub policy: Named,
    /// The snapshots, as they were given.
    pub snapshots: Vec<Named>,
    /// The bundles, as they were rechecked.
    pub evidence: Vec<Evidence>,
    /// The record of the stage before.
    pub previous: Option<Previous>,
}

impl RolloutFacts {
    /// What the facts show.
    pub fn judge(&self) -> Vec<Found> {
        if let Some(why) = &self.roll_back {
            return vec![Found::rolled_back(why)];
        }
        let policy = Policy::parse(&self.policy.name, &self.policy.text).ok().and_then(|policy| policy.rollout);
        let Some(terms) = policy.filter(|terms| terms.has(self.to)) else {
            return vec![Found::no_terms(&self.policy.name, self.to)];
        };
        let snapshots = self.snapshots.iter().map(|named| (named.name.clone(), Snapshot::parse(&named.text)));
        judge(&Input {
            terms: &terms,
            to: self.to,
            environment: &self.environment,
            build: &self.build,
            at: self.at,
            snapshots: snapshots.collect(),
            evidence: self.evidence.clone(),
            previous: self.previous.clone(),
        })
    }
}
