//! Rehearses the steps of one case: each changes the world as if nothing went wrong, or is refused where it can't
//! happen.

use std::fmt;

use super::compile::planner::{Act, StepPlanner};
use super::errors::{Mistakes, did_you_mean};
use super::faults::{ToxicDraft, applies};
use super::mirror::Mirror;
use super::names::Names;
use super::open::Number;
use super::read::{At, Section};
use super::script::Lanes;
use super::world::{Server, World};
use crate::plan::{self, ByteToxic, Direction};

/// A client or writer that may send less on a connection, in bytes, never gets as far as to be subscribed or answered.
const TOO_LITTLE_BYTES: i64 = 2_048;

/// Lanes retain and replay so many events where a policy sets nothing.
const UNLIMITED_EVENTS: u64 = 10_000;

/// A kind of step: how it is read, and what docs/SCENARIOS.md says of it.
pub(super) struct StepKind {
    /// Its word in `do`.
    pub(super) name: &'static str,
    /// Its keys beside `do`.
    pub(super) keys: &'static [&'static str],
    #[cfg_attr(not(test), allow(dead_code, reason = "a test compares the page with it"))]
    pub(super) what: &'static str,
    pub(super) read: fn(&Section<'_>, &Names<'_>, &mut Mistakes) -> Option<Box<dyn Step>>,
}

pub(super) trait Step: fmt::Debug {
    /// Changes the world as the step does, and says what it adds to the plan. Refuses what can't happen.
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>);

    /// Whether it acts on a server, which other cases share.
    fn controls_server(&self) -> bool {
        false
    }

    /// Where it plants a defect: the lane, or both where there is none.
    fn plants(&self) -> Option<Lanes> {
        None
    }

    /// Whether a run without faults leaves it out.
    fn needs_faults(&self) -> bool {
        false
    }

    /// Whether it arms the toxic of this name.
    fn arms(&self, _toxic: &str) -> bool {
        false
    }
}

pub(super) type Steps = Vec<At<Box<dyn Step>>>;

pub(super) fn rehearse(steps: &Steps, world: &mut World<'_>, mistakes: &mut Mistakes) -> Vec<Act> {
    let mut rehearsal = Rehearsal { world, mistakes, index: 0, at: 0, acts: Vec::new() };
    for (index, step) in steps.iter().enumerate() {
        (rehearsal.index, rehearsal.at) = (index, step.at);
        step.value.rehearse(&mut rehearsal);
    }
    rehearsal.end();
    rehearsal.world.count_random_cuts();
    rehearsal.acts
}

pub(super) struct Rehearsal<'r, 'd> {
    pub(super) world: &'r mut World<'d>,
    pub(super) mistakes: &'r mut Mistakes,
    pub(super) index: usize,
    pub(super) at: usize,
    acts: Vec<Act>,
}

impl Rehearsal<'_, '_> {
    pub(super) fn push(&mut self, step: plan::Step) {
        self.then(move |planner| planner.push(step.clone()));
    }

    /// Adds to the plan what depends on the seed, on the number of the operation, or on the faults of the case.
    pub(super) fn then(&mut self, act: impl Fn(&mut StepPlanner<'_>) + Send + Sync + 'static) {
        self.acts.push(Act::new(act));
    }

    /// Adds what an identity does with a token: whether that is allowed, and whether it may see what it may read.
    pub(super) fn attempt(
        &mut self,
        (identity, stream): (usize, usize),
        (token, deed): (&'static str, &'static str),
        (allowed, sees): (bool, bool),
    ) {
        let reads = &self.world.rights[identity].reads;
        let sees: Vec<_> = reads.iter().filter(|_| sees).map(|stream| self.world.stream_ids[*stream].clone()).collect();
        let name = self.world.draft.identities[identity].value.name.clone();
        let stream = self.world.stream_ids[stream].clone();
        self.then(move |planner| {
            let op = planner.op();
            planner.push(plan::Step::Attempt {
                op,
                stream: stream.clone(),
                identity: name.clone(),
                token: token.to_owned(),
                deed: deed.to_owned(),
                allowed,
                sees: sees.clone(),
            });
        });
    }

    /// The bridge of the scenario. Refuses a step that needs one where there is none.
    pub(super) fn mirror(&mut self) -> Option<&mut Mirror> {
        if self.world.mirror.is_none() {
            self.refuse("the scenario has no bridge", "add `bridge = {}`");
        }
        self.world.mirror.as_mut()
    }

    /// Adds a look at what is stored of a stream.
    pub(super) fn inspect(&mut self, stream: usize) {
        self.push(plan::Step::Inspect { stream: self.world.stream_ids[stream].clone() });
    }

    pub(super) fn refuse<'h>(&mut self, what: impl Into<String>, hint: impl Into<Option<&'h str>>) {
        self.mistakes.once(self.at, what, hint.into().map(str::to_owned));
    }

    pub(super) fn client_name(&self, client: usize) -> &str {
        &self.world.draft.clients[client].value.name
    }

    pub(super) fn topic(&self, stream: usize) -> &str {
        &self.world.draft.streams[stream].value.topic
    }

    pub(super) fn connected(&self) -> Vec<usize> {
        (0..self.world.clients.len()).filter(|client| self.world.clients[*client].connected).collect()
    }

