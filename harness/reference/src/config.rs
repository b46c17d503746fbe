//! Everything that can be set: where to listen, keys, limits, timeouts, the compatibility window, planted defects.

#![allow(missing_docs, reason = "the names say it")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cutover_core::text::{visible, without_value};
use serde::Deserialize;

use crate::defects::Defects;

/// How a server is set up. [`Config::new`] gives the contract's defaults.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Port 0 takes a free port. Set by an option, not by a file.
    #[serde(skip, default = "anywhere")]
    pub listen: SocketAddr,
    /// The journal's directory, of one server at a time. Set by an option, not by a file.
    #[serde(skip)]
    pub data_dir: PathBuf,
    pub topics: Topics,
    pub classes: Classes,
    pub tokens: Tokens,
    pub publish: Publish,
    pub limits: Limits,
    pub timeouts: Timeouts,
    pub compat: Compat,
    /// Set by an option, not by a file.
    #[serde(skip)]
    pub defects: Defects,
    pub quiet: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Topics {
    /// The only known topics, in the order of `allowed_topics`. Without it every topic of the class table is known.
    pub known: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Classes {
    pub run_events: ClassLimits,
    pub worker_lifecycle: ClassLimits,
    pub codex_worker_events: ClassLimits,
    pub fallback: ClassLimits,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassLimits {
    pub retention_events: u64,
    /// How far behind the head a cursor may resume, in events.
    pub replay_budget_events: u64,
    pub max_payload_bytes: usize,
    /// How many events a second may be written to the topics of the class; 0 is no limit.
    pub publish_rate_per_second: u32,
    /// What `stale_topics` names as the tier.
    pub qos_tier: String,
}

impl Default for ClassLimits {
    fn default() -> Self {
        Self {
            retention_events: 100_000,
            replay_budget_events: 10_000,
            max_payload_bytes: 8_000_000,
            publish_rate_per_second: 0,
            qos_tier: "warm".to_owned(),
        }
    }
}

/// The token rules of the socket. Without a key, any token or none is accepted.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// The HS256 key that signs now.
    pub key: Option<String>,
    /// Keys that still verify (rotation).
    pub fallback_keys: Vec<String>,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub leeway_s: u64,
    /// The greatest age from `iat`, in seconds; `None` is no limit.
    pub max_age_s: Option<u64>,
    pub revoked_jti: Vec<String>,
    /// The origins that are allowed, where a client sends one; `None` allows all.
    pub allowed_origins: Option<Vec<String>>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            key: None,
            fallback_keys: Vec::new(),
            issuer: None,
            audience: None,
            leeway_s: 30,
            max_age_s: None,
            revoked_jti: Vec::new(),
            allowed_origins: None,
        }
    }
}

impl Tokens {
    /// The keys that verify, the primary one first.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.key.iter().chain(&self.fallback_keys).map(String::as_str)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Publish {
    /// The bearer secret of the one writer. Without it, and with no token key either, anybody may publish. With a token
    /// key, a token may publish that has the scope `sync:publish`, or `sync:publish:TOPIC` for one topic.
    pub bearer: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How many topics may wait in a channel's outbound queue.
    pub queue_topics: usize,
    pub drain_topics_per_tick: usize,
    /// The overflow that stops the channel.
    pub max_strikes: u32,
    /// How long a slow consumer is asked to wait before it reconnects.
    pub reconnect_after_ms: u64,
    /// The batch size where a subscribe names none.
    pub replay_batch_size: u64,
    /// The largest batch size that a subscribe may ask for.
    pub max_replay_batch_size: u64,
    /// Bytes that may wait for a client before its live tail and replay pause.
    pub out_high_water_bytes: usize,
    /// The socket's send buffer in the kernel, in bytes: small, so that a client that does not read is seen soon.
    pub send_buffer_bytes: u32,
    pub max_message_bytes: usize,
    pub max_sockets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_topics: 64,
            drain_topics_per_tick: 2,
            max_strikes: 3,
            reconnect_after_ms: 2000,
            replay_batch_size: 200,
            max_replay_batch_size: 1000,
            out_high_water_bytes: 256 * 1024,
            send_buffer_bytes: 128 * 1024,
            max_message_bytes: 8 * 1024 * 1024,
            max_sockets: 4096,
        }
    }
}

/// Timeouts and intervals, in milliseconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// A socket on which nothing moves for so long is closed with 1002.
    pub socket_idle_ms: u64,
    /// A channel without a sync message for so long gets `phx_close` at the next tick.
    pub channel_idle_ms: u64,
    /// How often a channel pushes `sync:heartbeat` and checks whether it is idle.
    pub channel_tick_ms: u64,
    pub close_linger_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { socket_idle_ms: 60_000, channel_idle_ms: 60_000, channel_tick_ms: 15_000, close_linger_ms: 2_000 }
    }
}

impl Timeouts {
    pub(crate) fn socket_idle(&self) -> Duration {
        Duration::from_millis(self.socket_idle_ms)
    }

    pub(crate) fn channel_idle(&self) -> Duration {
        Duration::from_millis(self.channel_idle_ms)
    }

    pub(crate) fn channel_tick(&self) -> Duration {
        Duration::from_millis(self.channel_tick_ms.max(1))
    }

    pub(crate) fn close_linger(&self) -> Duration {
        Duration::from_millis(self.close_linger_ms)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compat {
    /// Off by default: old clients join with `{}`.
    pub enforced: bool,
    pub protocol_version: String,
    pub min_schema_version: u64,
    pub max_schema_version: u64,
    /// The oldest build; builds are compared as strings.
    pub min_client_build_id: String,
    /// The newest build, if there is such a bound.
    pub max_client_build_id: Option<String>,
}

impl Default for Compat {
    fn default() -> Self {
        Self {
            enforced: false,
            protocol_version: "khala.ws.v1".to_owned(),
            min_schema_version: 1,
            max_schema_version: 1,
            min_client_build_id: "20260101T000000Z".to_owned(),
            max_client_build_id: None,
        }
    }
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

impl Default for Config {
    fn default() -> Self {
        Self::new(anywhere(), PathBuf::from("legacy-data"))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the configuration {} is wrong: {message}", path.display())]
pub struct ConfigError {
    pub path: PathBuf,
    pub message: String,
}

impl Config {
    pub fn new(listen: SocketAddr, data_dir: PathBuf) -> Self {
        Self {
            listen,
            data_dir,
            topics: Topics::default(),
            classes: Classes::default(),
            tokens: Tokens::default(),
            publish: Publish::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            compat: Compat::default(),
            defects: Defects::default(),
            quiet: false,
        }
    }

    /// Reads the text of a configuration: JSON where the file's name ends in `.json`, else TOML. What is not set has
    /// its default.
    ///
    /// # Errors
    /// It names something that does not exist, or has a value of the wrong kind.
    pub fn from_text(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        let parsed = if is_json {
            serde_json::from_str(text).map_err(|error| without_value(&error.to_string()))
        } else {
            toml::from_str(text).map_err(|error| in_words(text, &error))
        };
        parsed.map_err(|message| ConfigError { path: path.to_owned(), message })
    }
}

/// The parser's words with line and column, and without the line itself: it may hold a key.
fn in_words(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let line = text.get(..at).unwrap_or(text).matches('\n').count() + 1;
    format!("line {line}: {}", visible(&without_value(error.message().trim())))
}

#[cfg(test)]
mod tests;
