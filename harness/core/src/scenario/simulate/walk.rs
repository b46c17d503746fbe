//! Walks the steps of one case and refuses those that can't happen.

use super::super::draft::{Number, StepDraft};
use super::super::errors::{Mistakes, did_you_mean};
use super::super::read::At;
use super::super::script::{Choice, Lanes, Spread, Step};
use super::cursor;
use super::faults::check_awaited;
use super::toxics::{blocking, named};
use super::world::{Server, World, shares};
use crate::ids::LaneId;
use crate::plan::ServerAction;

/// Walks all steps; [`Step::AwaitFault`] still names the file's faults, see
/// [`with_faults`](super::faults::with_faults).
pub(super) fn steps(world: &mut World<'_>, mistakes: &mut Mistakes) -> Vec<Step> {
    let mut walk = Walk { world, mistakes, steps: Vec::new() };
    let draft = walk.world.draft;
    for (index, step) in draft.steps.iter().enumerate() {
        walk.step(index, step);
    }
    walk.end();
    walk.world.count_random_cuts();
    walk.steps
}

struct Walk<'w, 'd> {
    world: &'w mut World<'d>,
    mistakes: &'w mut Mistakes,
    steps: Vec<Step>,
}

impl Walk<'_, '_> {
    fn step(&mut self, index: usize, step: &At<StepDraft>) {
        let at = step.at;
        match &step.value {
            StepDraft::Connect(clients) => self.connect(at, clients.as_deref()),
            StepDraft::Disconnect(clients) => self.part(at, clients.as_deref(), "disconnect", Step::Disconnect),
            StepDraft::Crash(clients) => self.part(at, clients.as_deref(), "crash", Step::Crash),
            StepDraft::Resubscribe(clients) => {
                self.needs_servers(at, "subscribing");
                for client in self.present(at, clients.as_deref(), "resubscribe") {
                    self.needs_way(at, &[Some(client)]);
                    self.world.resubscribe(client);
                    self.steps.push(Step::Resubscribe(client));
                }
            }
            StepDraft::Await(clients) => self.await_clients(index, at, clients.as_deref()),
            StepDraft::AwaitFault(name) => self.await_fault(name),
            StepDraft::Arm(names) => self.switch(names, true),
            StepDraft::Disarm(names) => self.switch(names, false),
            StepDraft::Publish { streams, count, lockstep, spread } => {
                self.publish(index, at, streams, *count, (*lockstep, *spread))
            }
            StepDraft::Republish { stream, seqs } => {
                self.published(at, *stream, seqs, |stream, seq| Step::Republish { stream, seq });
            }
            StepDraft::Conflict { stream, seqs } => {
                self.published(at, *stream, seqs, |stream, seq| Step::Conflict { stream, seq });
            }
            StepDraft::Policy { streams, retention, replay_budget } => {
                self.policy(at, streams, *retention, *replay_budget)
            }
            StepDraft::SetCursor { client, stream, to } => self.set_cursor(at, *client, *stream, *to),
            StepDraft::Server { lane, action } => self.server(at, *lane, *action),
        }
    }

    fn client_name(&self, client: usize) -> &str {
        &self.world.draft.clients[client].value.name
    }

    fn topic(&self, stream: usize) -> &str {
        &self.world.draft.streams[stream].value.topic
    }

    /// Notes a step that would wait for a server that is down.
    fn needs_servers(&mut self, at: usize, what: &str) {
        let down = self.world.servers.iter().find(|(_, server)| **server != Server::Up);
        if let Some((lane, server)) = down {
            let (state, mend) = match server {
                Server::Paused(_) => ("paused", "resume"),
                _ => ("down", "restart"),
            };
            let what = format!("{what} while the {lane} server is {state} would wait forever");
            self.mistakes.once(at, what, format!("{mend} it first: {{ do = \"server\", action = \"{mend}\", .. }}"));
        }
    }

    /// Notes a step that would wait for a client, or the writer, that a toxic lets get nothing done.
    fn needs_way(&mut self, at: usize, clients: &[Option<usize>]) {
        for client in clients {
            let Some(toxic) = blocking(self.world, *client) else {
                continue;
            };
            let who = client.map_or("writer", |client| &self.world.draft.clients[client].value.name);
            let what = format!("the script waits for `{who}` while `{toxic}` lets it get nothing done");
            let hint = "arm the toxic after this step or disarm it before, or give it a toxicity below 1".to_owned();
            self.mistakes.once(at, what, hint);
        }
    }

    fn switch(&mut self, names: &[At<String>], on: bool) {
        let mut switched = Vec::new();
        for name in names {
            let Some(toxic) = named(self.world, name, self.mistakes) else {
                continue;
            };
            if self.world.armed[toxic] == on {
                let what = format!("`{}` is {} already", name.value, if on { "on" } else { "off" });
                self.mistakes.once(name.at, what, None);
            }
            self.world.armed[toxic] = on;
            switched.push(toxic);
        }
        self.steps.push(if on { Step::Arm(switched) } else { Step::Disarm(switched) });
    }

