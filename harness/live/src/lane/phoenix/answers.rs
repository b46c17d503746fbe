//! What a channel was told so far, and what its answers, heartbeats and errors must say by that. All of it holds only
//! for a service that has every field of the contract.

use std::collections::{BTreeMap, BTreeSet};

use cutover_core::history::Contradiction;
use cutover_core::ids::{Cursor, Seq, StreamId};
use serde_json::Value;

use super::fields::{Kind, is};
use super::object::RawObject;
use super::profile::FieldNames;
use super::session::PhoenixSession;
use crate::lane::Arrival;

#[derive(Debug, Default)]
pub(super) struct Told {
    subscription_id: Option<String>,
    /// The streams that are subscribed or were just asked for.
    subscribed: BTreeSet<StreamId>,
    /// How far each stream was sent, where that is sure.
    sent: BTreeMap<StreamId, u64>,
    /// The last batch of each topic, with its last seq.
    batches: BTreeMap<String, (u64, String)>,
    /// The heads that batches named and no event has reached.
    heads: BTreeMap<StreamId, u64>,
    /// The last `sync:error`, and what the last frame of an error repeated.
    error: Option<String>,
    error_copy: Option<String>,
    pushed: bool,
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

    pub(super) fn unsubscribed(&mut self, streams: &[StreamId], forgets: bool) {
        self.subscribed.retain(|stream| !streams.contains(stream));
        self.sent.retain(|stream, _| !forgets || !streams.contains(stream));
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

    /// A batch names a head beyond its events; true where it did not name that head before.
    pub(super) fn names_head(&mut self, stream: &StreamId, head: u64) -> bool {
        self.heads.insert(stream.clone(), head) != Some(head)
    }

    /// Notes a batch, or compares its copy; true where they differ.
    pub(super) fn differs(&mut self, topic: &str, seq: u64, text: &str, is_copy: bool) -> bool {
        if !is_copy {
            self.batches.insert(topic.to_owned(), (seq, text.to_owned()));
            return false;
        }
        let batch = self.batches.get(topic).filter(|(batch, _)| *batch == seq);
        batch.is_some_and(|(_, batch)| !same_json(batch, text))
    }

    pub(super) fn error(&mut self, text: &str) {
        self.error = Some(text.to_owned());
    }

    pub(super) fn beats(&mut self) {
        self.pushed = false;
    }
}

impl PhoenixSession {
    fn names(&self) -> FieldNames {
        self.profile.fields.clone()
    }

    pub(super) fn told_wrong(&mut self, stream: Option<&StreamId>, seq: u64, what: Contradiction, said: String) {
        let stream = stream.cloned();
        self.connection.inbox.push(Arrival::Contradiction { stream, seq: Seq(seq), what, said });
    }

