//! What a channel was told so far, and what its answers, heartbeats and errors must say by that. All of it holds only
//! for a service that has every field of the contract.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cutover_core::history::{Contradiction, SlowNotice};
use cutover_core::ids::{Cursor, StreamId};
use serde_json::Value;

use super::fields::{Kind, is};
use super::object::RawObject;
use super::profile::PhoenixProfile;
use crate::lane::names::Names;
use crate::lane::refusal::missing_in_stale;

/// A rule that a message breaks: the stream and the event that it is about, or 0, and what it said.
pub(super) type Wrong = (Option<StreamId>, u64, Contradiction, String);

#[derive(Debug, Default)]
pub(super) struct Told {
    profile: Arc<PhoenixProfile>,
    names: Arc<Names>,
    subscription_id: Option<String>,
    /// The streams that are subscribed or were just asked for.
    subscribed: BTreeSet<StreamId>,
    /// How far each stream was sent, where that is sure.
    sent: BTreeMap<StreamId, u64>,
    /// The last batch of each topic, with its last seq.
    batches: BTreeMap<String, (u64, String)>,
    /// The head that the last batch of each stream named.
    heads: BTreeMap<StreamId, u64>,
    /// The last `sync:error`, and what the last frame of an error repeated.
    error: Option<String>,
    error_copy: Option<String>,
    pushed: bool,
    /// The last strike, until its frame comes.
    strike: Option<String>,
}

/// A field that a message must have. The names are those of the profile.
type Wanted<'a> = (&'a str, Kind);

fn text_of(place: &str, (name, kind): Wanted<'_>, object: &RawObject) -> Option<String> {
    match object.get(name) {
        Some(value) if is(value, kind) => None,
        Some(value) => Some(format!("`{name}` of {place} is {value:.40}")),
        None => Some(format!("{place} has no `{name}`")),
    }
}

