//! Resolves the faults of one case: one fault for each target and each position, and refuses those that can't fire.

use super::super::errors::Mistakes;
use super::super::faults::{Fault, FaultDraft, FaultPosition, Target, targets};
use super::super::open::{Number, Settings};
use super::super::read::At;
use super::world::World;
use super::{apart, messages};
use crate::ids::LaneId;
use crate::plan::Direction;
use crate::plan::fault::spec::Effect;

pub(super) fn faults(world: &World<'_>, mistakes: &mut Mistakes) -> Vec<(usize, Fault)> {
    let mut all = Vec::new();
    for (index, entry) in world.draft.faults.iter().enumerate() {
        let resolve = Resolve { world, entry, fault: &entry.value };
        all.extend(resolve.all(mistakes).into_iter().map(|fault| (index, fault)));
    }
    let vacuous = world.draft.is_vacuous();
    if !vacuous {
        apart::check(world, &all, mistakes);
    }
    apart::spare_fixed(&mut all);
    all
}

/// Notes a wait for a fault that may not have fired by then.
pub(in crate::scenario) fn check_awaited(world: &World<'_>, fault: usize, at: usize, mistakes: &mut Mistakes) {
    let fault = &world.draft.faults[fault].value;
    let Some(clients) = &fault.clients else {
        return;
    };
    let fired = |client: &usize| match &fault.at.value {
        FaultPosition::Delivery { stream, seqs } => seqs.iter().all(|seq| match world.number(seq.value) {
            Some(seq) => {
                world.streams[*stream].head >= seq && world.clients[*client].delivered[*stream].contains_key(&seq)
            }
            None => false,
        }),
        FaultPosition::Resume(nth) | FaultPosition::ResumeReply(nth) => LaneId::BOTH.into_iter().all(|lane| {
            let applies = fault.lane.is_none_or(|only| only == lane);
            let count = world.resumes_on(*client, lane).count() as u64;
            !applies || world.number(nth.value).is_some_and(|nth| nth <= count)
        }),
        _ => true,
    };
    if !clients.iter().all(fired) && !world.draft.is_vacuous() {
        let what = format!("the fault `{}` can't be known to have fired by now", fault.name);
        mistakes.once(at, what, "wait for it where its position was passed, whatever the seed".to_owned());
    }
}

pub(super) struct Resolve<'r, 'd> {
    pub(super) world: &'r World<'d>,
    pub(super) entry: &'r At<FaultDraft>,
    pub(super) fault: &'r FaultDraft,
}

impl Resolve<'_, '_> {
    fn all(&self, mistakes: &mut Mistakes) -> Vec<Fault> {
        let targets = targets(self.fault.clients.as_ref());
        let mut all = Vec::new();
        for target in &targets {
            let positions = self.positions(*target, mistakes);
            let count = positions.len();
            for (nth, position) in positions.into_iter().enumerate() {
                let Some(settings) = self.settings(&self.fault.settings, *target, &position, mistakes) else {
                    continue;
                };
                if self.fault.spec.leaves_gap()
                    && !self.world.draft.is_vacuous()
                    && let Some((what, hint)) = messages::unnoticed(self.world, *target, &position)
                {
                    mistakes.once(self.fault.at.at, what, hint);
                }
                all.push(Fault {
                    name: super::name_of(
                        self.world,
                        &self.fault.name,
                        *target,
                        targets.len() > 1,
                        (count > 1).then_some(nth + 1),
                    ),
                    target: *target,
                    lane: self.fault.lane,
                    at: position,
                    spec: self.fault.spec,
                    settings,
                    always: self.fault.always,
                });
            }
        }
        all
    }

    pub(super) fn lanes(&self) -> impl Iterator<Item = LaneId> {
        let only = self.fault.lane;
        LaneId::BOTH.into_iter().filter(move |lane| only.is_none_or(|only| only == *lane))
    }

    fn positions(&self, target: Target, mistakes: &mut Mistakes) -> Vec<FaultPosition<u64>> {
        let position = match &self.fault.at.value {
            FaultPosition::Delivery { stream, seqs } => {
                let stream = *stream;
                let check = |seq, at, mistakes: &mut Mistakes| self.arrives(target, stream, seq, at, mistakes);
                let lists = self.seqs(seqs, check, || self.pool(target, stream), mistakes);
                return lists.into_iter().map(|seqs| FaultPosition::Delivery { stream, seqs }).collect();
            }
            FaultPosition::Ack { stream, seqs } => {
                let stream = *stream;
                let head = self.world.streams[stream].head;
                let check = |seq, at, mistakes: &mut Mistakes| {
                    if seq > head {
                        let what = format!("event {seq} is never published, so it is never acknowledged");
                        self.impossible(at, what, mistakes);
                    }
                };
                let lists = self.seqs(seqs, check, || (1..=head).collect(), mistakes);
                return lists.into_iter().map(|seqs| FaultPosition::Ack { stream, seqs }).collect();
            }
            FaultPosition::Proof { stream } => {
                if let Target::Client(client) = target
                    && !self.world.subscribes(client, *stream)
                {
                    self.stranger(client, *stream, self.fault.at.at, mistakes);
                }
                Some(FaultPosition::Proof { stream: *stream })
            }
            FaultPosition::Resume(nth) => self.nth(target, *nth, mistakes).map(FaultPosition::Resume),
            FaultPosition::ResumeReply(nth) => self.nth(target, *nth, mistakes).map(FaultPosition::ResumeReply),
            FaultPosition::HeartbeatReply(nth) => self.number(*nth, mistakes).map(FaultPosition::HeartbeatReply),
            FaultPosition::Message(direction, filter) => self.message(target, *direction, filter, mistakes),
        };
        position.into_iter().collect()
    }

