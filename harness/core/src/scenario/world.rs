//! The world of a rehearsal: the streams, clients and servers of a case at a step, as if no fault had fired.

use std::collections::{BTreeMap, BTreeSet};

use super::cast::{Client, Stream};
use super::draft::{Binding, Draft};
use super::faults::{FaultDraft, FaultPosition, applies};
use super::mirror::Mirror;
use super::open::{Number, Setting};
use super::rights::Rights;
use super::script::{Backup, Lanes};
use crate::ids::{ClientId, LaneId, StreamId};
use crate::matrix::Part;
use crate::plan::ModuleUpdate;
use crate::plan::fault::spec::{Effect, Value};

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StreamState {
    pub(super) head: u64,
    /// The seq before the oldest one that is retained.
    pub(super) floor: u64,
    pub(super) retention: Option<u64>,
    pub(super) budget: Option<u64>,
}

impl StreamState {
    fn prune(&mut self) {
        if let Some(retention) = self.retention {
            self.floor = self.floor.max(self.head.saturating_sub(retention));
        }
    }

    pub(super) fn set_policy(&mut self, retention: Option<u64>, budget: Option<u64>) {
        self.retention = retention.or(self.retention);
        self.budget = budget.or(self.budget);
        self.prune();
    }

    pub(super) fn prune_to(&mut self, up_to: u64) {
        self.floor = self.floor.max(up_to.min(self.head));
    }

