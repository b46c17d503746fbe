//! What can be done to each lane, and what its streams are called there.

use std::collections::BTreeMap;
use std::sync::Arc;

use cutover_core::gate::fit::{Means, ServerKind, Updates, unfit};
use cutover_core::ids::{LaneId, Protocol, StreamId};
use cutover_core::plan::Plan;

use super::host::unavailable;
use super::{Asked, Environment, EnvironmentError, Source};
use crate::lane::names::{Names, NamesError};
use crate::lane::protocol::Profile;
use crate::lane::spacetime::MODULE_WASM;

impl Source {
    /// What can be done to a lane's server, as far as it is known before it runs.
    pub fn means(&self, lane: LaneId) -> Means {
        match self {
            Source::Bundled => Means::of_ours(ServerKind::BuiltIn),
            Source::BundledWith(profile) => managed(&**profile, ServerKind::BuiltIn),
            Source::Binary { profile, .. } => managed(&**profile, ServerKind::Binary),
            Source::Outside(profile) => Means {
                protocol: Some(Protocol::of(profile.kind())).filter(|protocol| *protocol != Protocol::usual(lane)),
                ..profile.means()
            },
        }
    }
}

/// What can be done to a server that the run starts, with the module that a profile describes.
fn managed(profile: &dyn Profile, server: ServerKind) -> Means {
    let said = profile.means();
    Means {
        confirms_reads: said.confirms_reads,
        sets_policies: said.sets_policies,
        counts_connections: said.counts_connections,
        other_module: said.other_module,
        takes_no_hash: said.takes_no_hash,
        takes_no_seq: said.takes_no_seq,
        judges_no_cursor: said.judges_no_cursor,
        updates: if said.other_module { Updates::None } else { Updates::Additive },
        ..Means::of_ours(server)
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

    pub(super) fn means_of(&self, lane: LaneId) -> Means {
        let said = self.source(lane).means(lane);
        let asked = self.asked.get().and_then(|asked| asked.get(&lane));
        let missing = asked.map(|asked| asked.missing.clone()).unwrap_or_default();
        let updates = match (said.updates, asked) {
            (Updates::None, _) => Updates::None,
            _ if self.run.module != MODULE_WASM => Updates::None,
            (_, Some(asked)) => asked.updates,
            (updates, None) => updates,
        };
        Means { missing, updates, ..said }
    }

    /// Asks the lanes whose module may not be this tool's what it has, and binaries what they can do. To be done before
    /// [`Environment::means`].
    pub async fn ask_for_modules(&self, aa: Option<LaneId>) -> Result<(), EnvironmentError> {
        let lanes = || LaneId::BOTH.into_iter().filter(|lane| aa.is_none_or(|only| only == *lane));
        let asked: Vec<LaneId> = lanes().filter(|lane| self.is_asked(*lane)).collect();
        if asked.is_empty() {
            return Ok(());
        }
        // Both are reached before either is written to.
        for lane in lanes().filter(|lane| asked.contains(lane) || matches!(self.source(*lane), Source::Outside(_))) {
            self.shared_host(lane).await?;
        }
        let mut answers = BTreeMap::new();
        for lane in asked {
            let host = self.shared_host(lane).await?;
            let missing = host.service.missing().await.map_err(|source| unavailable(lane, &self.what(lane), source))?;
            answers.insert(lane, Asked { missing, updates: host.service.updates() });
        }
        let _ = self.asked.set(answers);
        Ok(())
    }

    fn is_asked(&self, lane: LaneId) -> bool {
        matches!(self.source(lane), Source::Binary { .. }) || self.may_have_other_module(lane)
    }

    /// Whether the module of a lane may be another one than this tool's: the user's, or that of a database which was
    /// there before.
    fn may_have_other_module(&self, lane: LaneId) -> bool {
        let publishes_other = self.run.module != MODULE_WASM;
        match self.source(lane) {
            Source::Outside(profile) if Protocol::of(profile.kind()) == Protocol::Spacetime => {
                publishes_other || profile.means().shared || profile.means().other_module
            }
            Source::Outside(_) => false,
            Source::Bundled => publishes_other && lane == LaneId::Candidate,
            Source::Binary { profile, .. } | Source::BundledWith(profile) => {
                (publishes_other || profile.means().other_module) && lane == LaneId::Candidate
            }
        }
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
