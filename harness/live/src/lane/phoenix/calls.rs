//! How a profile describes the writer's two calls, and what the service asks of a token.

#![allow(missing_docs, reason = "docs/LANES.md explains every key")]

use serde::Deserialize;

use cutover_core::plan::{FIRST_KEY, INVALID_PAYLOAD, rules};
use cutover_core::text::Secret;

use crate::frame::pointer;
use crate::lane::http::percent_encoded;
use crate::lane::profile::Misfit;

pub(super) const TOPIC: &str = "{topic}";

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PublishCall {
    pub method: String,
    pub path: String,
    pub topic: String,
    pub idempotency_key: String,
    pub idempotency_header: Option<String>,
    pub payload: String,
    pub expected_next_seq: String,
    pub answer: String,
    pub refusal: String,
    pub seq: String,
    pub duplicate: String,
    pub authorization: Option<Secret>,
    pub invalid: Vec<String>,
    pub strict: bool,
}

impl Default for PublishCall {
    fn default() -> Self {
        PublishCall {
            method: "POST".to_owned(),
            path: "/internal/v1/sync/publish".to_owned(),
            topic: "topic".to_owned(),
            idempotency_key: "idempotency_key".to_owned(),
            idempotency_header: None,
            payload: "payload".to_owned(),
            expected_next_seq: "expected_next_seq".to_owned(),
            answer: String::new(),
            refusal: String::new(),
            seq: "seq".to_owned(),
            duplicate: "duplicate".to_owned(),
            authorization: None,
            invalid: [INVALID_PAYLOAD, "invalid_json", "bad_request", "http_400"].map(str::to_owned).to_vec(),
            strict: false,
        }
    }
}

impl PublishCall {
    /// The key that is wrong, what is wrong, and how to mend it.
    pub(super) fn mistake(&self) -> Option<(&'static str, String, &'static str)> {
        if self.topic.is_empty() && !self.path.contains(TOPIC) {
            let what = "publish.topic is empty, and publish.path does not say where the topic goes";
            let hint = "put `{topic}` into the path, or name the body's field";
            return Some(("publish.topic", what.to_owned(), hint));
        }
        let header = self.idempotency_header.as_deref();
        if self.idempotency_key.is_empty() && header.is_none() {
            let what = "publish.idempotency_key is empty, and there is no publish.idempotency_header";
            let hint = "name the body's field or the header of the key";
            return Some(("publish.idempotency_key", what.to_owned(), hint));
        }
        if let Some(header) = header.filter(|header| http::HeaderName::from_bytes(header.as_bytes()).is_err()) {
            let what = format!("publish.idempotency_header = \"{header}\" is no name of a header");
            return Some(("publish.idempotency_header", what, "`Idempotency-Key` is usual"));
        }
        if self.payload.is_empty() && !(self.topic.is_empty() && self.idempotency_key.is_empty()) {
            let what = "publish.payload is empty, so the payload is the whole body, which can hold no topic and no key";
            let hint = "put the topic into the path and the key into a header";
            return Some(("publish.payload", what.to_owned(), hint));
        }
        let mut pointers = [("publish.answer", &self.answer), ("publish.refusal", &self.refusal)].into_iter();
        let (key, wrong) = pointers.find(|(_, pointer)| !rules::is_pointer(pointer))?;
        Some((key, format!("`{wrong}` is no JSON pointer"), "write it as `/data`"))
    }

    pub fn path_of(&self, topic: &str) -> String {
        self.path.replace(TOPIC, &percent_encoded(topic))
    }

    /// Whether a path is that of a publish, and the topic in it, where it has one.
    pub fn topic_in(&self, writer_path: &str, path: &str) -> Option<Option<String>> {
        let Some((before, behind)) = writer_path.split_once(TOPIC) else {
            return (path == writer_path).then_some(None);
        };
        let topic = path.strip_prefix(before)?.strip_suffix(behind)?;
        let (topic, _) = url::form_urlencoded::parse(topic.as_bytes()).next()?;
        (!topic.contains('/')).then(|| Some(topic.into_owned()))
    }

