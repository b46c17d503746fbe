//! The profile of a SpacetimeDB server.

#![allow(missing_docs, reason = "the names say it")]

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use cutover_core::gate::fit::{Means, ServerKind, Windows};
use cutover_core::text::{Secret, masked};
use serde::Deserialize;

use super::admin;
use super::protocol::Protocol;
use super::refusals::Refusals;
use super::service::SpacetimeService;
use super::shape::{
    Append, Checkpoints, Events, Heads, Heartbeat, Keys, ModuleShape, Policy, Presence, Resume, Streams,
};
use crate::authorities::Authorities;
use crate::bounds;
use crate::lane::OpenError;
use crate::lane::http::HttpClient;
use crate::lane::profile::{Misfits, Origin, ProfileError, authorities_of, body, server_url, token_of};
use crate::lane::protocol::{Endpoints, Profile, Run, Service};

/// Where a socket is opened, unless a profile says otherwise.
const WEBSOCKET_PATH: &str = "/v1/database/{database}/subscribe";

pub(super) const KIND: &str = "spacetime";

/// The subprotocols that this lane speaks, the one it likes best first.
pub(crate) const SUBPROTOCOLS: [&str; 3] = ["v3.bsatn.spacetimedb", "v2.bsatn.spacetimedb", "v1.bsatn.spacetimedb"];

/// The URL of a server that the run starts; it answers to any name.
const MANAGED_SERVER_URL: &str = "http://candidate.localhost/";

/// The profile. Its default is the one of a server that the run starts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpacetimeProfile {
    pub kind: String,
    pub url: String,
    pub database: Option<String>,
    pub token: Option<Secret>,
    pub token_env: Option<String>,
    /// The certificates of the authorities to trust, in PEM; no others are trusted then.
    pub ca_file: Option<PathBuf>,
    #[serde(skip)]
    pub authorities: Option<Authorities>,
    pub publish_module: Option<bool>,
    pub subprotocols: Vec<String>,
    pub confirmed: Option<bool>,
    pub websocket_path: String,
    pub scoped: bool,
    pub rate: Option<NonZeroU32>,
    pub events: Events,
    pub heads: Heads,
    pub checkpoints: Checkpoints,
    pub presence: Presence,
    pub append: Append,
    pub resume: Resume,
    pub heartbeat: Heartbeat,
    pub policy: Policy,
    pub refusals: Refusals,
    pub keys: Keys,
    pub streams: Streams,
}

impl Default for SpacetimeProfile {
    fn default() -> SpacetimeProfile {
        SpacetimeProfile {
            kind: KIND.to_owned(),
            url: MANAGED_SERVER_URL.to_owned(),
            database: None,
            token: None,
            token_env: None,
            ca_file: None,
            authorities: None,
            publish_module: None,
            subprotocols: SUBPROTOCOLS.map(str::to_owned).to_vec(),
            confirmed: None,
            websocket_path: WEBSOCKET_PATH.to_owned(),
            scoped: true,
            rate: None,
            events: Events::default(),
            heads: Heads::default(),
            checkpoints: Checkpoints::default(),
            presence: Presence::default(),
            append: Append::default(),
            resume: Resume::default(),
            heartbeat: Heartbeat::default(),
            policy: Policy::default(),
            refusals: Refusals::default(),
            keys: Keys::default(),
            streams: Streams::default(),
        }
    }
}

impl SpacetimeProfile {
    pub fn of_toml(text: &str, path: &str) -> Result<SpacetimeProfile, ProfileError> {
        body::<SpacetimeProfile>(text, path)?.validated(path, Some(text))
    }

    /// The default profile of the server at a URL. A path that ends in `/v1/database/NAME` names a database that is
    /// there already; what is before it is the path that the server lies below.
    ///
    /// # Errors
    /// Where it is no URL of a server, or its path is one of a server's calls.
    pub fn of_url(text: &str) -> Result<SpacetimeProfile, ProfileError> {
        let mut misfits = Misfits::default();
        let Some(mut url) = misfits.take("url", server_url(text)) else {
            return misfits.or(SpacetimeProfile::default(), &masked(text), None);
        };
        let path = url.path().trim_end_matches('/').to_owned();
        let (base, database) = match path.split_once("/v1/database/") {
            Some((base, name)) if !name.is_empty() && !name.contains('/') => (base, Some(name.to_owned())),
            None if !format!("{path}/").contains("/v1/") => (path.as_str(), None),
            _ => {
                let what = format!("`{path}` is no path of a SpacetimeDB server");
                let hint = "give the server's base URL, or add /v1/database/NAME to it";
                return Err(ProfileError::new(&masked(text), what, hint));
            }
        };
        url.set_path(base);
        let profile = SpacetimeProfile { url: url.to_string(), database, ..SpacetimeProfile::default() };
        profile.validated(&masked(text), None)
    }

    /// Whether reads on a connection are confirmed: as asked for, or by the server's default for the subprotocol.
    pub(crate) fn reads_confirmed(&self, protocol: Protocol) -> bool {
        self.confirmed.unwrap_or(protocol != Protocol::V1)
    }

