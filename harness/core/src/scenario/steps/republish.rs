//! `republish`: the writer publishes known events again, under the same key with the same payload.

use super::super::compile::payload::respelled;
use super::super::numbers::numbers;
use super::super::open::Number;
use super::prelude::*;
use crate::ids::Seq;
use crate::matrix::Part;
use crate::plan::PublishExpect;

pub(super) const KIND: StepKind = StepKind {
    name: "republish",
    keys: &["stream", "seqs", "spelled"],
    what: "the same key and payload again, of an event, a list or a range (`\"1..=12\"`): the lane must answer with \
           the first seq. `spelled` is `as-before` or `otherwise` (with other spacing, escapes, spellings of numbers \
           and order of members, which is still the same payload)",
    read: |section, names, mistakes| {
        let respelled = section.word("spelled", SPELLED, mistakes).unwrap_or(false);
        Some(Box::new(Republish { published: Published::read(section, names, mistakes)?, respelled }))
    },
};

/// Whether the spelling is another one.
const SPELLED: &[(&str, bool)] = &[("as-before", false), ("otherwise", true)];

#[derive(Debug)]
struct Republish {
    published: Published,
    respelled: bool,
}

#[derive(Debug)]
pub(super) struct Published {
    pub(super) stream: usize,
    seqs: Vec<At<Number>>,
}

impl Published {
    pub(super) fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Published> {
        let stream = names.need_stream(section, mistakes);
        let node = section.need("seqs", mistakes)?;
        let seqs = numbers(node, "seqs", mistakes);
        for seq in &seqs {
            if seq.value == Number::Random {
                mistakes.local(seq.at, "`seqs` are numbers or \"each\"", None);
            }
        }
        Some(Published { stream: stream?, seqs })
    }

    /// The stream and seq of each event. Refuses those that are not published yet.
    pub(super) fn events(&self, rehearsal: &mut Rehearsal<'_, '_>) -> Vec<(usize, u64)> {
        rehearsal.needs_servers("publishing");
        let mut events = Vec::new();
        for number in &self.seqs {
            let Some(seq) = rehearsal.number(number.at, number.value) else {
                continue;
            };
            let head = rehearsal.world.streams[self.stream].head;
            if seq == 0 || seq > head {
                let topic = rehearsal.topic(self.stream);
                let what = format!("event {seq} of `{topic}` is not published by now: its head is {head}");
                rehearsal.mistakes.once(number.at, what, None);
            }
            if rehearsal.world.open.contains(&(self.stream, seq)) {
                let what = format!("event {seq} was published together with others, so that its key is open");
                rehearsal.mistakes.once(number.at, what, None);
            }
            events.push((self.stream, seq));
        }
        events
    }
}

impl Step for Republish {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.inspect(self.published.stream);
        let is_respelled = self.respelled;
        for (stream, seq) in self.published.events(rehearsal) {
            rehearsal.world.earn(None, [Part::RepeatedPublish]);
            rehearsal.then(move |planner| {
                planner.publish_again(stream, seq, |chance, _, event| {
                    let same = &event.payload;
                    let payload = if is_respelled { respelled(chance, same) } else { same.clone() };
                    (payload, PublishExpect::Repeated { seq: Seq(seq) })
                });
            });
        }
        rehearsal.inspect(self.published.stream);
    }
}
