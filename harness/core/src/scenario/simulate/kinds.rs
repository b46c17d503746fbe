//! What a fault of a case does, once its victim and its place are known.

use super::super::draft::{CursorWord, KindDraft, Number, Pick};
use super::super::errors::Mistakes;
use super::super::read::At;
use super::super::script::{Choice, FaultKind, Place, Victim};
use super::super::words;
use super::cursor;
use super::faults::Resolve;

impl Resolve<'_, '_> {
    /// The kind, with its words and numbers resolved.
    pub(super) fn kind(&self, victim: Victim, place: &Place, mistakes: &mut Mistakes) -> Option<FaultKind> {
        Some(match &self.fault.kind {
            KindDraft::Cut { how, code, when } => FaultKind::Cut {
                how: self.pick(*how, self.world.binding.how, &words::CUTS[..3], mistakes)?,
                code: *code,
                when: self.pick(*when, self.world.binding.when, words::WHENS, mistakes)?,
            },
            KindDraft::Hold { acked } => FaultKind::Hold { acked: self.hold(victim, place, *acked, mistakes)? },
            KindDraft::RewriteCursor { stream, to } => {
                FaultKind::RewriteCursor { stream: *stream, to: self.rewrite(victim, place, *stream, *to, mistakes)? }
            }
            KindDraft::ReplacePayload => FaultKind::ReplacePayload,
            KindDraft::Misdeliver { stream, seq } => {
                FaultKind::Misdeliver { stream: *stream, seq: self.number(*seq, mistakes)? }
            }
            KindDraft::Settled(kind) => FaultKind::Settled(kind.clone()),
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
        to: At<CursorWord>,
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
        use CursorWord::{Each, Number, Zero};
        let lane = self.lanes().next()?;
        let resume = self.world.resumes_on(client, lane).nth(usize::try_from(nth.checked_sub(1)?).ok()?);
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
                mistakes.once(self.entry.at, "what releases the event comes before it, so nothing is held", None);
            }
        }
        Some(until)
    }
}