/// What is wrong with the fields of an object.
pub(super) fn missing(place: &str, wanted: &[Wanted<'_>], object: &RawObject) -> Vec<(Contradiction, String)> {
    let wrong = wanted.iter().filter_map(|field| text_of(place, *field, object));
    wrong.map(|said| (Contradiction::FieldMissing, said)).collect()
}

fn same_json(left: &str, right: &str) -> bool {
    let value = |text: &str| serde_json::from_str::<Value>(text).ok();
    left == right || value(left).is_some_and(|left| value(right) == Some(left))
}

impl Told {
    pub(super) fn new(profile: Arc<PhoenixProfile>, names: Arc<Names>) -> Told {
        Told { profile, names, ..Told::default() }
    }

    /// Streams are asked for: those with a cursor are sent from there on, the others from where they were.
    pub(super) fn asked(&mut self, streams: &[(StreamId, Option<Cursor>)]) -> Vec<StreamId> {
        (self.error, self.error_copy) = (None, None);
        for (stream, cursor) in streams {
            match cursor {
                Some(cursor) => drop(self.sent.insert(stream.clone(), cursor.0)),
                None => drop(self.sent.entry(stream.clone()).or_insert(0)),
            }
        }
        let new = streams.iter().map(|(stream, _)| stream).filter(|stream| !self.subscribed.contains(*stream));
        let new: Vec<StreamId> = new.cloned().collect();
        self.subscribed.extend(new.iter().cloned());
        new
    }

    pub(super) fn refused(&mut self, new: &[StreamId]) {
        self.subscribed.retain(|stream| !new.contains(stream));
    }

    /// How far this stream was sent is not sure any more.
    pub(super) fn lose(&mut self, stream: &StreamId) {
        self.sent.remove(stream);
    }

    /// An event came; true where its stream is not subscribed.
    pub(super) fn came(&mut self, stream: &StreamId, seq: u64) -> bool {
        if let Some(sent) = self.sent.get_mut(stream) {
            *sent = seq.max(*sent);
        }
        !self.subscribed.contains(stream)
    }

    /// Notes a batch of a stream with the head that it names, or compares its copy; true where they differ.
    pub(super) fn differs(&mut self, topic: &str, seq: u64, text: &str, is_copy: bool) -> bool {
        if !self.profile.has_every_field() {
            return false;
        }
        if !is_copy {
            self.batches.insert(topic.to_owned(), (seq, text.to_owned()));
            return false;
        }
        let batch = self.batches.get(topic).filter(|(batch, _)| *batch == seq);
        batch.is_some_and(|(_, batch)| !same_json(batch, text))
    }

    pub(super) fn head(&mut self, stream: &StreamId, head: u64) {
        self.heads.insert(stream.clone(), head);
    }

    /// A topic that is subscribed.
    pub(super) fn topic(&self) -> Option<String> {
        self.names.topic(self.subscribed.first()?).map(str::to_owned)
    }

    pub(super) fn error(&mut self, text: &str) {
        self.error = Some(text.to_owned());
    }

    pub(super) fn beats(&mut self) {
        self.pushed = false;
    }

    pub(super) fn joined(&mut self, response: &str) -> Vec<Wrong> {
        let profile = Arc::clone(&self.profile);
        let names = &profile.fields;
        let wanted = [
            (names.subscription_id.as_str(), Kind::Text),
            (names.allowed_topics.as_str(), Kind::List),
            (names.current_watermarks.as_str(), Kind::List),
        ];
        let Some((answer, mut wrong)) = self.answer("the answer to a join", &wanted, response) else { return vec![] };
        let allowed = answer.list(&names.allowed_topics).unwrap_or_default();
        let topics: BTreeSet<&str> = allowed.iter().map(|topic| topic.get()).collect();
        if topics.len() < allowed.len() || topics.iter().any(|topic| !is(topic, Kind::Text)) {
            let said = format!("{} topics, of which {} differ", allowed.len(), topics.len());
            wrong.push((None, 0, Contradiction::JoinAnswer, said));
        }
        let watermarks = answer.list(&names.current_watermarks).unwrap_or_default();
        let first = watermarks.first().map(|first| format!("the watermark {:.100}", first.get()));
        wrong.extend(first.map(|said| (None, 0, Contradiction::JoinAnswer, said)));
        wrong
    }

    /// The answer to a subscribe of these streams: it names them, and may name the others that are subscribed.
    pub(super) fn subscribed(&mut self, asked: &[(StreamId, Option<Cursor>)], response: &str) -> Vec<Wrong> {
        let asked: BTreeSet<StreamId> = asked.iter().map(|(stream, _)| stream.clone()).collect();
        let profile = Arc::clone(&self.profile);
        let names = &profile.fields;
        let (id, topics, marks) = (&*names.subscription_id, &*names.topics, &*names.current_watermarks);
        let wanted = [(id, Kind::Text), (topics, Kind::List), (marks, Kind::List)];
        let found = self.answer("the answer to a subscribe", &wanted, response);
        let Some((answer, mut wrong)) = found else { return vec![] };
        wrong.extend(self.same_topics(&answer, &asked));
        wrong.extend(self.same_watermarks(&answer, marks, asked));
        wrong.extend(self.heads_beyond());
        wrong
    }

    /// Streams were unsubscribed.
    pub(super) fn unsubscribed(&mut self, streams: &[StreamId], response: &str) -> Vec<Wrong> {
        self.subscribed.retain(|stream| !streams.contains(stream));
        let forgets = self.profile.unsubscribe_forgets;
        self.sent.retain(|stream, _| !forgets || !streams.contains(stream));
        let profile = Arc::clone(&self.profile);
        let (id, topics) = (&*profile.fields.subscription_id, &*profile.fields.topics);
        let wanted = [(id, Kind::Text), (topics, Kind::List)];
        let found = self.answer("the answer to an unsubscribe", &wanted, response);
        let Some((answer, mut wrong)) = found else { return vec![] };
        wrong.extend(self.same_topics(&answer, &self.subscribed));
        wrong
    }

    /// The channel's own `sync:heartbeat`: asked for, or at a tick.
    pub(super) fn beat(&mut self, payload: &str) -> Vec<Wrong> {
        self.pushed = true;
        if !self.profile.has_every_field() {
            return Vec::new();
        }
        let name = self.profile.fields.watermarks.clone();
        let beat = RawObject::parse(payload).unwrap_or_default();
        let mut wrong = unnamed(missing("a heartbeat", &[(name.as_str(), Kind::List)], &beat));
        wrong.extend(self.same_watermarks(&beat, &name, self.subscribed.clone()));
        wrong
    }

    pub(super) fn beat_answered(&mut self, response: &str) -> Vec<Wrong> {
        let profile = Arc::clone(&self.profile);
        let (id, marks) = (&*profile.fields.subscription_id, &*profile.fields.watermarks);
        let wanted = [(id, Kind::Text), (marks, Kind::List)];
        let found = self.answer("the answer to a heartbeat", &wanted, response);
        let Some((answer, mut wrong)) = found else { return vec![] };
        if !self.pushed {
            wrong.push((None, 0, Contradiction::HeartbeatUnpushed, "the answer alone".to_owned()));
        }
        wrong.extend(self.same_watermarks(&answer, marks, self.subscribed.clone()));
        wrong.extend(self.heads_beyond());
        wrong
    }

    /// Reads an answer, with the fields that it does not have as they should be, or of another subscription. `None`
    /// of a service that does not have every field.
    fn answer(&mut self, place: &str, wanted: &[Wanted<'_>], response: &str) -> Option<(RawObject, Vec<Wrong>)> {
        if !self.profile.has_every_field() {
            return None;
        }
        let answer = RawObject::parse(response).unwrap_or_default();
        let mut wrong = unnamed(missing(place, wanted, &answer));
        if let Some(id) = answer.text(&self.profile.fields.subscription_id) {
            let first = self.subscription_id.get_or_insert_with(|| id.clone());
            if id != *first {
                wrong.push((None, 0, Contradiction::SubscriptionId, format!("{id} after {first}")));
            }
        }
        Some((answer, wrong))
    }

    /// The heads that batches named and no event has reached by now.
    fn heads_beyond(&mut self) -> Vec<Wrong> {
        let heads = std::mem::take(&mut self.heads).into_iter();
        let beyond = heads.filter(|(stream, head)| self.sent.get(stream).is_some_and(|sent| sent < head));
        let wrong = |(stream, head)| (Some(stream), head, Contradiction::HeadBeyond, format!("head {head}"));
        beyond.map(wrong).collect()
    }

    /// These topics, each once, and no other one that is not subscribed.
    fn same_topics(&self, answer: &RawObject, due: &BTreeSet<StreamId>) -> Option<Wrong> {
        let listed = answer.list(&self.profile.fields.topics)?;
        let listed: Vec<String> = listed.iter().filter_map(|it| serde_json::from_str(it.get()).ok()).collect();
        let topics = |streams: &BTreeSet<StreamId>| -> BTreeSet<String> {
            streams.iter().filter_map(|stream| self.names.topic(stream).map(str::to_owned)).collect()
        };
        let (due, most) = (topics(due), topics(&self.subscribed));
        let once: BTreeSet<String> = listed.iter().cloned().collect();
        let fits = once.len() == listed.len() && due.is_subset(&once) && once.is_subset(&most);
        let said = format!("{} where {most:?} are subscribed", listed.join(", "));
        (!fits).then_some((None, 0, Contradiction::TopicsAnswered, said))
    }

    /// An entry for each topic that is due, with what was sent of it, and none that is not subscribed.
    fn same_watermarks(&self, answer: &RawObject, field: &str, due: BTreeSet<StreamId>) -> Vec<Wrong> {
        let mut rest = self.subscribed.clone();
        let mut wrong: Vec<(Option<StreamId>, u64, String)> = Vec::new();
        for entry in answer.list(field).into_iter().flatten() {
            let fields = &self.profile.fields;
            let entry = RawObject::parse(entry.get()).unwrap_or_default();
            let topic = entry.text(&fields.topic).unwrap_or_default();
            let stream = self.names.stream_of_topic(&topic).filter(|stream| rest.remove(stream));
            let Some(stream) = stream else {
                wrong.push((None, 0, format!("`{topic}` in `{field}`, which is not subscribed, or again")));
                continue;
            };
            let sent = self.sent.get(&stream).copied();
            match entry.number(&fields.watermark) {
                Some(named) if sent.is_none_or(|sent| sent == named) => {}
                Some(named) => {
                    let said = format!("{named} where {} was sent", sent.unwrap_or_default());
                    wrong.push((Some(stream), named, said));
                }
                None => wrong.push((Some(stream), 0, "no number".to_owned())),
            }
        }
        let missing = rest.into_iter().filter(|stream| due.contains(stream));
        wrong.extend(missing.map(|stream| (Some(stream), 0, format!("no entry of it in `{field}`"))));
        let wrong = wrong.into_iter();
        wrong.map(|(stream, named, said)| (stream, named, Contradiction::Watermark, said)).collect()
    }

    /// A frame with an error: it repeats the `sync:error` before it.
    pub(super) fn error_frame(&mut self, frame: &str, copy: String) -> Option<Wrong> {
        let seq = RawObject::parse(frame).ok().and_then(|frame| frame.number(&self.profile.fields.seq));
        let differs = self.strike.take().is_some_and(|strike| !same_json(&strike, &copy));
        self.error_copy = Some(copy);
        let said = match seq {
            _ if differs => "a frame of a strike that differs".to_owned(),
            Some(seq) => format!("a frame of an error with seq {seq}"),
            None => "a frame of an error without a seq".to_owned(),
        };
        let is_wrong = self.profile.has_every_field() && (differs || seq != Some(0));
        is_wrong.then_some((None, 0, Contradiction::ErrorCopiesDiffer, said))
    }

    /// The lane says that the client reads too slowly. What it tells, how long the client is to wait, and what is wrong
    /// with the fields.
    pub(super) fn strike(&mut self, text: &str, error: &RawObject) -> (SlowNotice, Duration, Vec<Wrong>) {
        let reconnect_after_ms = error.number("reconnect_after_ms");
        let wait = Duration::from_millis(reconnect_after_ms.unwrap_or_default());
        let strike = SlowNotice { action: error.text("action").unwrap_or_default(), ..SlowNotice::default() };
        let unframed = self.strike.replace(text.to_owned()).filter(|_| !self.profile.events.frame.is_empty());
        if !self.profile.has_every_field() {
            return (strike, wait, Vec::new());
        }
        let topic = self.profile.fields.topic.as_str();
        let counts = ["queue_depth", "queue_limit", "reconnect_after_ms"].map(|name| (name, Kind::Number));
        let wanted = [[("action", Kind::Text), (topic, Kind::Text)].as_slice(), &counts].concat();
        let mut wrong = unnamed(missing("a strike", &wanted, error));
        wrong.extend(unframed.map(|_| (None, 0, Contradiction::ErrorUnpushed, "no frame of a strike".to_owned())));
        let topic = error.text(topic).unwrap_or_default();
        let stream = self.names.stream_of_topic(&topic);
        let (queue_depth, queue_limit) = (error.number("queue_depth"), error.number("queue_limit"));
        (SlowNotice { topic, stream, queue_depth, queue_limit, reconnect_after_ms, ..strike }, wait, wrong)
    }

    /// A stale refusal has every field, and its `sync:error` and the frame of that stand beside it.
    pub(super) fn stale(&mut self, response: &str) -> Vec<Wrong> {
        if !self.profile.has_every_field() {
            return Vec::new();
        }
        let refusal: Value = serde_json::from_str(response).unwrap_or_default();
        let mut wrong: Vec<Wrong> =
            missing_in_stale(&refusal).into_iter().map(|said| (None, 0, Contradiction::FieldMissing, said)).collect();
        let events = &self.profile.events;
        let told = [
            ("`sync:error`", !events.error.is_empty(), self.error.take()),
            ("frame of an error", !events.frame.is_empty(), self.error_copy.take()),
        ];
        for (what, _, said) in told.into_iter().filter(|(_, is_due, _)| *is_due) {
            match said {
                None => wrong.push((None, 0, Contradiction::ErrorUnpushed, format!("no {what}"))),
                Some(said) if !same_json(&said, response) => {
                    wrong.push((None, 0, Contradiction::ErrorCopiesDiffer, format!("a {what} that differs")));
                }
                Some(_) => {}
            }
        }
        wrong
    }
}

fn unnamed(missing: Vec<(Contradiction, String)>) -> Vec<Wrong> {
    missing.into_iter().map(|(what, said)| (None, 0, what, said)).collect()
}

#[cfg(test)]
mod tests;