    /// Reads an answer, and reports the fields that it does not have as they should be.
    fn answer(&mut self, place: &str, wanted: &[Wanted<'_>], response: &str) -> RawObject {
        let object = RawObject::parse(response).unwrap_or_default();
        for (what, said) in missing(place, wanted, &object) {
            self.told_wrong(None, 0, what, said);
        }
        object
    }

    fn same_subscription(&mut self, answer: &RawObject) {
        let id = answer.text(&self.profile.fields.subscription_id);
        let first = self.told.subscription_id.get_or_insert_with(|| id.clone().unwrap_or_default());
        if id.as_ref().is_some_and(|id| id != first) {
            let said = format!("{} after {first}", id.unwrap_or_default());
            self.told_wrong(None, 0, Contradiction::SubscriptionId, said);
        }
    }

    pub(super) fn check_join(&mut self, response: &str) {
        if !self.profile.has_every_field() {
            return;
        }
        let names = self.names();
        let wanted = [
            (names.subscription_id.as_str(), Kind::Text),
            (names.allowed_topics.as_str(), Kind::List),
            (names.current_watermarks.as_str(), Kind::List),
        ];
        let answer = self.answer("the answer to a join", &wanted, response);
        self.same_subscription(&answer);
        let allowed = answer.list(&names.allowed_topics).unwrap_or_default();
        let topics: BTreeSet<&str> = allowed.iter().map(|topic| topic.get()).collect();
        if topics.len() < allowed.len() || topics.iter().any(|topic| !is(topic, Kind::Text)) {
            let said = format!("{} topics, of which {} differ", allowed.len(), topics.len());
            self.told_wrong(None, 0, Contradiction::JoinAnswer, said);
        }
        let watermarks = answer.list(&names.current_watermarks).unwrap_or_default();
        if let Some(first) = watermarks.first() {
            self.told_wrong(None, 0, Contradiction::JoinAnswer, format!("the watermark {:.100}", first.get()));
        }
    }

    pub(super) fn check_subscribed(&mut self, response: &str) {
        let names = self.names();
        let wanted = [
            (names.subscription_id.as_str(), Kind::Text),
            (names.topics.as_str(), Kind::List),
            (names.current_watermarks.as_str(), Kind::List),
        ];
        let answer = self.answer("the answer to a subscribe", &wanted, response);
        self.same_subscription(&answer);
        self.same_topics(&answer);
        self.same_watermarks(&answer, &names.current_watermarks);
    }

    pub(super) fn check_unsubscribed(&mut self, response: &str) {
        let names = self.names();
        let wanted = [(names.subscription_id.as_str(), Kind::Text), (names.topics.as_str(), Kind::List)];
        let answer = self.answer("the answer to an unsubscribe", &wanted, response);
        self.same_subscription(&answer);
        self.same_topics(&answer);
    }

    /// The channel's own `sync:heartbeat`: asked for, or at a tick.
    pub(super) fn check_heartbeat(&mut self, payload: &str) {
        self.told.pushed = true;
        if !self.profile.has_every_field() {
            return;
        }
        let names = self.names();
        let beat = self.answer("a heartbeat", &[(names.watermarks.as_str(), Kind::List)], payload);
        self.same_watermarks(&beat, &names.watermarks);
    }

    pub(super) fn check_heartbeat_answer(&mut self, response: &str) {
        if !self.told.pushed {
            self.told_wrong(None, 0, Contradiction::HeartbeatUnpushed, "the answer alone".to_owned());
        }
        let names = self.names();
        let wanted = [(names.subscription_id.as_str(), Kind::Text), (names.watermarks.as_str(), Kind::List)];
        let answer = self.answer("the answer to a heartbeat", &wanted, response);
        self.same_subscription(&answer);
        self.same_watermarks(&answer, &names.watermarks);
    }

    /// The subscribed topics, each once.
    fn same_topics(&mut self, answer: &RawObject) {
        let Some(listed) = answer.list(&self.profile.fields.topics) else { return };
        let mut listed: Vec<String> = listed.iter().filter_map(|it| serde_json::from_str(it.get()).ok()).collect();
        let topic = |stream: &StreamId| self.names.topic(stream).unwrap_or_default().to_owned();
        let mut subscribed: Vec<String> = self.told.subscribed.iter().map(topic).collect();
        listed.sort_unstable();
        subscribed.sort_unstable();
        if listed != subscribed {
            let said = format!("{} where {} are subscribed", listed.join(", "), subscribed.join(", "));
            self.told_wrong(None, 0, Contradiction::TopicsAnswered, said);
        }
    }

    /// An entry for each subscribed topic, with what was sent of it.
    fn same_watermarks(&mut self, answer: &RawObject, field: &str) {
        let Some(listed) = answer.list(field) else { return };
        let mut rest = self.told.subscribed.clone();
        let mut wrong: Vec<(Option<StreamId>, u64, String)> = Vec::new();
        for entry in listed {
            let fields = &self.profile.fields;
            let entry = RawObject::parse(entry.get()).unwrap_or_default();
            let topic = entry.text(&fields.topic).unwrap_or_default();
            let stream = self.names.stream_of_topic(&topic).filter(|stream| rest.remove(stream));
            let Some(stream) = stream else {
                wrong.push((None, 0, format!("`{topic}` in `{field}`, which is not subscribed, or again")));
                continue;
            };
            let sent = self.told.sent.get(&stream).copied();
            match entry.number(&fields.watermark) {
                Some(named) if sent.is_none_or(|sent| sent == named) => {}
                Some(named) => {
                    let said = format!("{named} where {} was sent", sent.unwrap_or_default());
                    wrong.push((Some(stream), named, said));
                }
                None => wrong.push((Some(stream), 0, "no number".to_owned())),
            }
        }
        wrong.extend(rest.into_iter().map(|stream| (Some(stream), 0, format!("no entry of it in `{field}`"))));
        for (stream, named, said) in wrong {
            self.told_wrong(stream.as_ref(), named, Contradiction::Watermark, said);
        }
    }

    /// A frame with an error: it repeats the `sync:error` before it.
    pub(super) fn take_error_frame(&mut self, frame: &str, copy: String) {
        if !self.profile.has_every_field() {
            return;
        }
        let seq = RawObject::parse(frame).ok().and_then(|frame| frame.number(&self.profile.fields.seq));
        if seq != Some(0) {
            let said = format!("seq {}", seq.map_or("missing".to_owned(), |seq| seq.to_string()));
            self.told_wrong(None, 0, Contradiction::ErrorCopiesDiffer, format!("a frame of an error with {said}"));
        }
        self.told.error_copy = Some(copy);
    }

    /// A stale refusal has every field, and its `sync:error` and the frame of that stand beside it.
    pub(super) fn check_stale(&mut self, response: &str) {
        let wanted = [
            ("message", Kind::Text),
            ("full_resync_required", Kind::Flag),
            ("reason_codes", Kind::List),
            ("stale_topics", Kind::List),
            ("snapshot_plan", Kind::Any),
        ];
        let refusal = self.answer("a stale refusal", &wanted, response);
        let plan = refusal.get("snapshot_plan").unwrap_or_default().to_owned();
        self.answer("a snapshot plan", &[("format", Kind::Text), ("topics", Kind::List)], &plan);
        let numbers = ["resume_after", "retention_floor", "head_watermark", "replay_lag", "replay_budget_events"];
        let texts = ["topic", "reason", "qos_tier"].map(|name| (name, Kind::Text));
        let wanted: Vec<_> = texts.into_iter().chain(numbers.map(|name| (name, Kind::Number))).collect();
        for entry in refusal.list("stale_topics").unwrap_or_default() {
            self.answer("an entry of stale_topics", &wanted, entry.get());
        }
        let events = &self.profile.events;
        let (error, copy) = (!events.error.is_empty(), !events.frame.is_empty());
        let told = [(error, self.told.error.take()), (copy, self.told.error_copy.take())];
        for (what, (_, said)) in ["a `sync:error`", "a frame of an error"].iter().zip(told).filter(|(_, it)| it.0) {
            match said {
                None => self.told_wrong(None, 0, Contradiction::ErrorUnpushed, format!("no {}", &what[2..])),
                Some(said) if !same_json(&said, response) => {
                    self.told_wrong(None, 0, Contradiction::ErrorCopiesDiffer, format!("{what} that differs"));
                }
                Some(_) => {}
            }
        }
    }
}
