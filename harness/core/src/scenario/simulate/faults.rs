//! Resolves the faults of one case: one fault for each victim and each position, and refuses those that can't strike.

use super::super::draft::{FaultDraft, KindDraft, Number, PickDraft, PlaceDraft};
use super::super::errors::Mistakes;
use super::super::read::At;
use super::super::script::{Fault, Place, Step, Toxic, Victim};
use super::world::World;
use super::{apart, messages};
use crate::ids::LaneId;

/// Every fault, with the index of its entry in the file.
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

/// Notes a wait for a fault that can't have struck by now.
pub(super) fn check_awaited(world: &World<'_>, fault: usize, at: usize, mistakes: &mut Mistakes) {
    let fault = &world.draft.faults[fault].value;
    let Some(clients) = &fault.clients else {
        return;
    };
    let struck = |client: &usize| match &fault.at.value {
        PlaceDraft::Delivery { stream, seqs } => seqs.iter().all(|seq| match world.number(seq.value) {
            Some(seq) => {
                world.streams[*stream].head >= seq && world.clients[*client].delivered[*stream].contains_key(&seq)
            }
            None => false,
        }),
        PlaceDraft::Resume(nth) | PlaceDraft::ResumeReply(nth) => LaneId::BOTH.into_iter().all(|lane| {
            let strikes = fault.lane.is_none_or(|only| only == lane);
            let count = world.resumes_on(*client, lane).count() as u64;
            !strikes || world.number(*nth).is_some_and(|nth| nth <= count)
        }),
        _ => true,
    };
    if !clients.iter().all(struck) && !world.draft.is_vacuous() {
        let what = format!("the fault `{}` can't be known to have struck by now", fault.name);
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
        let writer = vec![Victim::Writer];
        let clients = self.fault.clients.as_ref();
        let victims = clients.map_or(writer, |clients| clients.iter().map(|client| Victim::Client(*client)).collect());
        let mut all = Vec::new();
        for victim in &victims {
            let places = self.places(*victim, mistakes);
            let count = places.len();
            for (nth, place) in places.into_iter().enumerate() {
                let Some(kind) = self.kind(*victim, &place, mistakes) else {
                    continue;
                };
                if self.fault.kind.displaces()
                    && !self.world.draft.is_vacuous()
                    && let Some((what, hint)) = messages::unnoticed(self.world, self.fault, *victim, &place)
                {
                    mistakes.once(self.fault.at.at, what, hint);
                }
                all.push(Fault {
                    name: self.name(*victim, victims.len() > 1, (count > 1).then_some(nth + 1)),
                    victim: *victim,
                    lane: self.fault.lane,
                    at: place,
                    kind,
                    always: self.fault.always,
                });
            }
        }
        all
    }

    /// `cut-1`, or `cut-1.desk.3` where it has several victims and positions, or `cut-1@p5-before` in a case.
    fn name(&self, victim: Victim, several: bool, nth: Option<usize>) -> String {
        let mut name = self.fault.name.clone();
        if let (Victim::Client(client), true) = (victim, several) {
            name = format!("{name}.{}", self.world.draft.clients[client].value.name);
        }
        if let Some(nth) = nth {
            name = format!("{name}.{nth}");
        }
        match super::case_name(self.world.binding).as_str() {
            "main" => name,
            case => format!("{name}@{case}"),
        }
    }

    pub(super) fn lanes(&self) -> impl Iterator<Item = LaneId> {
        let only = self.fault.lane;
        LaneId::BOTH.into_iter().filter(move |lane| only.is_none_or(|only| only == *lane))
    }

    fn places(&self, victim: Victim, mistakes: &mut Mistakes) -> Vec<Place> {
        match &self.fault.at.value {
            PlaceDraft::Delivery { stream, seqs } => {
                let stream = *stream;
                let lists = self.seqs(
                    seqs,
                    |seq, at, mistakes| self.arrives(victim, stream, seq, at, mistakes),
                    || self.pool(victim, stream),
                    mistakes,
                );
                lists.into_iter().map(|seqs| Place::Delivery { stream, seqs }).collect()
            }
            PlaceDraft::Proof { stream } => {
                if let Victim::Client(client) = victim
                    && !self.world.subscribes(client, *stream)
                {
                    self.stranger(client, *stream, self.fault.at.at, mistakes);
                }
                vec![Place::Proof { stream: *stream }]
            }
            PlaceDraft::Ack { stream, seqs } => {
                let stream = *stream;
                let head = self.world.streams[stream].head;
                let lists = self.seqs(
                    seqs,
                    |seq, at, mistakes| {
                        if seq > head {
                            let what = format!("event {seq} is never published, so it is never acknowledged");
                            self.impossible(at, what, mistakes);
                        }
                    },
                    || (1..=head).collect(),
                    mistakes,
                );
                lists.into_iter().map(|seqs| Place::Ack { stream, seqs }).collect()
            }
            PlaceDraft::Resume(nth) => self.nth(victim, *nth, mistakes).map(Place::Resume).into_iter().collect(),
            PlaceDraft::ResumeReply(nth) => {
                self.nth(victim, *nth, mistakes).map(Place::ResumeReply).into_iter().collect()
            }
            PlaceDraft::Message(draft) => self.message(victim, draft, mistakes).into_iter().collect(),
            PlaceDraft::HeartbeatReply(nth) => {
                let nth = self.number(At { value: *nth, at: self.fault.at.at }, mistakes);
                nth.and_then(|nth| u32::try_from(nth).ok()).map(Place::HeartbeatReply).into_iter().collect()
            }
        }
    }

    fn message(&self, victim: Victim, draft: &PickDraft, mistakes: &mut Mistakes) -> Option<Place> {
        let at = self.fault.at.at;
        let Some(pick) = messages::pick(self.world, draft) else {
            let what = "`each` stands for the positions of `expand`, and there are none";
            mistakes.once(at, what, "add expand = { position = \"1..=12\" }".to_owned());
            return None;
        };
        if let Some(what) = messages::never_picked(&pick, victim) {
            self.impossible(at, what, mistakes);
        }
        if let (Some(stream), Some(seq)) = (pick.stream, pick.seq) {
            self.arrives(victim, stream, seq, at, mistakes);
        }
        Some(Place::Message(pick))
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

    /// The events that can be drawn: those that come alone, so that each strike has a frame of its own.
    fn pool(&self, victim: Victim, stream: usize) -> Vec<u64> {
        let Victim::Client(client) = victim else {
            return Vec::new();
        };
        let delivered = &self.world.clients[client].delivered[stream];
        let alone: Vec<_> = delivered.iter().filter(|(_, alone)| **alone).map(|(seq, _)| *seq).collect();
        if alone.is_empty() { delivered.keys().copied().collect() } else { alone }
    }

    fn arrives(&self, victim: Victim, stream: usize, seq: u64, at: usize, mistakes: &mut Mistakes) {
        let Victim::Client(client) = victim else {
            return;
        };
        let (name, topic) =
            (&self.world.draft.clients[client].value.name, &self.world.draft.streams[stream].value.topic);
        let head = self.world.streams[stream].head;
        let rewritten = self.world.faults_of(client).any(|fault| matches!(fault.kind, KindDraft::RewriteCursor { .. }));
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
        let what = format!("`{name}` does not subscribe to `{topic}`, so nothing of it can strike there");
        self.impossible(at, what, mistakes);
    }

    fn nth(&self, victim: Victim, nth: Number, mistakes: &mut Mistakes) -> Option<u32> {
        let at = self.fault.at.at;
        let nth = self.number(At { value: nth, at }, mistakes)?;
        if let Victim::Client(client) = victim {
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
        u32::try_from(nth).ok()
    }

    /// Notes a fault that can't strike, unless the scenario is there to show just that.
    pub(super) fn impossible(&self, at: usize, what: String, mistakes: &mut Mistakes) {
        if !self.world.draft.is_vacuous() {
            mistakes.once(at, what, None);
        }
    }
}

/// The steps with each fault and toxic of the file replaced by what became of it in this case.
pub(super) fn with_faults(steps: Vec<Step>, faults: &[(usize, Fault)], toxics: &[(usize, Toxic)]) -> Vec<Step> {
    fn became<T>(named: usize, all: &[(usize, T)]) -> impl Iterator<Item = usize> {
        all.iter().enumerate().filter(move |(_, (origin, _))| *origin == named).map(|(index, _)| index)
    }
    let all = |named: &[usize]| named.iter().flat_map(|named| became(*named, toxics)).collect();
    let mut whole = Vec::new();
    for step in steps {
        match step {
            Step::AwaitFault(named) => whole.extend(became(named, faults).map(Step::AwaitFault)),
            Step::AwaitToxic(named) => whole.extend(became(named, toxics).map(Step::AwaitToxic)),
            Step::Arm(named) => whole.push(Step::Arm(all(&named))),
            Step::Disarm(named) => whole.push(Step::Disarm(all(&named))),
            step => whole.push(step),
        }
    }
    whole
}
