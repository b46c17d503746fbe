//! `server`: kills, restarts, pauses or resumes servers.

use super::super::script::Lanes;
use super::super::words;
use super::super::world::Server;
use super::prelude::*;
use crate::ids::LaneId;
use crate::matrix::Part;
use crate::plan::ServerAction;

pub(super) const KIND: StepKind = StepKind {
    name: "server",
    keys: &["lane", "action", "when"],
    what: "`kill` (-9), `restart`, `pause` or `resume` of the server of `legacy`, `candidate` or `both`. A kill \
           happens once the last acknowledged event is on disk (`durable`, the default of `when`), or `at-once`: only \
           the latter shows that what was seen is durable",
    read,
};

const ACTIONS: &[(&str, ServerAction)] = &[
    ("kill", ServerAction::Kill),
    ("restart", ServerAction::Restart),
    ("pause", ServerAction::Pause),
    ("resume", ServerAction::Resume),
];

const KILLS: &[(&str, ServerAction)] = &[("durable", ServerAction::Kill), ("at-once", ServerAction::KillAtOnce)];

#[derive(Debug)]
struct ControlServer {
    lane: Lanes,
    action: ServerAction,
}

fn read(section: &Section<'_>, _: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    section.need("lane", mistakes);
    section.need("action", mistakes);
    let lane = section.word("lane", words::SERVERS, mistakes);
    let mut action = section.word("action", ACTIONS, mistakes)?;
    if let Some(node) = section.get("when") {
        let kill = section.word("when", KILLS, mistakes);
        if action == ServerAction::Kill {
            action = kill.unwrap_or(action);
        } else {
            let hint = "leave it out, or kill the server".to_owned();
            mistakes.local(node.at, "`when` says when a kill falls", hint);
        }
    }
    Some(Box::new(ControlServer { lane: lane?, action }))
}

impl Step for ControlServer {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        let ControlServer { lane: only, action } = *self;
        for lane in LaneId::BOTH.into_iter().filter(|lane| only.is_none_or(|only| only == *lane)) {
            let state = rehearsal.world.servers.get(&lane).copied().unwrap_or(Server::Up);
            if let Some(refused) = refused(action, state) {
                rehearsal.refuse(format!("the {lane} server {refused}"), None);
            }
            let next = match action {
                ServerAction::Kill | ServerAction::KillAtOnce | ServerAction::KillAsSeen => {
                    Server::Killed(rehearsal.at)
                }
                ServerAction::Pause => Server::Paused(rehearsal.at),
                ServerAction::Restart | ServerAction::Resume => Server::Up,
            };
            rehearsal.world.servers.insert(lane, next);
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
