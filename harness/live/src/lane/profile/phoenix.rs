//! The profile of a Phoenix-socket sync service; its defaults are the contract's words.

use std::collections::BTreeMap;

use cutover_core::plan::Serializer;
use serde::Deserialize;

use cutover_core::text::{Secret, learn_value, masked};

use super::calls::{PolicyCall, PublishCall, TOPIC};
use super::read::Misfits;
use super::{Origin, ProfileError, origin_of, server_url, token_of};

/// Where the contract's service has its socket.
const SOCKET_PATH: &str = "/sync/socket/websocket";

/// Whether the lane's declared payload hashes can be held against ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashKind {
    /// SHA-256 of the canonical JSON, or of the very text that the service sends. A service that hashes what it encodes
    /// declares the latter; it differs from the former where a number or a key is spelled in another way.
    #[default]
    Either,
    /// SHA-256 of the canonical JSON and nothing else, as in the contract.
    Canonical,
    /// None, or of another kind: what the lane declares is not looked at.
    None,
}

/// What the kinds of `sync:frame` are called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FrameKinds {
    /// A batch of events.
    pub update_batch: String,
    /// An error.
    pub error: String,
    /// A heartbeat.
    pub heartbeat: String,
    /// Kinds that carry no events and are passed over.
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

/// What the lane calls its events.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventNames {
    /// Asks for topics.
    pub subscribe: String,
    /// Gives topics up.
    pub unsubscribe: String,
    /// The channel's own heartbeat; empty where it has none.
    pub heartbeat: String,
    /// Delivers events.
    pub update_batch: String,
    /// Delivers them again; empty where nothing does.
    pub frame: String,
    /// Tells of an error.
    pub error: String,
}

impl Default for EventNames {
    fn default() -> Self {
        EventNames {
            subscribe: "sync:subscribe".to_owned(),
            unsubscribe: "sync:unsubscribe".to_owned(),
            heartbeat: "sync:heartbeat".to_owned(),
            update_batch: "sync:update_batch".to_owned(),
            frame: "sync:frame".to_owned(),
            error: "sync:error".to_owned(),
        }
    }
}

/// What the lane calls the fields of its payloads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldNames {
    /// Topics of a subscribe.
    pub topics: String,
    /// Cursors of a subscribe.
    pub resume_after: String,
    /// Events per replay batch.
    pub replay_batch_size: String,
    /// Heads in the reply to a subscribe.
    pub current_watermarks: String,
    /// Events of a batch.
    pub updates: String,
    /// An event's topic.
    pub topic: String,
    /// An event's seq.
    pub watermark: String,
    /// An event's payload.
    pub payload: String,
    /// An event's declared hash.
    pub payload_hash: String,
    /// What a `sync:frame` is.
    pub kind: String,
    /// The batch within a `sync:frame`.
    pub payload_bytes: String,
    /// The highest seq of the batch within a `sync:frame`; a frame without it is taken as it is.
    pub seq: String,
    /// Whether a batch is the last of its replay; a batch without it is taken as it is.
    pub replay_complete: String,
    /// The heads that a batch names; a batch without them is taken as it is.
    pub head_watermarks: String,
}

impl Default for FieldNames {
    fn default() -> Self {
        FieldNames {
            topics: "topics".to_owned(),
            resume_after: "resume_after".to_owned(),
            replay_batch_size: "replay_batch_size".to_owned(),
            current_watermarks: "current_watermarks".to_owned(),
            updates: "updates".to_owned(),
            topic: "topic".to_owned(),
            watermark: "watermark".to_owned(),
            payload: "payload".to_owned(),
            payload_hash: "payload_hash".to_owned(),
            kind: "kind".to_owned(),
            payload_bytes: "payload_bytes".to_owned(),
            seq: "seq".to_owned(),
            replay_complete: "replay_complete".to_owned(),
            head_watermarks: "head_watermarks".to_owned(),
        }
    }
}