    /// The profile, unless something in it is wrong. `at` says where it came from, and `text` is its file.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn validated(mut self, at: &str, text: Option<&str>) -> Result<SpacetimeProfile, ProfileError> {
        let mut misfits = Misfits::default();
        let url = misfits.take("url", server_url(&self.url));
        if url.is_some_and(|url| url.query().is_some() || format!("{}/", url.path()).contains("/v1/")) {
            let what = format!("`{}` is no base URL", masked(&self.url));
            let hint = "leave out the query and all from `/v1/` on; `database` and `websocket_path` hold them";
            misfits.add("url", what, hint);
        }
        let token = token_of(self.token.take(), self.token_env.as_deref());
        self.token = misfits.take("token_env", token).flatten();
        self.authorities = misfits.take("ca_file", authorities_of(self.ca_file.as_deref())).flatten();
        if !self.websocket_path.starts_with('/') || !self.websocket_path.contains("{database}") {
            let what = format!("websocket_path = \"{}\" does not say where the database goes", self.websocket_path);
            misfits.add("websocket_path", what, "write it as `/v1/database/{database}/subscribe`");
        }
        if self.database.as_deref().is_some_and(str::is_empty) {
            misfits.add("database", "`database` is empty", "name one, or leave the key out");
        }
        if self.subprotocols.is_empty() {
            misfits.add("subprotocols", "`subprotocols` is empty", "leave it out to offer all");
        }
        for offered in &self.subprotocols {
            if !SUBPROTOCOLS.contains(&offered.as_str()) {
                let what = format!("`{offered}` is no subprotocol that this lane speaks");
                misfits.add("subprotocols", what, format!("choose of {}", SUBPROTOCOLS.join(", ")));
            }
        }
        for (key, what, hint) in self.shape().misfits() {
            misfits.add(key, what, hint);
        }
        misfits.or(self, at, text)
    }

    /// What the profile says of the module.
    pub fn shape(&self) -> ModuleShape {
        let profile = self.clone();
        ModuleShape {
            events: profile.events,
            heads: profile.heads,
            checkpoints: profile.checkpoints,
            presence: profile.presence,
            append: profile.append,
            resume: profile.resume,
            heartbeat: profile.heartbeat,
            policy: profile.policy,
            refusals: profile.refusals,
            keys: profile.keys,
            streams: profile.streams,
        }
    }

    /// The path that the server lies below; empty where it has none.
    pub fn base(&self) -> String {
        let url = server_url(&self.url);
        url.map_or_else(|_| String::new(), |url| url.path().trim_end_matches('/').to_owned())
    }

    fn has_usual_path(&self) -> bool {
        self.websocket_path == WEBSOCKET_PATH && self.base().is_empty()
    }

    pub fn publishes_module(&self) -> bool {
        self.publish_module.unwrap_or(self.database.is_none())
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[async_trait]
impl Profile for SpacetimeProfile {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn socket_origin(&self) -> Origin {
        Origin::of(&self.url).trusting(&self.authorities)
    }

    fn rate(&self) -> Option<NonZeroU32> {
        self.rate
    }

    fn means(&self) -> Means {
        Means {
            shared: self.database.is_some(),
            scoped: self.scoped,
            confirms_reads: self.confirmed == Some(true),
            // A stranger to the database can't read its table of idempotency keys.
            sets_policies: !self.policy.reducer.is_empty(),
            counts_connections: !self.presence.table.is_empty(),
            other_module: !self.shape().is_ours(),
            takes_no_hash: !self.append.arguments.has("hash") && !self.append.arguments.has("claimed_hash"),
            judges_no_cursor: !self.shape().checks_cursors(),
            takes_no_seq: !self.append.arguments.has("expected_next_seq"),
            hides_keys: self.database.is_some() && self.token.is_none() && !self.publishes_module(),
            // The window is one of a whole database, and others may use one that the run did not create.
            windows: if self.database.is_some() { Windows::Unsaid } else { Windows::Chosen },
            // The server fetches the keys of tokens from this machine, and the module has to be ours.
            takes_tokens: self.publishes_module() && is_here(&self.socket_origin().host),
            // The bridge reads the outbox as the owner of the database.
            lacks_outbox: self.database.is_some() || !self.publishes_module() || !self.has_usual_path(),
            ..Means::of_ours(ServerKind::Outside)
        }
    }

    fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    fn with_token(&self, token: Secret) -> Arc<dyn Profile> {
        Arc::new(SpacetimeProfile { token: Some(token), ..self.clone() })
    }

    fn of_managed_server(&self) -> Option<Arc<dyn Profile>> {
        let url = MANAGED_SERVER_URL.to_owned();
        Some(Arc::new(SpacetimeProfile { url, database: None, publish_module: None, ..self.clone() }))
    }

    fn is_without_url(&self) -> bool {
        self.url == MANAGED_SERVER_URL
    }

    async fn is_there(&self, at: &Endpoints) -> bool {
        let mut http = HttpClient::new(at.writer.clone(), Vec::new(), bounds::MEET, bounds::MEET);
        admin::ping(&mut http).await.is_ok()
    }

    async fn connect(&self, at: &Endpoints, run: &Arc<Run>) -> Result<Box<dyn Service>, OpenError> {
        Ok(Box::new(SpacetimeService::connect(self.clone(), at.socket.clone(), run.clone()).await?))
    }
}

#[cfg(test)]
mod tests;