    /// Whether a resume from this cursor is refused (contract, "Ordering, delivery, replay").
    pub(super) fn is_stale(&self, cursor: u64) -> bool {
        cursor < self.floor || self.budget.is_some_and(|budget| self.head.saturating_sub(cursor) > budget)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Resume {
    pub(super) lane: Lanes,
    /// Whether heads, floors and cursors are known, whatever the seed and the timing.
    pub(super) exact: bool,
    /// Streams as they are then, by index.
    pub(super) streams: Vec<StreamState>,
    /// The client's cursors then, by index.
    pub(super) cursors: Vec<Option<u64>>,
    pub(super) resumes: bool,
    pub(super) refused: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ClientState {
    pub(super) connected: bool,
    pub(super) ever: bool,
    /// Whether it died, and has not been connected since.
    pub(super) died: bool,
    pub(super) cursors: Vec<Option<u64>>,
    pub(super) resumes: Vec<Resume>,
    /// Per stream, the events that arrive, and whether each comes alone in its frame.
    pub(super) delivered: Vec<BTreeMap<u64, bool>>,
    /// Per stream, those of them that first arrive in a replay.
    pub(super) replayed: Vec<BTreeSet<u64>>,
    pub(super) applied: u64,
    /// Whether the number of its resumes depends on timing from here on.
    pub(super) blurred: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    Up,
    Killed(usize),
    Paused(usize),
}

pub(super) struct World<'a> {
    pub(super) draft: &'a Draft,
    pub(super) binding: &'a Binding,
    pub(super) streams: Vec<StreamState>,
    /// Per stream, the step that publishes each event. Apart from the state of a stream, which each resume copies.
    pub(super) published_at: Vec<Vec<usize>>,
    /// Events, by stream and seq, of which it is open which publish wrote them.
    pub(super) open: BTreeSet<(usize, u64)>,
    pub(super) clients: Vec<ClientState>,
    pub(super) servers: BTreeMap<LaneId, Server>,
    /// The last update of the module.
    pub(super) module: Option<ModuleUpdate>,
    pub(super) mirror: Option<Mirror>,
    pub(super) backups: Vec<Backup>,
    pub(super) awaited: Vec<(usize, Vec<usize>)>,
    pub(super) armed: Vec<bool>,
    /// The steps that switch a toxic, with its place and whether it is then on.
    pub(super) switched: Vec<(usize, usize, bool)>,
    /// The steps at which a client crashes.
    pub(super) crashed: Vec<(usize, usize)>,
    /// The checkpoints of clients that only the script names: seq and offset, by name and stream.
    pub(super) checkpoints: BTreeMap<(String, usize), (u64, u64)>,
    /// Per identity, the streams that it may read and write.
    pub(super) rights: Vec<Rights>,
    /// Whether the first key of tokens ended.
    pub(super) retired: bool,
    /// The scripts of reducers that were called, by stream.
    pub(super) scripts: BTreeSet<(usize, &'static str)>,
    pub(super) stream_ids: Vec<StreamId>,
    pub(super) client_ids: Vec<ClientId>,
    earned: BTreeMap<LaneId, Earned>,
}

#[derive(Debug, Clone, Default)]
struct Earned {
    parts: BTreeSet<Part>,
    /// Whether a client resumes, by the script or because its connection ends.
    returns: bool,
    killed: bool,
}

impl<'a> World<'a> {
    /// A case before its first step, with the streams and clients under their names in this case.
    pub(super) fn new(
        draft: &'a Draft,
        binding: &'a Binding,
        (streams, clients): (&[Stream], &[Client]),
        armed: Vec<bool>,
    ) -> World<'a> {
        let stream = |stream: &Stream| StreamState {
            retention: stream.retention,
            budget: stream.replay_budget,
            ..StreamState::default()
        };
        let client = ClientState {
            cursors: vec![None; draft.streams.len()],
            delivered: vec![BTreeMap::new(); draft.streams.len()],
            replayed: vec![BTreeSet::new(); draft.streams.len()],
            ..ClientState::default()
        };
        let mut world = World {
            draft,
            binding,
            streams: streams.iter().map(stream).collect(),
            published_at: vec![Vec::new(); streams.len()],
            open: BTreeSet::new(),
            clients: vec![client; draft.clients.len()],
            servers: LaneId::BOTH.into_iter().map(|lane| (lane, Server::Up)).collect(),
            module: None,
            mirror: Mirror::of(draft),
            backups: Vec::new(),
            awaited: Vec::new(),
            armed,
            switched: Vec::new(),
            crashed: Vec::new(),
            checkpoints: BTreeMap::new(),
            rights: draft.identities.iter().map(|identity| Rights::of(&identity.value)).collect(),
            retired: false,
            scripts: BTreeSet::new(),
            stream_ids: streams.iter().map(|stream| StreamId::new(&stream.topic)).collect(),
            client_ids: clients.iter().map(|client| ClientId::new(&client.name)).collect(),
            earned: LaneId::BOTH.into_iter().map(|lane| (lane, Earned::default())).collect(),
        };
        for client in 0..world.clients.len() {
            world.clients[client].blurred = world.is_blurred(client);
        }
        world
    }

    /// Whether something makes the client resume at a moment that can't be known beforehand.
    fn is_blurred(&self, client: usize) -> bool {
        let anywhere =
            |fault: &FaultDraft| matches!(fault.at.value, FaultPosition::Message(..)) && fault.spec.does(Effect::Ends);
        let mut toxics = self.draft.toxics.iter().map(|toxic| &toxic.value);
        self.random_cuts(client).next().is_some()
            || self.faults_of(client).any(|fault| fault.spec.leaves_gap() || anywhere(fault))
            || toxics.any(|toxic| applies(toxic.clients.as_ref(), Some(client)) && toxic.may_end())
    }

    fn random_cuts(&self, client: usize) -> impl Iterator<Item = &'a FaultDraft> + use<'a> {
        let random = |fault: &&FaultDraft| match &fault.at.value {
            FaultPosition::Delivery { seqs, .. } => seqs.iter().any(|seq| seq.value == Number::Random),
            _ => false,
        };
        self.faults_of(client).filter(|fault| fault.spec.does(Effect::Ends)).filter(random)
    }

    /// Counts the resumes that follow cuts whose position is drawn. It is known that they come, but not when.
    pub(super) fn count_random_cuts(&mut self) {
        for client in 0..self.clients.len() {
            for cut in self.random_cuts(client) {
                for _ in 0..cut.draws {
                    self.resume(client, cut.lane, false);
                }
            }
        }
    }

    /// Notes parts of the matrix that the script lets a lane, or each lane, see. A run may see less of them: that is
    /// counted from its history.
    pub(super) fn earn(&mut self, lanes: Lanes, parts: impl IntoIterator<Item = Part> + Clone) {
        for (_, earned) in self.earned.iter_mut().filter(|(lane, _)| lanes.is_none_or(|only| only == **lane)) {
            earned.parts.extend(parts.clone());
        }
    }

    pub(super) fn resumes(&mut self, lanes: Lanes, stream: usize) {
        self.earn(lanes, Part::resumed(&self.draft.streams[stream].value.topic));
        for (_, earned) in self.earned.iter_mut().filter(|(lane, _)| lanes.is_none_or(|only| only == **lane)) {
            earned.returns = true;
        }
    }

    pub(super) fn comes_back(&mut self, lanes: Lanes, client: usize) {
        self.earn(lanes, [Part::ReplayAfterReconnect, Part::LateBootstrap]);
        for stream in self.draft.clients[client].value.streams.clone() {
            self.resumes(lanes, stream);
            if (0..self.clients.len()).filter(|other| self.subscribes(*other, stream)).count() > 1 {
                self.earn(lanes, [Part::DeviceReturns]);
            }
        }
    }

    pub(super) fn was_killed(&mut self, lane: LaneId, now: bool) -> bool {
        let earned = self.earned.entry(lane).or_default();
        earned.killed |= now;
        earned.killed
    }

    pub(super) fn earned(&mut self) -> impl Iterator<Item = (LaneId, &BTreeSet<Part>)> {
        let retains = self.streams.iter().any(|stream| stream.retention.is_some());
        let limits_replay = self.streams.iter().any(|stream| stream.budget.is_some());
        let devices = |stream: usize| {
            (0..self.clients.len())
                .filter(|client| self.clients[*client].ever && self.subscribes(*client, stream))
                .count()
        };
        let shared = (0..self.streams.len()).any(|stream| self.streams[stream].head > 0 && devices(stream) > 1);
        for earned in self.earned.values_mut() {
            earned.parts.extend((earned.returns && retains).then_some(Part::FloorBreach));
            earned.parts.extend((earned.returns && limits_replay).then_some(Part::BudgetExceeded));
            earned.parts.extend(shared.then_some(Part::DevicesEqual));
        }
        self.earned.iter().map(|(lane, earned)| (*lane, &earned.parts))
    }

    /// A number of the file in this case; `None` where it is left to chance or to a position that there is not.
    pub(super) fn number(&self, number: Number) -> Option<u64> {
        match number {
            Number::Fixed(value) => Some(value),
            Number::Each => self.binding.position,
            Number::Random => None,
        }
    }

    pub(super) fn subscribes(&self, client: usize, stream: usize) -> bool {
        self.draft.clients[client].value.streams.contains(&stream)
    }

    pub(super) fn deliveries(&self) -> u64 {
        self.clients.iter().map(|client| client.applied).sum()
    }

    pub(super) fn events(&self) -> u64 {
        self.streams.iter().map(|stream| stream.head).sum()
    }

    pub(super) fn connect(&mut self, client: usize) {
        if self.clients[client].ever {
            self.comes_back(None, client);
        }
        self.bootstraps(client);
        self.subscribe(client);
    }

    /// A client gives its cursors of these streams up, or of all where there is none, and is brought up to date from
    /// the oldest event that is retained.
    pub(super) fn resubscribe(&mut self, client: usize, streams: &[usize]) {
        self.bootstraps(client);
        let all = &self.draft.clients[client].value.streams;
        let asked = if streams.is_empty() { all.clone() } else { streams.to_vec() };
        // It asks for those alone, without cursors.
        let unasked = vec![None; self.streams.len()];
        let before = std::mem::replace(&mut self.clients[client].cursors, unasked);
        self.resume(client, None, true);
        for (stream, cursor) in before.into_iter().enumerate().filter(|(stream, _)| !asked.contains(stream)) {
            self.clients[client].cursors[stream] = cursor;
        }
        self.replay(client, &asked);
    }

    fn bootstraps(&mut self, client: usize) {
        let streams = &self.draft.clients[client].value.streams;
        if streams.iter().any(|stream| self.streams[*stream].head > 0) {
            self.earn(None, [Part::LateBootstrap]);
        }
    }

    fn subscribe(&mut self, client: usize) {
        self.clients[client].connected = true;
        self.clients[client].died = false;
        self.clients[client].ever = true;
        self.resume(client, None, true);
        let draft = self.draft;
        self.replay(client, &draft.clients[client].value.streams);
    }

    fn replay(&mut self, client: usize, streams: &[usize]) {
        for &stream in streams {
            let state = &self.streams[stream];
            let known = self.clients[client].cursors[stream];
            let known = known.filter(|cursor| !state.is_stale(*cursor) && *cursor <= state.head);
            let from = known.unwrap_or(state.floor);
            let head = state.head;
            for seq in from + 1..=head {
                if !self.clients[client].delivered[stream].contains_key(&seq) {
                    self.clients[client].replayed[stream].insert(seq);
                }
                self.deliver(client, stream, seq, false);
            }
            if head > 0 {
                self.clients[client].cursors[stream] = Some(head);
            }
        }
    }

    fn deliver(&mut self, client: usize, stream: usize, seq: u64, alone: bool) {
        let client = &mut self.clients[client];
        client.delivered[stream].entry(seq).or_insert(alone);
        client.cursors[stream] = Some(seq);
        client.applied += 1;
    }

    /// An event is published and reaches who is connected; cuts at its delivery are followed by resumes.
    pub(super) fn publish(&mut self, step: usize, stream: usize, lockstep: bool) {
        self.published_at[stream].push(step);
        let shown: Vec<_> = self.mirror.iter_mut().flat_map(Mirror::published).collect();
        self.earn(Some(LaneId::Candidate), shown);
        let state = &mut self.streams[stream];
        state.head += 1;
        state.prune();
        let seq = state.head;
        for client in 0..self.clients.len() {
            if !self.clients[client].connected || !self.subscribes(client, stream) {
                continue;
            }
            self.deliver(client, stream, seq, lockstep);
            self.earn(None, [Part::FollowedLive]);
            for (lane, when) in self.cuts_at(client, stream, seq) {
                let after = self.clients[client].cursors[stream];
                if when == Some("before") {
                    self.clients[client].cursors[stream] = seq.checked_sub(1).filter(|before| *before > 0);
                }
                self.resume(client, lane, lockstep && when.is_some());
                self.clients[client].cursors[stream] = after;
            }
        }
    }

    /// The fixed cuts at a delivery; where a cut falls is `None` where that is left to chance.
    fn cuts_at(&self, client: usize, stream: usize, seq: u64) -> Vec<(Lanes, Option<&'a str>)> {
        let here = |fault: &FaultDraft| match &fault.at.value {
            FaultPosition::Delivery { stream: at, seqs } => {
                *at == stream && seqs.iter().any(|number| self.number(number.value) == Some(seq))
            }
            _ => false,
        };
        let mut cuts = Vec::new();
        for fault in self.faults_of(client).filter(|fault| here(fault) && fault.spec.does(Effect::Ends)) {
            let when = match fault.settings.get("when") {
                Some(Setting::Is(Value::Text(when))) => Some(when.as_str()),
                Some(Setting::Each) => self.binding.when,
                Some(_) => None,
                None => Some("after"),
            };
            cuts.push((fault.lane, when));
        }
        cuts
    }

    pub(super) fn faults_of(&self, client: usize) -> impl Iterator<Item = &'a FaultDraft> + use<'a> {
        let faults = self.draft.faults.iter().map(|fault| &fault.value);
        faults.filter(move |fault| fault.clients.as_ref().is_some_and(|clients| clients.contains(&client)))
    }

    pub(super) fn resumes_on(&self, client: usize, lane: LaneId) -> impl Iterator<Item = &Resume> {
        let resumes = self.clients[client].resumes.iter();
        resumes.filter(move |resume| resume.lane.is_none_or(|only| only == lane))
    }

    /// A client asks for its streams; where that is refused, or cut, it asks again.
    pub(super) fn resume(&mut self, client: usize, lane: Lanes, exact: bool) {
        // Each round is one resume; a cut at one leads to the next, and there are finitely many cuts.
        for _ in 0..=self.draft.faults.len() {
            let state = &self.clients[client];
            let streams = &self.draft.clients[client].value.streams;
            let refused = |stream: usize, cursor: u64| {
                self.streams[stream].is_stale(cursor) || cursor > self.streams[stream].head
            };
            let is_refused = |stream: &&usize| state.cursors[**stream].is_some_and(|cursor| refused(**stream, cursor));
            let refused: Vec<_> = streams.iter().filter(is_refused).copied().collect();
            let resume = Resume {
                lane,
                exact: exact && !state.blurred,
                streams: self.streams.clone(),
                cursors: state.cursors.clone(),
                resumes: streams.iter().any(|stream| state.cursors[*stream].is_some()),
                refused: !refused.is_empty(),
            };
            self.clients[client].resumes.push(resume.clone());
            if resume.refused {
                let mut again = Resume { refused: false, ..resume };
                for stream in refused {
                    again.cursors[stream] = None;
                }
                self.clients[client].resumes.push(again);
            }
            if !self.is_cut_at_resume(client, lane) {
                return;
            }
        }
    }

    fn is_cut_at_resume(&self, client: usize, lane: Lanes) -> bool {
        let on = lane.unwrap_or(LaneId::Legacy);
        let nth = self.resumes_on(client, on).count() as u64;
        let mut faults = self.faults_of(client);
        faults.any(|fault| {
            let at = match fault.at.value {
                FaultPosition::Resume(at) | FaultPosition::ResumeReply(at) => self.number(at.value),
                _ => None,
            };
            let applies = fault.lane.is_none_or(|only| lane.is_none_or(|lane| lane == only));
            at == Some(nth) && applies && fault.spec.does(Effect::Ends)
        })
    }
}

#[cfg(test)]
mod tests;
