//! The profile of a Phoenix-socket sync service; its defaults are the contract's words.

#![allow(missing_docs, reason = "the names say it")]

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use cutover_core::gate::fit::{Means, ServerKind, Windows};
use cutover_core::plan::{Serializer, Window};
use cutover_core::text::{Secret, learn_value, masked};
use serde::Deserialize;

use super::calls::{PolicyCall, PresenceCall, PublishCall, TOPIC, TokenRules};
use super::codes::Codes;
use super::forms::{Envelope, Forms};
use super::service::PhoenixService;
use crate::authorities::Authorities;
use crate::lane::OpenError;
use crate::lane::profile::{Misfits, Origin, ProfileError, authorities_of, body, server_url, token_of};
use crate::lane::protocol::{Endpoints, Profile, Run, Service};
use crate::lane::refusal::KHALA;

pub(super) const KIND: &str = "phoenix";

/// Where the contract's service has its socket.
const SOCKET_PATH: &str = "/sync/socket/websocket";

/// Whether the payload hashes that the lane declares are compared with ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashKind {
    /// SHA-256 of the canonical JSON, or of the very text that the service sends. A service that hashes what it encodes
    /// declares the latter; it differs from the former where a number or a key is spelled in another way.
    #[default]
    Either,
    /// SHA-256 of the canonical JSON and nothing else, as in the contract.
    Canonical,
    /// None, or of another kind: they are not compared.
    None,
}

/// Declares a table of the profile: its keys, each with the contract's name for it.
macro_rules! names {
    ($(#[$doc:meta])* $table:ident { $($key:ident: $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $table {
            $(pub $key: String,)*
        }

        impl Default for $table {
            fn default() -> $table {
                $table { $($key: $name.to_owned(),)* }
            }
        }

        impl $table {
            /// The contract's names, each with the lane's.
            #[allow(dead_code, reason = "not every table is gone through")]
            pub(super) fn pairs(&self) -> Vec<(&'static str, &str)> {
                vec![$(($name, self.$key.as_str()),)*]
            }
        }
    };
}

names! {
    /// What the lane calls its events. `heartbeat` and `frame` are empty where it has none.
    EventNames {
        subscribe: "sync:subscribe",
        unsubscribe: "sync:unsubscribe",
        heartbeat: "sync:heartbeat",
        update_batch: "sync:update_batch",
        frame: "sync:frame",
        error: "sync:error",
    }
}

names! {
    /// What the lane calls the fields of its payloads.
    FieldNames {
        topics: "topics",
        resume_after: "resume_after",
        replay_batch_size: "replay_batch_size",
        current_watermarks: "current_watermarks",
        updates: "updates",
        topic: "topic",
        watermark: "watermark",
        payload: "payload",
        payload_hash: "payload_hash",
        kind: "kind",
        payload_bytes: "payload_bytes",
        seq: "seq",
        replay_complete: "replay_complete",
        head_watermarks: "head_watermarks",
        doc_key: "doc_key",
        doc_version: "doc_version",
        hydration_required: "hydration_required",
        schema_version: "schema_version",
        subscription_id: "subscription_id",
        allowed_topics: "allowed_topics",
        watermarks: "watermarks",
    }
}

