//! What can be done to each lane, and what its streams are called there.

use std::collections::BTreeMap;
use std::sync::Arc;

use cutover_core::gate::fit::{Means, ServerKind, unfit};
use cutover_core::ids::{LaneId, StreamId};
use cutover_core::plan::Plan;

use super::{Environment, Source};
use crate::lane::names::{Names, NamesError};
use crate::lane::profile::LaneTarget;

impl Environment {
    /// Why a plan can't be driven over these lanes, where it can't. `aa` is the lane that runs against itself, if one does.
    pub fn unfit(&self, plan: &Plan, aa: Option<LaneId>) -> Option<String> {
        unfit(plan, &self.means(), aa)
    }

    /// What can be done to each lane.
    pub fn means(&self) -> BTreeMap<LaneId, Means> {
        let means = LaneId::BOTH.map(|lane| {
            let confirms_reads = lane == LaneId::Candidate && self.reads_are_confirmed();
            let means = means_of(self.source(lane));
            (lane, Means { confirms_reads, ..means })
        });
        means.into()
    }

    /// Whether the candidate was asked to withhold what is not on disk.
    fn reads_are_confirmed(&self) -> bool {
        let confirmed = match &self.candidate {
            Source::Binary { profile, .. } => profile.confirmed,
            Source::Outside(LaneTarget::Spacetime(profile)) => profile.confirmed,
            Source::Bundled | Source::Outside(LaneTarget::Phoenix(_)) => None,
        };
        confirmed == Some(true)
    }

    /// The plan's streams on the wire. Where the server outlives the run they carry a word of it, and of the role, as both
    /// may be on one server.
    pub(super) fn names(&self, role: LaneId, lane: LaneId, plan: &Plan) -> Result<Arc<Names>, NamesError> {
        let scoped = match self.source(lane) {
            Source::Outside(target) => shares_streams(target) && target.scoped(),
            Source::Bundled | Source::Binary { .. } => false,
        };
        let scope = scoped.then(|| format!("{}-{}-{role}", self.run, plan.scenario));
        let streams = plan.cases.iter().flat_map(|case| &case.streams).map(|stream| stream.id.clone());
        Names::new(streams.collect::<Vec<StreamId>>(), scope.as_deref()).map(Arc::new)
    }
}

/// Whether streams are created next to those of others: in a service, or in a database that was there already.
fn shares_streams(target: &LaneTarget) -> bool {
    match target {
        LaneTarget::Phoenix(_) => true,
        LaneTarget::Spacetime(profile) => profile.database.is_some(),
    }
}

fn means_of(source: &Source) -> Means {
    match source {
        Source::Bundled => Means::of_ours(ServerKind::BuiltIn),
        Source::Binary { .. } => Means::of_ours(ServerKind::Binary),
        Source::Outside(target) => Means {
            server: ServerKind::Outside,
            sets_policies: target.sets_policies(),
            shared: shares_streams(target),
            scoped: target.scoped(),
            confirms_reads: false,
            keeps_watermarks: target.keeps_watermarks(),
            hides_keys: target.hides_keys(),
        },
    }
}

#[cfg(test)]
mod tests;