    pub fn payload_in<'b>(&self, body: &'b str) -> Option<&'b str> {
        match self.payload.as_str() {
            "" => Some(body),
            name => pointer::member(body, name),
        }
    }

    /// The text of the object in an answer that the fields are looked for in.
    pub fn answered<'a>(&self, answer: &'a str) -> Option<&'a str> {
        pointer::find(answer, &self.answer)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyCall {
    pub method: String,
    /// The path, with `{topic}` in it; `""` in a profile says that policies can't be set, and becomes `None`.
    pub path: Option<String>,
    pub retention_events: String,
    pub replay_budget_events: String,
}

impl Default for PolicyCall {
    fn default() -> Self {
        PolicyCall {
            method: "PUT".to_owned(),
            path: Some("/internal/v1/sync/topics/{topic}".to_owned()),
            retention_events: "retention_events".to_owned(),
            replay_budget_events: "replay_budget_events".to_owned(),
        }
    }
}

/// Where the service counts its connected clients, as Prometheus metrics: a sample of this series for each client,
/// whose name is under this label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PresenceCall {
    /// `""` where it does not.
    pub path: String,
    pub series: String,
    pub label: String,
}

impl Default for PresenceCall {
    fn default() -> Self {
        PresenceCall { path: String::new(), series: "legacy_clients".to_owned(), label: "client".to_owned() }
    }
}

impl PresenceCall {
    pub fn is_there(&self) -> bool {
        !self.path.is_empty()
    }

    /// The names of the connected clients, each as often as it is connected.
    pub fn clients(&self, metrics: &str) -> Vec<String> {
        metrics.lines().filter_map(|line| self.sample(line)).flatten().collect()
    }

    fn sample(&self, line: &str) -> Option<impl Iterator<Item = String>> {
        let labels = line.strip_prefix(&self.series)?.strip_prefix('{')?;
        let (labels, value) = labels.rsplit_once("} ")?;
        let labels = format!(",{labels}");
        let (_, named) = labels.split_once(&format!(",{}=\"", self.label))?;
        let (name, _) = named.split_once('"')?;
        let times: f64 = value.split_whitespace().next()?.parse().ok()?;
        Some(std::iter::repeat_n(name.to_owned(), times as usize))
    }
}

/// How the service takes tokens that the run mints.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenRules {
    /// Its HS256 keys, the one in force first; none where it takes no tokens of the run.
    pub keys: Vec<Secret>,
    /// An environment variable with the keys, separated by commas.
    pub keys_env: Option<String>,
    /// What it asks for as `iss` and `aud`; not given where it does not.
    pub issuer: Option<String>,
    pub audience: Option<String>,
    /// Whether it refuses a token by the age of its `iat`.
    pub max_age: bool,
    /// Whether a publish needs a scope of its token.
    pub scopes: bool,
    pub revocations: String,
    /// The call that ends all keys but the first; `""` where there is none.
    pub end_fallback_keys: String,
}

impl Default for TokenRules {
    fn default() -> Self {
        TokenRules {
            keys: Vec::new(),
            keys_env: None,
            issuer: None,
            audience: None,
            max_age: true,
            scopes: false,
            revocations: "/internal/v1/sync/revocations".to_owned(),
            end_fallback_keys: String::new(),
        }
    }
}

impl TokenRules {
    /// Reads the keys that an environment variable holds.
    pub(super) fn with_keys(mut self) -> Result<TokenRules, Misfit> {
        if let Some(name) = &self.keys_env {
            let keys = std::env::var(name).unwrap_or_default();
            if keys.is_empty() {
                let what = format!("the environment variable `{name}` that `tokens.keys_env` names is not set");
                return Err(Misfit::new(what, "set it to the service's keys, separated by commas"));
            }
            self.keys = keys.split(',').map(Secret::new).collect();
        }
        Ok(self)
    }

    /// What of a plan can't be asked of the service: words of `TOKENS` and `DEEDS`.
    pub fn lacks(&self) -> Vec<&'static str> {
        let lacks = [
            ("other-issuer", self.issuer.is_none()),
            ("other-audience", self.audience.is_none()),
            ("too-old", !self.max_age),
            (FIRST_KEY, self.keys.len() < 2 || self.end_fallback_keys.is_empty()),
            ("append", !self.scopes),
            ("policy", !self.scopes),
        ];
        lacks.into_iter().filter(|(_, lacks)| *lacks).map(|(word, _)| word).collect()
    }
}
