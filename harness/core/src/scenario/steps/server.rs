//! `server`: kills, restarts, pauses or resumes servers.

use super::super::script::Lanes;
use super::super::words;
use super::super::world::Server;
use super::prelude::*;
use crate::ids::LaneId;
use crate::matrix::Part;
use crate::plan::{Beside, ServerAction};

pub(super) const KIND: StepKind = StepKind {
    name: "server",
    keys: &["lane", "action", "when"],
    what: "`kill` (-9), `restart`, `pause` or `resume` of the server of `legacy`, `candidate` or `both`. A kill \
           happens once the last acknowledged event is on disk (`durable`, the default of `when`), or `at-once`: only \
           the latter shows that what was seen is durable. In a scenario with a `bridge`, `relay` and `bridge` are \
           servers, too; the relay is not paused",
    read,
};

const ACTIONS: &[(&str, ServerAction)] = &[
    ("kill", ServerAction::Kill),
    ("restart", ServerAction::Restart),
    ("pause", ServerAction::Pause),
    ("resume", ServerAction::Resume),
];

const KILLS: &[(&str, ServerAction)] = &[("durable", ServerAction::Kill), ("at-once", ServerAction::KillAtOnce)];

#[derive(Debug, Clone, Copy)]
enum Which {
    Lanes(Lanes),
    Beside(Beside),
}

#[derive(Debug)]
struct ControlServer {
    which: Which,
    action: ServerAction,
}

fn read(section: &Section<'_>, _: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    section.need("lane", mistakes);
    section.need("action", mistakes);
    let lanes = words::SERVERS.iter().map(|(word, lanes)| (*word, Which::Lanes(*lanes)));
    let beside = [Beside::Relay, Beside::Bridge].map(|of| (of.as_str(), Which::Beside(of)));
    let which = section.word("lane", &lanes.chain(beside).collect::<Vec<_>>(), mistakes);
    let mut action = section.word("action", ACTIONS, mistakes)?;
    if let Some(node) = section.get("when") {
        let kill = section.word("when", KILLS, mistakes);
        if action == ServerAction::Kill && !matches!(which, Some(Which::Beside(_))) {
            action = kill.unwrap_or(action);
        } else {
            let hint = "leave it out, or kill the server of a lane".to_owned();
            mistakes.local(node.at, "`when` says when a kill falls", hint);
        }
    }
    Some(Box::new(ControlServer { which: which?, action }))
}

impl Step for ControlServer {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let ControlServer { which, action } = *self;
        let only = match which {
            Which::Lanes(only) => only,
            Which::Beside(of) => return beside(rehearsal, of, action),
        };
        for lane in LaneId::BOTH.into_iter().filter(|lane| only.is_none_or(|only| only == *lane)) {
            let state = rehearsal.world.servers.get(&lane).copied().unwrap_or(Server::Up);
            if let Some(refused) = refused(action, state) {
                rehearsal.refuse(format!("the {lane} server {refused}"), None);
            }
            rehearsal.world.servers.insert(lane, after(action, rehearsal.at));
            earn(rehearsal, lane, action);
            for client in rehearsal.connected() {
                match action {
                    ServerAction::Restart => rehearsal.world.resume(client, Some(lane), true),
                    // Whether a client notices a pause depends on timing.
                    ServerAction::Pause => rehearsal.world.clients[client].blurred = true,
                    _ => {}
                }
            }
        }
        rehearsal.push(plan::Step::Server { lane: only, action });
    }

    fn controls_server(&self) -> bool {
        true
    }
}

fn after(action: ServerAction, at: usize) -> Server {
    match action {
        ServerAction::Kill | ServerAction::KillAtOnce | ServerAction::KillAsSeen => Server::Killed(at),
        ServerAction::Pause => Server::Paused(at),
        ServerAction::Restart | ServerAction::Resume => Server::Up,
    }
}

fn beside(rehearsal: &mut Rehearsal<'_, '_>, of: Beside, action: ServerAction) {
    let at = rehearsal.at;
    let Some(mirror) = rehearsal.mirror() else { return };
    let state = std::mem::replace(mirror.server(of), after(action, at));
    let waited = mirror.waiting && of == Beside::Bridge && action.kills();
    if of == Beside::Relay {
        mirror.changed(action.kills());
    }
    if waited {
        rehearsal.world.earn(Some(LaneId::Candidate), [Part::BridgeKilled]);
    }
    if let Some(refused) = refused(action, state) {
        rehearsal.refuse(format!("the {} {refused}", of.as_str()), None);
    }
    if of == Beside::Relay && matches!(action, ServerAction::Pause | ServerAction::Resume) {
        rehearsal.refuse("the relay runs in this program, and is not paused", "let it answer `silent`, or add a toxic");
    }
    rehearsal.push(plan::Step::Beside { of, action });
}

fn refused(action: ServerAction, state: Server) -> Option<&'static str> {
    match (action, state) {
        (action, Server::Killed(_)) if action.kills() || action == ServerAction::Pause => Some("is down already"),
        (ServerAction::Pause, Server::Paused(_)) => Some("is paused already"),
        (ServerAction::Restart, Server::Up | Server::Paused(_)) => Some("was not killed"),
        (ServerAction::Resume, Server::Up | Server::Killed(_)) => Some("was not paused"),
        _ => None,
    }
}

pub(super) fn earn(rehearsal: &mut Rehearsal<'_, '_>, lane: LaneId, action: ServerAction) {
    let connected = rehearsal.connected();
    let world = &mut *rehearsal.world;
    let published = world.events() > 0;
    if action.waits_for_nothing() && published && world.clients.iter().any(|client| client.ever) {
        world.earn(Some(lane), [Part::ConfirmedSurvives]);
    }
    if action.kills() || action == ServerAction::Pause {
        for client in connected {
            world.comes_back(Some(lane), client);
        }
    }
    let was_killed = world.was_killed(lane, action.kills());
    if was_killed && published {
        world.earn(Some(lane), [Part::ReplayAcrossKill]);
    }
}

#[cfg(test)]
mod tests;
