//! Resolves the faults of one case: one fault for each victim and each position, and refuses those that can't strike.

use super::super::draft::{FaultDraft, KindDraft, Number, Pick, PickDraft, PlaceDraft};
use super::super::errors::Mistakes;
use super::super::read::At;
use super::super::script::{Choice, Fault, FaultKind, Place, Victim};
use super::super::words;
use super::world::World;
use super::{apart, cursor, messages};
use crate::ids::LaneId;

/// Every fault, with the index of its entry in the file.
pub(super) fn faults(world: &World<'_>, mistakes: &mut Mistakes) -> Vec<(usize, Fault)> {
    let mut all = Vec::new();
    for (index, entry) in world.draft.faults.iter().enumerate() {
        let resolve = Resolve {
            world,
            entry,
            fault: &entry.value,
        };
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
        mistakes.once(
            at,
            what,
            "wait for it where its position was passed, whatever the seed".to_owned(),
        );
    }
}

struct Resolve<'r, 'd> {
    world: &'r World<'d>,
    entry: &'r At<FaultDraft>,
    fault: &'r FaultDraft,
}

impl Resolve<'_, '_> {
    fn all(&self, mistakes: &mut Mistakes) -> Vec<Fault> {
        let writer = vec![Victim::Writer];
        let clients = self.fault.clients.as_ref();
        let victims = clients.map_or(writer, |clients| {
            clients.iter().map(|client| Victim::Client(*client)).collect()
        });
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

    fn lanes(&self) -> impl Iterator<Item = LaneId> {
        let only = self.fault.lane;
        LaneId::BOTH
            .into_iter()
            .filter(move |lane| only.is_none_or(|only| only == *lane))
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
            PlaceDraft::Resume(nth) => self
                .nth(victim, *nth, mistakes)
                .map(Place::Resume)
                .into_iter()
                .collect(),
            PlaceDraft::ResumeReply(nth) => self
                .nth(victim, *nth, mistakes)
                .map(Place::ResumeReply)
                .into_iter()
                .collect(),
            PlaceDraft::Message(draft) => self.message(victim, draft, mistakes).into_iter().collect(),
            PlaceDraft::HeartbeatReply(nth) => {
                let nth = self.number(
                    At {
                        value: *nth,
                        at: self.fault.at.at,
                    },
                    mistakes,
                );
                nth.and_then(|nth| u32::try_from(nth).ok())
                    .map(Place::HeartbeatReply)
                    .into_iter()
                    .collect()
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

    fn number(&self, number: At<Number>, mistakes: &mut Mistakes) -> Option<u64> {
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
                let what = format!(
                    "{} positions are drawn, but only {} can be",
                    self.fault.draws,
                    pool.len()
                );
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
        let alone: Vec<_> = delivered
            .iter()
            .filter(|(_, alone)| **alone)
            .map(|(seq, _)| *seq)
            .collect();
        if alone.is_empty() {
            delivered.keys().copied().collect()
        } else {
            alone
        }
    }

    fn arrives(&self, victim: Victim, stream: usize, seq: u64, at: usize, mistakes: &mut Mistakes) {
        let Victim::Client(client) = victim else {
            return;
        };
        let (name, topic) = (
            &self.world.draft.clients[client].value.name,
            &self.world.draft.streams[stream].value.topic,
        );
        let head = self.world.streams[stream].head;
        let rewritten = self
            .world
            .faults_of(client)
            .any(|fault| matches!(fault.kind, KindDraft::RewriteCursor { .. }));
        if !self.world.subscribes(client, stream) {
            let what = format!("`{name}` does not subscribe to `{topic}`, so nothing of it can strike there");
            self.impossible(at, what, mistakes);
        } else if seq > head {
            let what = format!("event {seq} of `{topic}` is never published: it ends at {head}");
            self.impossible(at, what, mistakes);
        } else if !rewritten && !self.world.clients[client].delivered[stream].contains_key(&seq) {
            let hint = "it is pruned before `%` connects, or `%` never connects after it".replace('%', name);
            let what = format!("event {seq} of `{topic}` never reaches `{name}` ({hint})");
            self.impossible(at, what, mistakes);
        }
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
    fn impossible(&self, at: usize, what: String, mistakes: &mut Mistakes) {
        if !self.world.draft.is_vacuous() {
            mistakes.once(at, what, None);
        }
    }

    fn kind(&self, victim: Victim, place: &Place, mistakes: &mut Mistakes) -> Option<FaultKind> {
        Some(match &self.fault.kind {
            KindDraft::Cut { how, code, when } => FaultKind::Cut {
                how: self.pick(*how, self.world.binding.how, &words::CUTS[..3], mistakes)?,
                code: *code,
                when: self.pick(*when, self.world.binding.when, words::WHENS, mistakes)?,
            },
            KindDraft::Repeat { more } => FaultKind::Repeat { more: *more },
            KindDraft::Delay { ms } => FaultKind::Delay { ms: *ms },
            KindDraft::Hold { acked } => FaultKind::Hold {
                acked: self.hold(victim, place, *acked, mistakes)?,
            },
            KindDraft::RewriteCursor { stream, to } => FaultKind::RewriteCursor {
                stream: *stream,
                to: self.rewrite(victim, place, *stream, *to, mistakes)?,
            },
            KindDraft::Drop => FaultKind::Drop,
            KindDraft::Reorder { behind, within_ms } => FaultKind::Reorder {
                behind: *behind,
                within_ms: *within_ms,
            },
            KindDraft::Split { frames } => FaultKind::Split { frames: *frames },
            KindDraft::Merge { messages, within_ms } => FaultKind::Merge {
                messages: *messages,
                within_ms: *within_ms,
            },
            KindDraft::Drain { code, within_ms } => FaultKind::Drain {
                code: *code,
                within_ms: *within_ms,
            },
            KindDraft::SetJson { pointer, value } => FaultKind::SetJson {
                pointer: pointer.clone(),
                value: value.clone(),
            },
            KindDraft::SetColumn { column, value } => FaultKind::SetColumn {
                column: column.clone(),
                value: value.clone(),
            },
            KindDraft::DropEvent => FaultKind::DropEvent,
            KindDraft::Swap => FaultKind::Swap,
            KindDraft::ReplacePayload => FaultKind::ReplacePayload,
            KindDraft::Misdeliver { stream, seq } => FaultKind::Misdeliver {
                stream: *stream,
                seq: self.number(*seq, mistakes)?,
            },
        })
    }

    /// The words that may be drawn. Silence takes as long as a client's patience, so it is never drawn, only named.
    fn pick<T: Copy>(
        &self,
        pick: Pick<T>,
        bound: Option<T>,
        random: &[(&str, T)],
        mistakes: &mut Mistakes,
    ) -> Option<Vec<T>> {
        match pick {
            Pick::This(value) => Some(vec![value]),
            Pick::Random => Some(random.iter().map(|(_, value)| *value).collect()),
            Pick::Each if bound.is_none() => {
                let what = "`each` stands for a word of `expand`, and there is none";
                let hint = "add expand = { how = [..], when = [..] }".to_owned();
                mistakes.once(self.entry.at, what, hint);
                None
            }
            Pick::Each => bound.map(|value| vec![value]),
        }
    }

    fn rewrite(
        &self,
        victim: Victim,
        place: &Place,
        stream: usize,
        to: At<super::super::draft::CursorWord>,
        mistakes: &mut Mistakes,
    ) -> Option<Choice> {
        let (Victim::Client(client), Place::Resume(nth)) = (victim, place) else {
            return None;
        };
        if !self.world.subscribes(client, stream) {
            let name = &self.world.draft.clients[client].value.name;
            let topic = &self.world.draft.streams[stream].value.topic;
            let what = format!("`{name}` does not subscribe to `{topic}`, so it has no cursor there");
            mistakes.once(self.entry.at, what, None);
            return None;
        }
        use super::super::draft::CursorWord::{Each, Number, Zero};
        let lane = self.lanes().next()?;
        let resume = self
            .world
            .resumes_on(client, lane)
            .nth(usize::try_from(nth.checked_sub(1)?).ok()?);
        let Some(resume) = resume.filter(|resume| resume.exact || matches!(to.value, Number(_) | Zero | Each)) else {
            let what = "where the client stands at that resume depends on the seed or on timing";
            let hint = "name a resume after a connect, or after a cut in lockstep; or give the cursor as a number";
            mistakes.once(to.at, what, hint.to_owned());
            return None;
        };
        let own = resume.cursors[stream];
        match cursor::resolve(to.value, &resume.streams, stream, own, self.world.binding) {
            Ok(choice) => Some(choice),
            Err((what, hint)) => {
                mistakes.once(to.at, what, hint);
                None
            }
        }
    }

    #[allow(clippy::type_complexity)]
    fn hold(
        &self,
        victim: Victim,
        place: &Place,
        acked: Option<(usize, At<Number>)>,
        mistakes: &mut Mistakes,
    ) -> Option<Option<(usize, u64)>> {
        let until = match acked {
            None => None,
            Some((stream, number)) => Some((stream, self.number(number, mistakes)?)),
        };
        let (Victim::Client(client), Place::Delivery { stream, seqs }) = (victim, place) else {
            return Some(until);
        };
        let world = self.world;
        let step_of = |stream: usize, seq: u64| {
            let index = usize::try_from(seq.checked_sub(1)?).ok()?;
            world.streams[stream].published_at.get(index).copied()
        };
        let released = match until {
            None => usize::MAX,
            Some((stream, seq)) => match step_of(stream, seq) {
                Some(step) => step,
                None => {
                    self.impossible(
                        self.entry.at,
                        format!("event {seq} is never published, so nothing is released"),
                        mistakes,
                    );
                    return None;
                }
            },
        };
        for seq in seqs {
            let alone = world.clients[client].delivered[*stream].get(seq) == Some(&true);
            let Some(held) = step_of(*stream, *seq) else {
                continue;
            };
            let blocking =
                |(step, clients): &(usize, Vec<usize>)| *step > held && *step < released && clients.contains(&client);
            if alone || world.awaited.iter().any(blocking) {
                let what = "the script waits for the client while the event is held, and would wait forever";
                let hint = "publish with pace = \"burst\", and await after what releases the event".to_owned();
                mistakes.once(self.entry.at, what, hint);
            } else if released < held || until.is_some_and(|(of, acked)| of == *stream && acked <= *seq) {
                mistakes.once(
                    self.entry.at,
                    "what releases the event comes before it, so nothing is held",
                    None,
                );
            }
        }
        Some(until)
    }
}
