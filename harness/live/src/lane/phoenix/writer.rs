//! The writer's session: publishes and sets policies over HTTP.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cutover_core::hash::{CanonicalError, CanonicalErrorKind, canonicalize, payload_hash};
use cutover_core::history::{Differs, Refusal};
use cutover_core::ids::{Seq, StreamId};
use cutover_core::plan::{INVALID_PAYLOAD, STREAM};
use http::Method;

use super::batch::declared_hash_of;
use super::object::{RawObject, quoted};
use super::profile::{HashKind, PhoenixProfile};
use crate::lane::http::{HttpAnswer, HttpClient, HttpError, excerpt, percent_encoded};
use crate::lane::names::Names;
use crate::lane::passing::{did_nothing, passing};
use crate::lane::refusal::{not_in_plan, read_refusal, refusal};
use crate::lane::{Completion, OpError, OpenError, Publish, Published, Shown, WriterSession};

pub(super) struct PhoenixWriter {
    http: HttpClient,
    profile: Arc<PhoenixProfile>,
    names: Arc<Names>,
    pub(super) last_answer: Option<HttpAnswer>,
    retry_after: Option<Duration>,
}

impl PhoenixWriter {
    /// Connects, so that a lane that is not there is noticed here.
    pub(super) async fn open(
        mut http: HttpClient,
        profile: Arc<PhoenixProfile>,
        names: Arc<Names>,
    ) -> Result<PhoenixWriter, OpenError> {
        http.connect().await.map_err(|error| {
            OpenError::passing(error.to_string()).hint("is it running, and does the address lead to it?")
        })?;
        Ok(PhoenixWriter { http, profile, names, last_answer: None, retry_after: None })
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        header: Option<(&str, &str)>,
        body: String,
    ) -> Result<HttpAnswer, HttpError> {
        // The profile's methods were checked when it was read.
        let method = method.parse().unwrap_or(Method::POST);
        let answered = self.http.request_with(method, path, Some("application/json"), header, Bytes::from(body)).await;
        self.last_answer = match &answered {
            Ok(answer) => Some(answer.clone()),
            Err(error) => error.page().cloned(),
        };
        answered
    }

    /// 2xx is done, and 4xx refused, but for answers in passing. After anything else the outcome is unknown.
    fn completion<T>(
        &mut self,
        answered: Result<HttpAnswer, HttpError>,
        read: impl Fn(&PhoenixProfile, &str) -> Option<T>,
    ) -> Completion<T> {
        let answer = answered.map_err(|error| {
            self.retry_after = error.retry_after();
            passing(&error)
        })?;
        self.retry_after = answer.retry_after;
        let seen = || format!("HTTP {}: {}", answer.status, answer.excerpt());
        let body = String::from_utf8_lossy(&answer.body);
        if answer.is_ok() {
            let unreadable = || format!("an answer without `{}`: {}", self.profile.publish.seq, seen());
            return read(&self.profile, &body).ok_or_else(|| OpError::Unknown(unreadable()));
        }
        Err(match answer.status {
            status if did_nothing(status) => OpError::Later(seen()),
            400..=499 if !answer.is_passing() => OpError::from(self.refusal(answer.status, &body)),
            _ => OpError::Unknown(seen()),
        })
    }

    /// The refusal of what is no payload, in the contract's word for it.
    fn of_payload(&self, refused: Refusal) -> Refusal {
        if refused.code == INVALID_PAYLOAD || !self.profile.publish.invalid.contains(&refused.code) {
            return refused;
        }
        Refusal { message: format!("{}: {}", refused.code, refused.message), ..refusal(INVALID_PAYLOAD, "") }
    }

    fn refusal(&self, status: u16, body: &str) -> Refusal {
        let json = self.profile.in_words_of_contract(body, &self.profile.publish.refusal);
        let named = read_refusal(&json, |topic| self.names.stream_of_topic(topic));
        named.unwrap_or_else(|| {
            let bare = format!("http_{status}");
            refusal(self.profile.codes.word(&bare), excerpt(body.as_bytes()))
        })
    }
}

/// Whether a text that is no payload is JSON all the same: a key comes twice, or an integer is too large for a double.
/// The decoder of a service may let both pass.
fn is_json(error: &CanonicalError) -> bool {
    match &error.kind {
        CanonicalErrorKind::DuplicateKey { .. } => true,
        CanonicalErrorKind::NumberOverflow { literal } => !literal.contains(['.', 'e', 'E']),
        _ => false,
    }
}

/// The statuses of a service without the call.
const NOT_OFFERED: [u16; 3] = [404, 405, 501];

/// The fields of an answer to a publish that do not fit what was sent.
fn differing(profile: &PhoenixProfile, answer: &RawObject, topic: &str, payload: &str) -> Vec<Differs> {
    let fields = &profile.fields;
    let mut differs = Vec::new();
    if let Some(named) = answer.get(&fields.topic).filter(|named| **named != quoted(topic)) {
        differs.push(Differs::new(&fields.topic, quoted(topic), named));
    }
    // A service that hashes the text which it sends has not sent it yet.
    let is_canonical = profile.payload_hash == HashKind::Canonical;
    let declared = answer.get(&fields.payload_hash).filter(|_| is_canonical);
    let declared = declared.and_then(|raw| declared_hash_of(profile, raw, payload));
    if let (Some(declared), Ok(hash)) = (declared, payload_hash(payload.as_bytes()))
        && declared != hash.to_string()
    {
        differs.push(Differs::new(&fields.payload_hash, hash.to_string(), declared));
    }
    differs
}

