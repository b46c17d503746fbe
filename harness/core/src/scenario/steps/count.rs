//! `count`: how many clients are connected, by the lanes' own count.

use super::prelude::*;
use crate::ids::LaneId;
use crate::matrix::Part;
use crate::plan::JoinParams;

pub(super) const KIND: StepKind = StepKind {
    name: "count",
    keys: &["within_ms"],
    what: "until the lanes count the connections of the clients that are connected, and none of those that left or \
           died, where the lanes list their connections. The count is judged as it is after `within_ms` (5000). Beside \
           faults and toxics it must be 60000 or more, since a lane may learn of an end only by its own time limit",
    read: |section, _, mistakes| {
        let within_ms = section.number("within_ms", 100..=300_000, mistakes).unwrap_or(WITHIN_MS);
        Some(Box::new(Count { within_ms }))
    },
};

const WITHIN_MS: u64 = 5_000;
/// A connection that went silent may stay so long, or longer.
const SILENCE_MS: u64 = 60_000;

#[derive(Debug)]
struct Count {
    within_ms: u64,
}

impl Step for Count {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("counting connections");
        let draft = rehearsal.world.draft;
        let faults = draft.faults.iter().map(|fault| &fault.value.clients);
        let mut struck = faults.chain(draft.toxics.iter().map(|toxic| &toxic.value.clients));
        if self.within_ms < SILENCE_MS && struck.any(Option::is_some) {
            let what = "a fault or toxic decides which connections end, and a lane may learn of that late";
            rehearsal.refuse(what, format!("add within_ms = {SILENCE_MS} or more").as_str());
        }
        if rehearsal.connected().iter().any(|client| draft.clients[*client].value.join == Some(JoinParams::default())) {
            rehearsal.refuse("a client that joins without a name can't be counted", None);
        }
        let connected = rehearsal.connected();
        let states = &rehearsal.world.clients;
        let refused = |client: usize| rehearsal.world.draft.clients[client].value.refused.is_some();
        let gone = (0..states.len()).any(|client| states[client].ever && !states[client].connected && !refused(client));
        let died = states.iter().any(|client| client.died && !client.connected);
        let parts = [
            (connected.len() > 1, Part::CountedTogether),
            (connected.is_empty() && gone, Part::CountedGone),
            (died, Part::CountedAfterCrash),
        ];
        rehearsal.world.earn(None, parts.into_iter().filter(|(shown, _)| *shown).map(|(_, part)| part));
        for lane in LaneId::BOTH {
            if !connected.is_empty() && rehearsal.world.was_killed(lane, false) {
                rehearsal.world.earn(Some(lane), [Part::CountedAcrossKill]);
            }
        }
        let present: Vec<_> = connected.iter().map(|client| rehearsal.world.client_ids[*client].clone()).collect();
        let within_ms = self.within_ms;
        rehearsal.then(move |planner| {
            let (op, present) = (planner.op(), present.clone());
            planner.push(plan::Step::Count { op, present, within_ms });
        });
    }
}
