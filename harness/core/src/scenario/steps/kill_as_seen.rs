//! `kill-as-seen`: kills servers the moment a client has an event, before anybody waited for the disk.

use super::super::script::Lanes;
use super::super::words;
use super::prelude::*;
use super::server;
use crate::ids::LaneId;
use crate::plan::ServerAction;

pub(super) const KIND: StepKind = StepKind {
    name: "kill-as-seen",
    keys: &["lane", "stream"],
    what: "one event is published to `stream`, and the server of `lane` is killed (-9) the moment a client has applied \
           it, while other calls keep the disk busy. The answer to the publish is not waited for, since a lane may \
           read it from the disk. The server is started again; once the clients are back, the writer repeats the \
           publish where it had no answer",
    read: |section, names, mistakes| {
        section.need("lane", mistakes);
        let lane = section.word("lane", words::SERVERS, mistakes);
        let stream = names.need_stream(section, mistakes);
        Some(Box::new(KillAsSeen { lane: lane?, stream: stream? }))
    },
};

#[derive(Debug)]
struct KillAsSeen {
    lane: Lanes,
    stream: usize,
}

impl Step for KillAsSeen {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let KillAsSeen { lane, stream } = *self;
        rehearsal.needs_servers("publishing");
        let connected = rehearsal.connected();
        if !connected.iter().any(|client| rehearsal.world.subscribes(*client, stream)) {
            let what = format!("no connected client follows `{}`, so nobody sees the event", rehearsal.topic(stream));
            rehearsal.refuse(what, None);
        }
        rehearsal.push(plan::Step::Server { lane, action: ServerAction::KillAsSeen });
        rehearsal.world.publish(rehearsal.index, stream, true);
        rehearsal.then(move |planner| planner.publish(stream, None));
        rehearsal.push(plan::Step::Server { lane, action: ServerAction::Restart });
        for lane in LaneId::BOTH.into_iter().filter(|each| lane.is_none_or(|only| only == *each)) {
            server::earn(rehearsal, lane, ServerAction::KillAsSeen);
            for client in &connected {
                rehearsal.world.resume(*client, Some(lane), true);
            }
        }
    }

    fn controls_server(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
