//! What can be done to each lane, and what its streams are called there.

use std::collections::BTreeMap;
use std::sync::Arc;

use cutover_core::gate::fit::{Means, ServerKind, unfit};
use cutover_core::ids::{LaneId, Protocol, StreamId};
use cutover_core::plan::Plan;

use super::{Environment, Source};
use crate::lane::names::{Names, NamesError};

impl Source {
    /// What can be done to a lane's server, as far as it is known before it runs.
    pub fn means(&self, lane: LaneId) -> Means {
        match self {
            Source::Bundled => Means::of_ours(ServerKind::BuiltIn),
            Source::Binary { profile, .. } => {
                Means { confirms_reads: profile.means().confirms_reads, ..Means::of_ours(ServerKind::Binary) }
            }
            Source::Outside(profile) => Means {
                protocol: Some(Protocol::of(profile.kind())).filter(|protocol| *protocol != Protocol::usual(lane)),
                ..profile.means()
            },
        }
    }
}

impl Environment {
    /// Why a plan can't be driven over these lanes, if it can't. `aa` is the lane that runs against itself.
    pub fn unfit(&self, plan: &Plan, aa: Option<LaneId>) -> Option<String> {
        unfit(plan, &self.means(), aa)
    }

    #[allow(missing_docs, reason = "the name says it")]
    pub fn means(&self) -> BTreeMap<LaneId, Means> {
        LaneId::BOTH.map(|lane| (lane, self.means_of(lane))).into()
    }

    fn means_of(&self, lane: LaneId) -> Means {
        self.source(lane).means(lane)
    }

    /// The plan's streams on the wire. Where the server outlives the run they carry a word of it, and of the role, as
    /// both may be on one server.
    pub(super) fn names(&self, role: LaneId, used: LaneId, plan: &Plan, place: &str) -> Result<Arc<Names>, NamesError> {
        let means = self.means_of(used);
        let scope = (means.shared && means.scoped).then(|| format!("{}-{place}-{role}", self.run.word));
        let streams = plan.cases.iter().flat_map(|case| &case.streams).map(|stream| stream.id.clone());
        Names::new(streams.collect::<Vec<StreamId>>(), scope.as_deref()).map(Arc::new)
    }
}

#[cfg(test)]
mod tests;
