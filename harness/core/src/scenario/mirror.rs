//! The bridge of a rehearsal: its relay, and what the outbox may still hold.

use super::draft::Draft;
use super::world::Server;
use crate::matrix::Part;
use crate::plan::{Beside, Mood, RelayState};

#[derive(Debug, Clone, Copy)]
pub(super) struct Mirror {
    pub(super) relay: Server,
    pub(super) bridge: Server,
    pub(super) answers: Mood,
    /// Whether an event was put into the outbox since the script last waited for it.
    pub(super) waiting: bool,
    /// Whether one was since the relay was last changed.
    pub(super) asked: bool,
    kills: u32,
    slowed: bool,
}

impl Mirror {
    /// The bridge of a scenario before its first step; `None` where it has none.
    pub(super) fn of(draft: &Draft) -> Option<Mirror> {
        draft.bridge.as_ref()?;
        Some(Mirror {
            relay: Server::Up,
            bridge: Server::Up,
            answers: Mood::Well,
            waiting: false,
            asked: false,
            kills: 0,
            slowed: draft.toxics.iter().any(|toxic| toxic.value.of_bridge),
        })
    }

    pub(super) fn server(&mut self, of: Beside) -> &mut Server {
        match of {
            Beside::Relay => &mut self.relay,
            Beside::Bridge => &mut self.bridge,
        }
    }

    /// Why no event comes to the relay, or none is marked, at the moment.
    pub(super) fn stands_still(&self, marks: bool) -> Option<&'static str> {
        match (self.relay, self.bridge, self.answers) {
            (Server::Killed(_) | Server::Paused(_), _, _) => Some("the relay is down"),
            (_, Server::Killed(_) | Server::Paused(_), _) => Some("the bridge does not run"),
            (_, _, Mood::Well | Mood::Blocking) => None,
            _ if marks => Some("the relay does not answer well"),
            _ => None,
        }
    }

    /// The relay was killed, started, or answers otherwise.
    pub(super) fn changed(&mut self, killed: bool) {
        self.asked = false;
        self.kills += u32::from(killed);
    }

    /// An event is put into the outbox. What that shows.
    pub(super) fn published(&mut self) -> impl Iterator<Item = Part> + use<> {
        (self.waiting, self.asked) = (true, true);
        let down = matches!(self.relay, Server::Killed(_));
        let relay = RelayState { down, kills: self.kills, slowed: self.slowed, answers: self.answers };
        std::iter::once(Part::OutboxMirrored).chain(relay.shows())
    }
}