fn shown(profile: &PhoenixProfile, topic: &str, answer: &str) -> Option<Shown> {
    let json = RawObject::parse(answer).ok()?;
    let named = json.text("topic").filter(|named| named != topic);
    Some(Shown {
        head: json.number("head_seq")?,
        oldest: json.number("oldest_seq")?,
        retention: json.number(&profile.policy.retention_events),
        replay_budget: json.number(&profile.policy.replay_budget_events),
        class: json.text("class"),
        differs: named.map(|named| Differs::new("topic", topic, named)).into_iter().collect(),
        ..Shown::default()
    })
}

#[async_trait]
impl WriterSession for PhoenixWriter {
    async fn publish(&mut self, publish: Publish<'_>) -> Completion<Published> {
        let Publish { stream, key, payload, .. } = publish;
        let Some(topic) = self.names.topic(stream).map(str::to_owned) else {
            return Err(not_in_plan(stream));
        };
        let call = &self.profile.publish;
        if call.payload.is_empty() && payload.trim().is_empty() {
            let words = "not sent: an empty body is a request without a payload, and no empty text";
            return Err(OpError::from(refusal(INVALID_PAYLOAD, words)));
        }
        let invalid = canonicalize(payload.as_bytes(), &mut Vec::new()).err();
        if let Some(error) = invalid.as_ref().filter(|error| !call.strict && is_json(error)) {
            return Err(OpError::from(refusal(INVALID_PAYLOAD, format!("not sent: {error}"))));
        }
        // The payload is sent as its text, so that no number in it is rounded.
        let fields =
            [(&call.topic, quoted(&topic)), (&call.idempotency_key, quoted(key)), (&call.payload, payload.to_owned())];
        let expected = publish.expected_next_seq.map(|seq| (&call.expected_next_seq, seq.to_string()));
        let fields = fields.into_iter().chain(expected).filter(|(name, _)| !name.is_empty());
        let fields: Vec<String> = fields.map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
        let body = match call.payload.as_str() {
            "" => payload.to_owned(),
            _ => format!("{{{}}}", fields.join(",")),
        };
        let path = self.profile.writer_path(&call.path_of(&topic));
        let (method, header) = (call.method.clone(), call.idempotency_header.clone());
        let header = header.as_deref().map(|name| (name, key));
        let answered = self.send(&method, &path, header, body).await;
        let completion = self.completion(answered, |profile, answer| {
            let json = RawObject::parse(profile.publish.answered(answer)?).ok()?;
            let seq = Seq(profile.read_seq(json.get(&profile.publish.seq)?)?);
            let duplicate = json.get(&profile.publish.duplicate).and_then(|text| serde_json::from_str(text).ok());
            Some(Published { seq, duplicate, differs: differing(profile, &json, &topic, payload) })
        });
        match completion {
            // The payload is a part of the body, so a service may refuse the body for it. It may also close the
            // connection, as Bandit does without saying so.
            Err(OpError::Refused(refused)) if invalid.is_some() => {
                self.http.close();
                Err(OpError::from(self.of_payload(*refused)))
            }
            completion => completion,
        }
    }

    async fn set_policy(
        &mut self,
        stream: &StreamId,
        retention: Option<u64>,
        replay_budget: Option<u64>,
    ) -> Completion {
        let Some(topic) = self.names.topic(stream) else {
            return Err(not_in_plan(stream));
        };
        let call = &self.profile.policy;
        let Some(path) = &call.path else {
            if retention.is_none() && replay_budget.is_none() {
                return Ok(());
            }
            let message = "the lane profile says that policies can't be set";
            return Err(OpError::from(refusal("policy_unsupported", message)));
        };
        let path = self.profile.writer_path(&path.replace("{topic}", &percent_encoded(topic)));
        let fields = [(&call.retention_events, retention), (&call.replay_budget_events, replay_budget)];
        let fields: Vec<String> =
            fields.iter().filter_map(|(name, value)| value.map(|value| format!("{}:{value}", quoted(name)))).collect();
        let answered = self.send(&call.method.clone(), &path, None, format!("{{{}}}", fields.join(","))).await;
        self.completion(answered, |_, _| Some(()))
    }

    async fn stored(&mut self, stream: &StreamId) -> Completion<Option<Shown>> {
        let topic = self.names.topic(stream).map(str::to_owned);
        let (Some(topic), Some(path)) = (topic, &self.profile.policy.path) else {
            return Ok(None);
        };
        let path = self.profile.writer_path(&path.replace("{topic}", &percent_encoded(&topic)));
        let answered = self.send("GET", &path, None, String::new()).await;
        if answered.as_ref().is_ok_and(|answer| NOT_OFFERED.contains(&answer.status)) {
            return Ok(None);
        }
        // A service with an answer of another form does not show its streams.
        let read = |profile: &PhoenixProfile, answer: &str| Some(shown(profile, &topic, answer));
        self.completion(answered, read)
    }

    async fn connections(&mut self) -> Completion<Option<Vec<String>>> {
        if !self.profile.presence.is_there() {
            return Ok(None);
        }
        let path = self.profile.writer_path(&self.profile.presence.path);
        let answered = self.send("GET", &path, None, String::new()).await;
        self.completion(answered, |profile, answer| Some(Some(profile.presence.clients(answer))))
    }

    /// Where a profile has other names than the contract, the contract's bodies mean nothing.
    async fn call(&mut self, stream: &StreamId, call: &str, body: &str) -> Option<Completion> {
        let usual = PhoenixProfile::default();
        if (&self.profile.publish.path, &self.profile.policy.path) != (&usual.publish.path, &usual.policy.path) {
            return None;
        }
        let topic = self.names.topic(stream)?.to_owned();
        let (method, path) = call.split_once(' ')?;
        let path = self.profile.writer_path(&path.replace(STREAM, &percent_encoded(&topic)));
        let answered = self.send(method, &path, None, body.replace(STREAM, &topic)).await;
        Some(self.completion(answered, |_, _| Some(())))
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}