names! {
    /// What the lane calls the fields of its refusals.
    RefusalNames {
        code: "code",
        message: "message",
        reason_codes: "reason_codes",
        stale_topics: "stale_topics",
        topic: "topic",
        reason: "reason",
        resume_after: "resume_after",
        retention_floor: "retention_floor",
        head_watermark: "head_watermark",
        replay_lag: "replay_lag",
        replay_budget_events: "replay_budget_events",
        full_resync_required: "full_resync_required",
        forbidden_topics: "forbidden_topics",
        upgrade_required: "upgrade_required",
        retryable: "retryable",
        action: "action",
        reconnect_after_ms: "reconnect_after_ms",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FrameKinds {
    pub update_batch: String,
    pub error: String,
    pub heartbeat: String,
    pub ignored: Vec<String>,
}

impl Default for FrameKinds {
    fn default() -> Self {
        FrameKinds {
            update_batch: "KHALA_FRAME_KIND_UPDATE_BATCH".to_owned(),
            error: "KHALA_FRAME_KIND_ERROR".to_owned(),
            heartbeat: "KHALA_FRAME_KIND_HEARTBEAT".to_owned(),
            ignored: Vec::new(),
        }
    }
}

/// The profile. Its default has the contract's words and no server: it reads traffic, and connects to nothing.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PhoenixProfile {
    pub kind: String,
    pub socket_url: String,
    pub http_url: Option<String>,
    pub token: Option<Secret>,
    pub token_env: Option<String>,
    /// The certificates of the authorities to trust, in PEM; no others are trusted then.
    pub ca_file: Option<PathBuf>,
    #[serde(skip)]
    pub authorities: Option<Authorities>,
    pub token_param: String,
    pub serializer: Option<Serializer>,
    pub channel: String,
    pub scoped: bool,
    pub unsubscribe_forgets: bool,
    pub rate: Option<NonZeroU32>,
    pub payload_hash: HashKind,
    /// Whether the service has every field of the contract; unless said, it has them where it has the contract's names.
    pub every_field: Option<bool>,
    pub query: BTreeMap<String, String>,
    pub join: toml::Table,
    /// The parameter of a join that has the client's name; `""` where a join has none.
    pub client_param: String,
    pub envelope: Envelope,
    pub forms: Forms,
    pub codes: Codes,
    pub refusal: RefusalNames,
    pub publish: PublishCall,
    pub policy: PolicyCall,
    pub presence: PresenceCall,
    /// The clients that the service lets in; not given where it is not known.
    pub window: Option<ServiceWindow>,
    pub tokens: TokenRules,
    pub events: EventNames,
    pub fields: FieldNames,
    pub frame_kinds: FrameKinds,
}

impl Default for PhoenixProfile {
    fn default() -> PhoenixProfile {
        let mut join = toml::Table::new();
        join.insert("client_build_id".to_owned(), "20260225T190000Z".into());
        join.insert("protocol_version".to_owned(), KHALA.into());
        join.insert("schema_version".to_owned(), 1.into());
        PhoenixProfile {
            kind: KIND.to_owned(),
            socket_url: String::new(),
            http_url: None,
            token: None,
            token_env: None,
            ca_file: None,
            authorities: None,
            token_param: "token".to_owned(),
            serializer: None,
            channel: "sync:v1".to_owned(),
            scoped: true,
            unsubscribe_forgets: true,
            rate: None,
            payload_hash: HashKind::default(),
            every_field: None,
            query: BTreeMap::new(),
            join,
            client_param: "client".to_owned(),
            envelope: Envelope::default(),
            forms: Forms::default(),
            codes: Codes::default(),
            refusal: RefusalNames::default(),
            publish: PublishCall::default(),
            policy: PolicyCall::default(),
            presence: PresenceCall::default(),
            window: None,
            tokens: TokenRules::default(),
            events: EventNames::default(),
            fields: FieldNames::default(),
            frame_kinds: FrameKinds::default(),
        }
    }
}

/// Which clients the service lets in. It checks builds and schemas unless it says `enforced = false`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceWindow {
    pub enforced: bool,
    pub min_client_build_id: String,
    pub max_client_build_id: Option<String>,
    pub min_schema_version: u64,
    pub max_schema_version: u64,
}

impl Default for ServiceWindow {
    fn default() -> Self {
        let Window { min_client_build_id, max_client_build_id, min_schema_version, max_schema_version } =
            Window::default();
        let enforced = true;
        ServiceWindow { enforced, min_client_build_id, max_client_build_id, min_schema_version, max_schema_version }
    }
}

impl ServiceWindow {
    fn means(&self) -> Windows {
        let window = Window {
            min_client_build_id: self.min_client_build_id.clone(),
            max_client_build_id: self.max_client_build_id.clone(),
            min_schema_version: self.min_schema_version,
            max_schema_version: self.max_schema_version,
        };
        Windows::Fixed(self.enforced.then_some(window))
    }
}

/// Learns what may be a secret among the parameters of a join.
fn learn_table(table: &toml::Table) {
    for (name, value) in table {
        match value {
            toml::Value::String(value) => learn_value(name, value),
            toml::Value::Table(inner) => learn_table(inner),
            _ => {}
        }
    }
}

impl PhoenixProfile {
    /// The default profile of the service at a URL; a URL without a path means the contract's.
    pub fn of_url(text: &str) -> Result<PhoenixProfile, ProfileError> {
        let profile = PhoenixProfile { socket_url: text.to_owned(), ..PhoenixProfile::default() };
        profile.validated(&masked(text), None)
    }

    pub fn of_toml(text: &str, path: &str) -> Result<PhoenixProfile, ProfileError> {
        body::<PhoenixProfile>(text, path)?.validated(path, Some(text))
    }