    fn message(
        &self,
        target: Target,
        direction: Direction,
        filter: &Settings<At<Number>>,
        mistakes: &mut Mistakes,
    ) -> Option<FaultPosition<u64>> {
        let at = self.fault.at.at;
        let filter = self.settings(filter, target, &FaultPosition::Proof { stream: 0 }, mistakes)?;
        if let Some(what) = messages::never_matches(direction, &filter, target) {
            self.impossible(at, what, mistakes);
        }
        if let Some((stream, seq)) = filter.event() {
            self.arrives(target, stream, seq, at, mistakes);
        }
        Some(FaultPosition::Message(direction, filter))
    }

    pub(super) fn number(&self, number: At<Number>, mistakes: &mut Mistakes) -> Option<u64> {
        let found = self.world.number(number.value);
        if found.is_none() {
            let what = "`each` stands for the positions of `expand`, and there are none";
            mistakes.once(number.at, what, "add expand = { position = \"1..=12\" }".to_owned());
        }
        found
    }

    /// One list of choices for each position: single ones where they are fixed, the whole pool for each draw.
    fn seqs(
        &self,
        seqs: &[At<Number>],
        check: impl Fn(u64, usize, &mut Mistakes),
        pool: impl Fn() -> Vec<u64>,
        mistakes: &mut Mistakes,
    ) -> Vec<Vec<u64>> {
        if let [only] = seqs
            && only.value == Number::Random
        {
            let pool = pool();
            if (pool.len() as u64) < self.fault.draws {
                let what = format!("{} positions are drawn, but only {} can be", self.fault.draws, pool.len());
                self.impossible(only.at, what, mistakes);
                return Vec::new();
            }
            return (0..self.fault.draws).map(|_| pool.clone()).collect();
        }
        let mut lists = Vec::new();
        for number in seqs {
            if let Some(seq) = self.number(*number, mistakes) {
                check(seq, number.at, mistakes);
                lists.push(vec![seq]);
            }
        }
        lists
    }

    /// The events that can be drawn: those that come alone, so that each fault has a message of its own.
    fn pool(&self, target: Target, stream: usize) -> Vec<u64> {
        let Target::Client(client) = target else {
            return Vec::new();
        };
        let delivered = &self.world.clients[client].delivered[stream];
        let alone: Vec<_> = delivered.iter().filter(|(_, alone)| **alone).map(|(seq, _)| *seq).collect();
        if alone.is_empty() { delivered.keys().copied().collect() } else { alone }
    }

    fn arrives(&self, target: Target, stream: usize, seq: u64, at: usize, mistakes: &mut Mistakes) {
        let Target::Client(client) = target else {
            return;
        };
        let (name, topic) =
            (&self.world.draft.clients[client].value.name, &self.world.draft.streams[stream].value.topic);
        let head = self.world.streams[stream].head;
        let rewritten = self.world.faults_of(client).any(|fault| fault.spec.does(Effect::MovesCursor));
        if !self.world.subscribes(client, stream) {
            self.stranger(client, stream, at, mistakes);
        } else if seq > head {
            let what = format!("event {seq} of `{topic}` is never published: it ends at {head}");
            self.impossible(at, what, mistakes);
        } else if !rewritten && !self.world.clients[client].delivered[stream].contains_key(&seq) {
            let hint = "it is pruned before `%` connects, or `%` never connects after it".replace('%', name);
            let what = format!("event {seq} of `{topic}` never reaches `{name}` ({hint})");
            self.impossible(at, what, mistakes);
        }
    }

    /// Notes that nothing of a stream comes to a client.
    fn stranger(&self, client: usize, stream: usize, at: usize, mistakes: &mut Mistakes) {
        let (name, topic) =
            (&self.world.draft.clients[client].value.name, &self.world.draft.streams[stream].value.topic);
        let what = format!("`{name}` does not subscribe to `{topic}`, so nothing of it can fire there");
        self.impossible(at, what, mistakes);
    }

    fn nth(&self, target: Target, nth: At<Number>, mistakes: &mut Mistakes) -> Option<u64> {
        let at = self.fault.at.at;
        let nth = self.number(nth, mistakes)?;
        if let Target::Client(client) = target {
            for lane in self.lanes() {
                let count = self.world.resumes_on(client, lane).count() as u64;
                if nth > count && !self.world.clients[client].blurred {
                    let name = &self.world.draft.clients[client].value.name;
                    let what = format!("`{name}` never comes to resume {nth} on the {lane} lane, only to {count}");
                    self.impossible(at, what, mistakes);
                    break;
                }
            }
        }
        Some(nth)
    }

    /// Notes a fault that can't fire, unless the scenario is there to show just that.
    pub(super) fn impossible(&self, at: usize, what: String, mistakes: &mut Mistakes) {
        if !self.world.draft.is_vacuous() {
            mistakes.once(at, what, None);
        }
    }
}