    /// The clients that a step names, or all that are connected. Refuses those that are not connected.
    pub(super) fn connected_of(&mut self, named: Option<&[usize]>, verb: &str) -> Vec<usize> {
        let connected = self.connected();
        if named.is_none() && connected.is_empty() {
            self.refuse("no client is connected", None);
        }
        let clients = named.unwrap_or(&connected).to_vec();
        for client in clients.iter().filter(|client| !connected.contains(client)) {
            self.refuse(format!("`{}` is not connected, so it can't {verb}", self.client_name(*client)), None);
        }
        clients
    }

    /// A number in this case. Refuses `each` where there are no positions.
    pub(super) fn number(&mut self, at: usize, number: Number) -> Option<u64> {
        let found = self.world.number(number);
        if found.is_none() {
            let what = "`each` stands for the positions of `expand`, and there are none";
            self.mistakes.once(at, what, "add expand = { position = \"1..=12\" }".to_owned());
        }
        found
    }

    /// Refuses a step that would wait for a server that is down.
    pub(super) fn needs_servers(&mut self, what: &str) {
        let down = self.world.servers.iter().find(|(_, server)| **server != Server::Up);
        if let Some((lane, server)) = down {
            let (state, mend) = match server {
                Server::Paused(_) => ("paused", "resume"),
                _ => ("down", "restart"),
            };
            let what = format!("{what} while the {lane} server is {state} would wait forever");
            self.refuse(what, format!("{mend} it first: {{ do = \"server\", action = \"{mend}\", .. }}").as_str());
        }
    }

    /// Refuses a step that would wait for a client, or the writer, that a toxic keeps from any progress.
    pub(super) fn needs_progress(&mut self, clients: &[Option<usize>]) {
        for client in clients {
            let Some(toxic) = blocking(self.world, *client) else {
                continue;
            };
            let who = client.map_or("writer", |client| self.client_name(client));
            let what = format!("the script waits for `{who}` while `{toxic}` lets it get nothing done");
            self.refuse(what, "arm the toxic after this step or disarm it before, or give it a toxicity below 1");
        }
    }

    /// Switches toxics on or off, and returns the names of those that exist. Refuses those that are so already.
    pub(super) fn switch(&mut self, names: &[At<String>], on: bool) -> Vec<String> {
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
            switched.push(name.value.clone());
        }
        switched
    }

    /// Refuses what the last step leaves open.
    fn end(&mut self) {
        for (lane, server) in &self.world.servers {
            let (at, state, mend) = match server {
                Server::Up => continue,
                Server::Killed(at) => (*at, "down", "restart"),
                Server::Paused(at) => (*at, "paused", "resume"),
            };
            self.mistakes.once(at, format!("the {lane} server is left {state}"), format!("{mend} it later on"));
        }
        if let Some(mirror) = self.world.mirror {
            for (name, server) in [("relay", mirror.relay), ("bridge", mirror.bridge)] {
                if let Server::Killed(at) | Server::Paused(at) = server {
                    let hint = "restart or resume it later on".to_owned();
                    self.mistakes.once(at, format!("the {name} is left down"), hint);
                }
            }
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
            if state.head > UNLIMITED_EVENTS && (state.retention.is_none() || state.budget.is_none()) {
                let what =
                    format!("`{}` has {} events, which a lane's own policy may limit", stream.value.topic, state.head);
                let hint = format!("beyond {UNLIMITED_EVENTS} events, give it a `retention` and a `replay_budget`");
                self.mistakes.once(stream.at, what, hint);
            }
        }
    }
}

fn named(world: &World<'_>, name: &At<String>, mistakes: &mut Mistakes) -> Option<usize> {
    let toxics = &world.draft.toxics;
    let found = toxics.iter().position(|toxic| toxic.value.name == name.value);
    if found.is_none() && world.draft.faults_whole {
        let known: Vec<_> = toxics.iter().map(|toxic| toxic.value.name.as_str()).collect();
        let what = format!("no toxic is called `{}`", name.value);
        mistakes.once(name.at, what, did_you_mean(&name.value, &known));
    }
    found
}

/// A toxic that is on and keeps this client, or the writer, from getting anything done on any connection.
fn blocking<'w>(world: &'w World<'_>, client: Option<usize>) -> Option<&'w str> {
    let on = world.draft.toxics.iter().zip(&world.armed).filter(|(_, armed)| **armed);
    let mut on = on.map(|(toxic, _)| &toxic.value);
    on.find(|toxic| applies(toxic.clients.as_ref(), client) && toxic.toxicity >= 1.0 && blocks(toxic))
        .map(|toxic| toxic.name.as_str())
}

fn blocks(toxic: &ToxicDraft) -> bool {
    match &toxic.toxic {
        // The first data that comes is lost to a reset as well, however long after it the reset comes.
        ByteToxic::Timeout { .. } | ByteToxic::ResetPeer { .. } => true,
        // How much a service says to a client that joins depends on all that it holds, so that no number is enough.
        ByteToxic::LimitData { .. } if toxic.clients.is_some() && toxic.stream == Direction::Downstream => true,
        ByteToxic::LimitData { bytes } => *bytes < TOO_LITTLE_BYTES,
        _ => false,
    }
}