    fn validated(mut self, at: &str, text: Option<&str>) -> Result<PhoenixProfile, ProfileError> {
        let mut misfits = Misfits::default();
        if self.socket_url.is_empty() {
            misfits.add("socket_url", "missing field `socket_url`", "add it; docs/LANES.md has an example");
        } else if let Some(mut socket) = misfits.take("socket_url", server_url(&self.socket_url)) {
            let query: Vec<(String, String)> = socket.query_pairs().into_owned().collect();
            for (name, value) in query {
                if name == self.token_param && self.token.is_none() {
                    self.token = Some(Secret::new(value));
                } else if name != "vsn" {
                    self.query.insert(name, value);
                }
            }
            socket.set_query(None);
            socket.set_fragment(None);
            if socket.path() == "/" {
                socket.set_path(SOCKET_PATH);
            }
            self.socket_url = socket.to_string();
        }
        for (name, value) in &self.query {
            learn_value(name, value);
        }
        learn_table(&self.join);
        if let Some(http) = &self.http_url {
            misfits.take("http_url", server_url(http));
        }
        let token = token_of(self.token.take(), self.token_env.as_deref());
        self.token = misfits.take("token_env", token).flatten();
        self.authorities = misfits.take("ca_file", authorities_of(self.ca_file.as_deref())).flatten();
        if let Some(tokens) = misfits.take("tokens.keys_env", std::mem::take(&mut self.tokens).with_keys()) {
            self.tokens = tokens;
        }
        self.policy.path = self.policy.path.take().filter(|path| !path.is_empty());
        if let Some(path) = &self.policy.path
            && !path.contains(TOPIC)
        {
            let what = format!("policy.path = \"{path}\" does not say where the topic goes");
            let hint = "put `{topic}` into it, or `path = \"\"` where policies can't be set";
            misfits.add("policy.path", what, hint);
        }
        for (key, what, hint) in self.mistakes_of_forms() {
            misfits.add(key, what, hint);
        }
        if let Some((key, what, hint)) = self.publish.mistake() {
            misfits.add(key, what, hint);
        }
        for (key, method) in [("publish.method", &self.publish.method), ("policy.method", &self.policy.method)] {
            if method.parse::<http::Method>().is_err() {
                misfits.add(key, format!("`{method}` is no HTTP method"), "POST and PUT are usual");
            }
        }
        for (key, path) in [("publish.path", Some(&self.publish.path)), ("policy.path", self.policy.path.as_ref())] {
            if let Some(path) = path.filter(|path| !path.starts_with('/')) {
                misfits.add(key, format!("`{path}` is no path"), "a path starts with `/`");
            }
        }
        misfits.or(self, at, text)
    }

    /// The protocol version that the service speaks.
    pub(super) fn protocol_version(&self) -> &str {
        self.join.get("protocol_version").and_then(toml::Value::as_str).unwrap_or(KHALA)
    }

    /// The parameters of a join that a window is about: the client's build, protocol and schema.
    pub(super) fn negotiated(&self) -> [&str; 3] {
        ["client_build_id", "protocol_version", "schema_version"]
    }

    /// Whether each join carries the name of its client.
    pub(super) fn names_clients(&self) -> bool {
        !self.client_param.is_empty() && !self.join.contains_key(&self.client_param)
    }

    pub fn has_every_field(&self) -> bool {
        let has_its_names = || {
            self.fields == FieldNames::default()
                && self.events == EventNames::default()
                && self.refusal == RefusalNames::default()
                && self.has_usual_forms()
                && self.codes.is_usual()
        };
        self.every_field.unwrap_or_else(has_its_names)
    }

    pub fn socket_path(&self) -> String {
        server_url(&self.socket_url).map_or_else(|_| SOCKET_PATH.to_owned(), |url| url.path().to_owned())
    }

    /// A path of the writer's, under the base that `http_url` may have.
    pub fn writer_path(&self, path: &str) -> String {
        let base = self.http_url.as_deref().and_then(|url| server_url(url).ok());
        let base = base.map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
        format!("{base}{path}")
    }
}

#[async_trait]
impl Profile for PhoenixProfile {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn url(&self) -> &str {
        &self.socket_url
    }

    fn socket_origin(&self) -> Origin {
        Origin::of(&self.socket_url).trusting(&self.authorities)
    }

    fn writer_url(&self) -> &str {
        self.http_url.as_ref().unwrap_or(&self.socket_url)
    }

    fn writer_origin(&self) -> Origin {
        Origin::of(self.writer_url()).trusting(&self.authorities)
    }

    fn rate(&self) -> Option<NonZeroU32> {
        self.rate
    }

    fn means(&self) -> Means {
        Means {
            sets_policies: self.policy.path.is_some(),
            shared: true,
            scoped: self.scoped,
            joins_each_topic: self.joins_to_subscribe(),
            takes_no_seq: self.publish.expected_next_seq.is_empty() || self.publish.payload.is_empty(),
            keeps_watermarks: !self.unsubscribe_forgets,
            counts_connections: self.presence.is_there() && self.names_clients(),
            windows: self.window.as_ref().map_or(Windows::Unsaid, ServiceWindow::means),
            lacks: self.tokens.lacks().into_iter().map(str::to_owned).collect(),
            takes_tokens: !self.tokens.keys.is_empty() && !self.tokens.revocations.is_empty(),
            ..Means::of_ours(ServerKind::Outside)
        }
    }

    fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    fn with_token(&self, token: Secret) -> Arc<dyn Profile> {
        Arc::new(PhoenixProfile { token: Some(token), ..self.clone() })
    }

    async fn is_there(&self, at: &Endpoints) -> bool {
        PhoenixService::new(self.clone(), at.clone()).log_in().await.is_ok()
    }

    async fn connect(&self, at: &Endpoints, _run: &Arc<Run>) -> Result<Box<dyn Service>, OpenError> {
        Ok(Box::new(PhoenixService::new(self.clone(), at.clone())))
    }
}

#[cfg(test)]
mod tests;