    fn connect(&mut self, at: usize, named: Option<&[usize]>) {
        self.needs_servers(at, "connecting");
        let all: Vec<_> =
            (0..self.world.clients.len()).filter(|client| !self.world.clients[*client].connected).collect();
        if named.is_none() && all.is_empty() {
            self.mistakes.once(at, "every client is connected already", None);
        }
        for &client in named.unwrap_or(&all) {
            if self.world.clients[client].connected {
                let what = format!("`{}` is connected already", self.client_name(client));
                self.mistakes.once(at, what, None);
                continue;
            }
            self.needs_way(at, &[Some(client)]);
            self.world.connect(client);
            self.steps.push(Step::Connect(client));
        }
    }

    fn part(&mut self, at: usize, named: Option<&[usize]>, verb: &str, step: fn(usize) -> Step) {
        for client in self.present(at, named, verb) {
            self.world.clients[client].connected = false;
            self.steps.push(step(client));
        }
    }

    /// The clients that a step names, all that are connected where it names none; notes those that are not connected.
    fn present(&mut self, at: usize, named: Option<&[usize]>, verb: &str) -> Vec<usize> {
        let all = self.connected();
        if named.is_none() && all.is_empty() {
            self.mistakes.once(at, "no client is connected", None);
        }
        let clients = named.unwrap_or(&all).to_vec();
        for client in clients.iter().filter(|client| !all.contains(client)) {
            let what = format!("`{}` is not connected, so it can't {verb}", self.client_name(*client));
            self.mistakes.once(at, what, None);
        }
        clients
    }

    fn connected(&self) -> Vec<usize> {
        (0..self.world.clients.len()).filter(|client| self.world.clients[*client].connected).collect()
    }

    fn await_clients(&mut self, index: usize, at: usize, named: Option<&[usize]>) {
        self.needs_servers(at, "waiting for clients");
        let all = self.connected();
        if named.is_none() && all.is_empty() {
            self.mistakes.once(at, "no client is connected, so there is nobody to wait for", None);
        }
        let clients = named.unwrap_or(&all).to_vec();
        for client in clients.iter().filter(|client| !all.contains(client)) {
            let what = format!("`{}` is not connected, so it would never catch up", self.client_name(*client));
            let hint = "connect it first, or leave it out".to_owned();
            self.mistakes.once(at, what, hint);
        }
        let waiting: Vec<_> = clients.iter().copied().map(Some).collect();
        self.needs_way(at, &waiting);
        self.world.awaited.push((index, clients.clone()));
        self.steps.push(Step::Await(clients));
    }

    fn await_fault(&mut self, name: &At<String>) {
        let (faults, toxics) = (&self.world.draft.faults, &self.world.draft.toxics);
        let found = faults.iter().position(|fault| fault.value.name == name.value);
        if let Some(toxic) = toxics.iter().position(|toxic| toxic.value.name == name.value) {
            if !self.world.armed[toxic] {
                let what = format!("`{}` is off by now, so nothing is to be waited for", name.value);
                self.mistakes.once(name.at, what, "arm it before".to_owned());
            }
            self.steps.push(Step::AwaitToxic(toxic));
            return;
        }
        let Some(fault) = found else {
            if !self.world.draft.faults_whole {
                return;
            }
            let known: Vec<_> = faults.iter().map(|fault| fault.value.name.as_str()).collect();
            let known: Vec<_> = known.into_iter().chain(toxics.iter().map(|toxic| toxic.value.name.as_str())).collect();
            let what = format!("no fault is called `{}`", name.value);
            self.mistakes.once(name.at, what, did_you_mean(&name.value, &known));
            return;
        };
        check_awaited(self.world, fault, name.at, self.mistakes);
        self.steps.push(Step::AwaitFault(fault));
    }

    fn publish(&mut self, index: usize, at: usize, streams: &[usize], count: Number, how: (bool, Spread)) {
        self.needs_servers(at, "publishing");
        self.needs_way(at, &[None]);
        let (lockstep, spread) = how;
        if lockstep {
            let readers = |client: &usize| streams.iter().any(|stream| self.world.subscribes(*client, *stream));
            let readers: Vec<_> = self.connected().into_iter().filter(readers).map(Some).collect();
            self.needs_way(at, &readers);
        }
        let Some(count) = self.number(at, count) else {
            return;
        };
        if count < streams.len() as u64 {
            let what = format!("{} streams can't share {count} events", streams.len());
            self.mistakes.once(at, what, None);
            return;
        }
        let shares: Vec<_> = streams.iter().copied().zip(shares(count, streams.len(), spread)).collect();
        let mut left = shares.clone();
        for _ in 0..count {
            for (stream, left) in left.iter_mut().filter(|(_, left)| *left > 0) {
                *left -= 1;
                self.world.publish(index, *stream, lockstep);
            }
        }
        let lockstep = lockstep.then(|| self.connected());
        self.steps.push(Step::Publish { shares, spread, lockstep });
    }

