//! The attributes of a fault of a case, once its target and its position are known.

use super::super::errors::Mistakes;
use super::super::faults::{FaultPosition, Target};
use super::super::open::{Choice, CursorWord, Number, Setting, Settings};
use super::super::read::At;
use super::cursor;
use super::faults::Resolve;
use crate::plan::fault::spec::Value;

impl Resolve<'_, '_> {
    /// The attributes with their numbers, cursors and words of the case; what the plan draws stays open.
    pub(super) fn settings(
        &self,
        settings: &Settings<At<Number>>,
        target: Target,
        position: &FaultPosition<u64>,
        mistakes: &mut Mistakes,
    ) -> Option<Settings<u64>> {
        let stream = settings.stream("stream");
        let mut resolved = Vec::new();
        for (name, setting) in &settings.0 {
            let setting = match setting {
                Setting::Is(value) => Setting::Is(value.clone()),
                Setting::OneOf(words) => Setting::OneOf(words.clone()),
                Setting::Stream(stream) => Setting::Stream(*stream),
                Setting::Between(choice) => Setting::Between(*choice),
                Setting::Number(number) => Setting::Number(self.number(*number, mistakes)?),
                Setting::Each => Setting::Is(Value::Text(self.word(name, mistakes)?.to_owned())),
                Setting::Until(acked) => Setting::Until(self.hold(target, position, *acked, mistakes)?),
                Setting::Cursor(word, at) => {
                    let to = At { value: *word, at: *at };
                    Setting::Between(self.rewrite(target, position, stream?, to, mistakes)?)
                }
            };
            resolved.push((*name, setting));
        }
        Some(Settings(resolved))
    }

    fn word(&self, attribute: &str, mistakes: &mut Mistakes) -> Option<&'static str> {
        let word = self.world.binding.word(attribute);
        if word.is_none() {
            let what = "`each` stands for a word of `expand`, and there is none";
            let hint = "add expand = { how = [..], when = [..] }".to_owned();
            mistakes.once(self.entry.at, what, hint);
        }
        word
    }

    fn rewrite(
        &self,
        target: Target,
        position: &FaultPosition<u64>,
        stream: usize,
        to: At<CursorWord>,
        mistakes: &mut Mistakes,
    ) -> Option<Choice> {
        let (Target::Client(client), FaultPosition::Resume(nth)) = (target, position) else {
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
        if own.is_none() {
            let name = &self.world.draft.clients[client].value.name;
            let topic = &self.world.draft.streams[stream].value.topic;
            let what = format!("resume {nth} of `{name}` has no cursor of `{topic}`, so there is none to rewrite");
            let hint = "name a later resume, after a disconnect, a crash or a cut".to_owned();
            mistakes.once(self.entry.at, what, hint);
            return None;
        }
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
        target: Target,
        position: &FaultPosition<u64>,
        acked: Option<(usize, At<Number>)>,
        mistakes: &mut Mistakes,
    ) -> Option<Option<(usize, u64)>> {
        let until = match acked {
            None => None,
            Some((stream, number)) => Some((stream, self.number(number, mistakes)?)),
        };
        let (Target::Client(client), FaultPosition::Delivery { stream, seqs }) = (target, position) else {
            return Some(until);
        };
        let world = self.world;
        let step_of = |stream: usize, seq: u64| {
            let index = usize::try_from(seq.checked_sub(1)?).ok()?;
            world.published_at[stream].get(index).copied()
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