/// The profile.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhoenixProfile {
    /// `phoenix`.
    pub kind: String,
    /// The socket's URL, with its path.
    pub socket_url: String,
    /// The base of the writer's paths; the socket's own server where it is left out.
    #[serde(default)]
    pub http_url: Option<String>,
    /// The token.
    #[serde(default)]
    pub token: Option<Secret>,
    /// The environment variable that holds the token.
    #[serde(default)]
    pub token_env: Option<String>,
    /// The query parameter that carries the token.
    #[serde(default = "token_param")]
    pub token_param: String,
    /// The one serializer that the lane speaks, where it does not speak both.
    #[serde(default)]
    pub serializer: Option<Serializer>,
    /// The channel's topic.
    #[serde(default = "channel")]
    pub channel: String,
    /// Whether streams carry a scope of the run in their ids, so that runs against one server share none.
    #[serde(default = "yes")]
    pub scoped: bool,
    /// Whether an unsubscribe forgets the watermark, so that a subscribe without a cursor replays from the beginning.
    #[serde(default = "yes")]
    pub unsubscribe_forgets: bool,
    /// The most publishes a second, of the whole run; without bound where it is left out.
    #[serde(default)]
    pub rate: Option<std::num::NonZeroU32>,
    /// Whether declared payload hashes count.
    #[serde(default)]
    pub payload_hash: HashKind,
    /// Further query parameters of the socket's URL.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// The parameters of `phx_join`; `client` is the client's name where none is given.
    #[serde(default = "join_params")]
    pub join: toml::Table,
    /// How to publish.
    #[serde(default)]
    pub publish: PublishCall,
    /// How to set policies.
    #[serde(default)]
    pub policy: PolicyCall,
    /// What events are called.
    #[serde(default)]
    pub events: EventNames,
    /// What fields are called.
    #[serde(default)]
    pub fields: FieldNames,
    /// What the kinds of frames are called.
    #[serde(default)]
    pub frame_kinds: FrameKinds,
}

fn token_param() -> String {
    "token".to_owned()
}

fn channel() -> String {
    "sync:v1".to_owned()
}

fn yes() -> bool {
    true
}

fn join_params() -> toml::Table {
    let mut params = toml::Table::new();
    params.insert("client_build_id".to_owned(), "20260225T190000Z".into());
    params.insert("protocol_version".to_owned(), "khala.ws.v1".into());
    params.insert("schema_version".to_owned(), 1.into());
    params
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
    ///
    /// # Errors
    /// Where it is no URL of a server.
    pub fn of_url(text: &str) -> Result<PhoenixProfile, ProfileError> {
        let profile = PhoenixProfile { socket_url: text.to_owned(), ..PhoenixProfile::contract() };
        profile.validated(&masked(text), None)
    }

    /// The contract's words, at no server: for reading traffic, not for connecting.
    pub fn contract() -> PhoenixProfile {
        PhoenixProfile {
            kind: "phoenix".to_owned(),
            socket_url: String::new(),
            http_url: None,
            token: None,
            token_env: None,
            token_param: token_param(),
            serializer: None,
            channel: channel(),
            scoped: true,
            unsubscribe_forgets: true,
            rate: None,
            payload_hash: HashKind::default(),
            query: BTreeMap::new(),
            join: join_params(),
            publish: PublishCall::default(),
            policy: PolicyCall::default(),
            events: EventNames::default(),
            fields: FieldNames::default(),
            frame_kinds: FrameKinds::default(),
        }
    }

    pub(super) fn validated(mut self, at: &str, text: Option<&str>) -> Result<PhoenixProfile, ProfileError> {
        let mut misfits = Misfits::default();
        if let Some(mut socket) = misfits.take("socket_url", server_url(&self.socket_url)) {
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
        self.policy.path = self.policy.path.take().filter(|path| !path.is_empty());
        if let Some(path) = &self.policy.path
            && !path.contains(TOPIC)
        {
            let what = format!("policy.path = \"{path}\" does not say where the topic goes");
            let hint = "put `{topic}` into it, or `path = \"\"` where policies can't be set";
            misfits.add("policy.path", what, hint);
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

    /// Where the socket is.
    pub fn socket_origin(&self) -> Origin {
        server_url(&self.socket_url).map(|url| origin_of(&url)).unwrap_or(NOWHERE)
    }

    /// Where the writer's HTTP goes.
    pub fn writer_origin(&self) -> Origin {
        match &self.http_url {
            Some(url) => server_url(url).map(|url| origin_of(&url)).unwrap_or(NOWHERE),
            None => self.socket_origin(),
        }
    }

    /// The socket's path.
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

/// Where a profile leads that was never validated: port 0, to which nothing connects.
const NOWHERE: Origin = Origin { tls: false, host: String::new(), port: 0 };