    fn number(&mut self, at: usize, number: Number) -> Option<u64> {
        let found = self.world.number(number);
        if found.is_none() {
            let what = "`each` stands for the positions of `expand`, and there are none";
            self.mistakes.once(at, what, "add expand = { position = \"1..=12\" }".to_owned());
        }
        found
    }

    fn published(&mut self, at: usize, stream: usize, seqs: &[At<Number>], step: fn(usize, u64) -> Step) {
        self.needs_servers(at, "publishing");
        for number in seqs {
            let Some(seq) = self.number(number.at, number.value) else {
                continue;
            };
            let head = self.world.streams[stream].head;
            let topic = self.topic(stream);
            if seq == 0 || seq > head {
                let what = format!("event {seq} of `{topic}` is not published by now: its head is {head}");
                self.mistakes.once(number.at, what, None);
            }
            self.steps.push(step(stream, seq));
        }
    }

    fn policy(&mut self, at: usize, streams: &[usize], retention: Option<u64>, replay_budget: Option<u64>) {
        self.needs_servers(at, "setting a policy");
        for &stream in streams {
            self.world.streams[stream].set_policy(retention, replay_budget);
            self.steps.push(Step::Policy { stream, retention, replay_budget });
        }
    }

    fn set_cursor(&mut self, at: usize, client: usize, stream: usize, to: At<super::super::draft::CursorWord>) {
        let name = self.client_name(client).to_owned();
        if self.world.clients[client].connected {
            let hint = "disconnect or crash it first".to_owned();
            self.mistakes.once(at, format!("`{name}` is connected, so its checkpoint is in use"), hint);
        }
        if !self.world.subscribes(client, stream) {
            let what = format!("`{name}` does not subscribe to `{}`", self.topic(stream));
            self.mistakes.once(at, what, None);
        }
        let own = self.world.clients[client].cursors[stream];
        let found = cursor::resolve(to.value, &self.world.streams, stream, own, self.world.binding);
        let to = found.unwrap_or_else(|(what, hint)| {
            self.mistakes.once(to.at, what, hint);
            Choice::fixed(0)
        });
        // A drawn cursor is taken at its greatest, where the client applies the least.
        self.world.clients[client].cursors[stream] = Some(to.high);
        self.steps.push(Step::SetCursor { client, stream, to });
    }

    fn server(&mut self, at: usize, lane: Lanes, action: ServerAction) {
        for id in LaneId::BOTH.into_iter().filter(|id| lane.is_none_or(|lane| lane == *id)) {
            let state = self.world.servers.get(&id).copied().unwrap_or(Server::Up);
            let refused = match (action, state) {
                (ServerAction::Kill | ServerAction::KillAtOnce | ServerAction::Pause, Server::Killed(_)) => {
                    Some("is down already")
                }
                (ServerAction::Pause, Server::Paused(_)) => Some("is paused already"),
                (ServerAction::Restart, Server::Up | Server::Paused(_)) => Some("was not killed"),
                (ServerAction::Resume, Server::Up | Server::Killed(_)) => Some("was not paused"),
                _ => None,
            };
            if let Some(refused) = refused {
                self.mistakes.once(at, format!("the {id} server {refused}"), None);
            }
            let next = match action {
                ServerAction::Kill | ServerAction::KillAtOnce => Server::Killed(at),
                ServerAction::Pause => Server::Paused(at),
                ServerAction::Restart | ServerAction::Resume => Server::Up,
            };
            self.world.servers.insert(id, next);
            for client in self.connected() {
                match action {
                    ServerAction::Restart => self.world.resume(client, Some(id), true),
                    // Whether a pause outlasts a client's patience depends on timing.
                    ServerAction::Pause => self.world.clients[client].blurred = true,
                    _ => {}
                }
            }
        }
        self.steps.push(Step::Server { lane, action });
    }

    /// What must be so when the last step is done.
    fn end(&mut self) {
        for (lane, server) in &self.world.servers {
            let (at, state, mend) = match server {
                Server::Up => continue,
                Server::Killed(at) => (*at, "down", "restart"),
                Server::Paused(at) => (*at, "paused", "resume"),
            };
            self.mistakes.once(at, format!("the {lane} server is left {state}"), format!("{mend} it later on"));
        }
        let draft = self.world.draft;
        for (client, state) in draft.clients.iter().zip(&self.world.clients) {
            if !state.ever {
                self.mistakes.once(client.at, format!("`{}` never connects", client.value.name), None);
            }
        }
        for (stream, state) in draft.streams.iter().zip(&self.world.streams) {
            if state.head == 0 {
                let what = format!("nothing is ever published to `{}`", stream.value.topic);
                self.mistakes.once(stream.at, what, None);
            }
        }
    }
}
