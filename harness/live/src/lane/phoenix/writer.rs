//! The writer's session: publishes and sets policies over HTTP.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cutover_core::history::{Closed, Refusal};
use cutover_core::ids::{Seq, StreamId};
use http::Method;
use serde_json::Value;
use serde_json::value::RawValue;

use super::object::{RawObject, quoted};
use crate::frame::pointer;
use crate::lane::http::{HttpAnswer, HttpClient, HttpError, excerpt, percent_encoded};
use crate::lane::names::Names;
use crate::lane::passing::{did_nothing, passing};
use crate::lane::profile::PhoenixProfile;
use crate::lane::refusal::{not_in_plan, read_refusal, refusal};
use crate::lane::{Answer, Arrival, Completion, Op, OpenError, Session};

/// The session.
pub(super) struct PhoenixWriter {
    http: HttpClient,
    profile: Arc<PhoenixProfile>,
    names: Arc<Names>,
    /// The answer to the last request, where there was one.
    pub(super) last_answer: Option<HttpAnswer>,
    /// How long the last answer asked to wait.
    retry_after: Option<Duration>,
}

impl PhoenixWriter {
    /// Connects, so that a lane that is not there is noticed here.
    pub(super) async fn open(
        mut http: HttpClient,
        profile: Arc<PhoenixProfile>,
        names: Arc<Names>,
    ) -> Result<PhoenixWriter, OpenError> {
        http.connect().await.map_err(|error| OpenError {
            what: error.to_string(),
            hint: Some("is it running, and does the address lead to it?".to_owned()),
            retryable: true,
            retry_after: None,
            refusal: None,
        })?;
        Ok(PhoenixWriter { http, profile, names, last_answer: None, retry_after: None })
    }

    async fn publish(&mut self, stream: &StreamId, key: &str, payload: &str) -> Completion {
        let Some(topic) = self.names.topic(stream) else {
            return not_in_plan(stream);
        };
        if let Err(error) = serde_json::from_str::<&RawValue>(payload) {
            return Completion::Fail(refusal("invalid_payload", format!("not sent, as it is no JSON: {error}")));
        }
        let call = &self.profile.publish;
        // The payload goes as it stands, so that no number in it is rounded on the way.
        let fields =
            [(&call.topic, quoted(topic)), (&call.idempotency_key, quoted(key)), (&call.payload, payload.to_owned())];
        let fields = fields.iter().filter(|(name, _)| !name.is_empty());
        let fields: Vec<String> = fields.map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
        let body = match call.payload.as_str() {
            "" => payload.to_owned(),
            _ => format!("{{{}}}", fields.join(",")),
        };
        let path = self.profile.writer_path(&call.path_of(topic));
        let (method, header) = (call.method.clone(), call.idempotency_header.clone());
        let header = header.as_deref().map(|name| (name, key));
        let answered = self.send(&method, &path, header, body).await;
        self.completion(answered, |profile, answer| {
            let json = RawObject::parse(profile.publish.answered(answer)?).ok()?;
            let seq = Seq(json.number(&profile.publish.seq)?);
            let duplicate = json.get(&profile.publish.duplicate).and_then(|text| serde_json::from_str(text).ok());
            Some(Answer::Published { seq, duplicate })
        })
    }

    async fn policy(&mut self, stream: &StreamId, retention: Option<u64>, replay_budget: Option<u64>) -> Completion {
        let Some(topic) = self.names.topic(stream) else {
            return not_in_plan(stream);
        };
        let call = &self.profile.policy;
        let Some(path) = &call.path else {
            if retention.is_none() && replay_budget.is_none() {
                return Completion::Ok(Answer::Done);
            }
            let message = "the lane profile says that policies can't be set";
            return Completion::Fail(refusal("policy_unsupported", message));
        };
        let path = self.profile.writer_path(&path.replace("{topic}", &percent_encoded(topic)));
        let fields = [(&call.retention_events, retention), (&call.replay_budget_events, replay_budget)];
        let fields: Vec<String> =
            fields.iter().filter_map(|(name, value)| value.map(|value| format!("{}:{value}", quoted(name)))).collect();
        let answered = self.send(&call.method.clone(), &path, None, format!("{{{}}}", fields.join(","))).await;
        self.completion(answered, |_, _| Some(Answer::Done))
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
            Err(error) => error.page(),
        };
        answered
    }

    /// 2xx is done, and 4xx refused, but for answers in passing; after anything else nobody knows.
    fn completion(
        &mut self,
        answered: Result<HttpAnswer, HttpError>,
        read: impl Fn(&PhoenixProfile, &str) -> Option<Answer>,
    ) -> Completion {
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => {
                self.retry_after = error.retry_after();
                return passing(&error);
            }
        };
        self.retry_after = answer.retry_after;
        let told = || format!("HTTP {}: {}", answer.status, answer.excerpt());
        let body = String::from_utf8_lossy(&answer.body);
        if answer.is_ok() {
            return match read(&self.profile, &body) {
                Some(answer) => Completion::Ok(answer),
                None => Completion::Info(format!("an answer without `{}`: {}", self.profile.publish.seq, told())),
            };
        }
        match answer.status {
            status if did_nothing(status) => Completion::Later(told()),
            400..=499 if !answer.is_passing() => Completion::Fail(self.refusal(answer.status, &body)),
            _ => Completion::Info(told()),
        }
    }

    fn refusal(&self, status: u16, body: &str) -> Refusal {
        let at = pointer::find(body, &self.profile.publish.refusal).unwrap_or(body);
        let json: Value = serde_json::from_str(at).unwrap_or_default();
        let named = read_refusal(&json, |topic| self.names.stream_of_topic(topic));
        named.unwrap_or_else(|| refusal(format!("http_{status}"), excerpt(body.as_bytes())))
    }
}

#[async_trait]
impl Session for PhoenixWriter {
    async fn invoke(&mut self, op: &Op) -> Completion {
        match op {
            Op::Publish { stream, key, payload } => self.publish(stream, key, payload).await,
            Op::Policy { stream, retention, replay_budget } => self.policy(stream, *retention, *replay_budget).await,
            Op::Subscribe { .. } | Op::Unsubscribe { .. } | Op::Heartbeat | Op::Checkpoint { .. } => {
                Completion::Fail(refusal("not_a_subscriber", "a writer's session does not subscribe"))
            }
        }
    }

    async fn next(&mut self) -> Arrival {
        Arrival::Closed(Closed::ByClient)
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    async fn close(&mut self) {}
}
