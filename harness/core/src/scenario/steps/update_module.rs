//! `update-module`: the module of a SpacetimeDB lane is published anew while clients follow it.

use super::prelude::*;
use crate::ids::LaneId;
use crate::plan::ModuleUpdate;

pub(super) const KIND: StepKind = StepKind {
    name: "update-module",
    keys: &["update"],
    what: "on each SpacetimeDB lane, the module is published anew: `additive`, with more tables and reducers, which \
           the clients do not notice; or `breaking`, without those again, which closes all clients. The server is \
           first asked for its plan. A breaking update needs SpacetimeDB 2. Defects of the module are in what an \
           additive update publishes, and not in the module before",
    read: |section, _, mistakes| {
        section.need("update", mistakes);
        Some(Box::new(UpdateModule(section.word("update", UPDATES, mistakes)?)))
    },
};

const UPDATES: &[(&str, ModuleUpdate)] = &[("additive", ModuleUpdate::Additive), ("breaking", ModuleUpdate::Breaking)];

#[derive(Debug)]
struct UpdateModule(ModuleUpdate);

impl Step for UpdateModule {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let update = self.0;
        rehearsal.needs_servers("publishing a module");
        match (update, rehearsal.world.module.replace(update)) {
            (ModuleUpdate::Additive, Some(ModuleUpdate::Additive)) => {
                rehearsal.refuse("the module has all that an update adds already", "let a breaking one take it away");
            }
            (ModuleUpdate::Breaking, Some(ModuleUpdate::Breaking)) => {
                rehearsal.refuse("the last update took away all that there was", "let an additive one add it again");
            }
            _ => {}
        }
        if update == ModuleUpdate::Breaking {
            if !rehearsal.world.draft.candidate_defects.is_empty() {
                let what = "a module with planted defects is not updated to one without";
                rehearsal.refuse(what, "leave the breaking update out, or plant a fault");
            }
            for client in rehearsal.connected() {
                rehearsal.world.resume(client, Some(LaneId::Candidate), true);
            }
        }
        rehearsal.push(plan::Step::UpdateModule { update });
    }

    fn controls_server(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
