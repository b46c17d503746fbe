//! The SpacetimeDB protocol: BSATN over a WebSocket for subscribers, reducer calls over HTTP for the writer.

#![allow(missing_docs, reason = "the names say it")]

pub mod admin;
mod bearer;
mod claims;
mod classify;
mod compression;
mod databases;
mod edit;
mod incoming;
mod json;
mod known;
pub mod operate;
pub mod presence;
mod profile;
mod propose;
mod protocol;
mod publish;
mod refusals;
mod request;
mod resume;
mod rows;
mod schema;
mod service;
mod session;
mod shape;
mod stored;
mod tagger;
mod template;
#[cfg(test)]
pub(crate) mod tests;
mod trial;
mod update;
mod writer;

pub use databases::until_empty;
pub use profile::SpacetimeProfile;
pub use protocol::{JSON_PROTOCOL, Protocol};
pub use schema::Schema;
pub use service::MODULE_WASM;
pub use shape::ModuleShape;
pub use tagger::{SpacetimeTaggers, Tagger};

use std::sync::Arc;

use async_trait::async_trait;
use cutover_core::history::Spoken;
use cutover_core::ids::StreamId;
use cutover_core::plan::Compression;
use cutover_core::text::Secret;
use http::HeaderValue;
use serde_json::{Value, json};

use super::http::{HttpClient, authorization, bearer, percent_encoded};
use super::names::Names;
use super::profile::ProfileError;
use super::protocol::{Profile, Protocol as LaneProtocol};
use super::socket::{Bounds, Socket};
use session::SpacetimeSession;

use super::{
    ClientOptions, Completion, Endpoint, ForProgram, Lane, OpenError, SubscriberSession, Visit, WriterSession,
};
use crate::frame::FrameTagger;

pub struct Spacetime;

impl LaneProtocol for Spacetime {
    fn kind(&self) -> &'static str {
        profile::KIND
    }

    fn server(&self) -> &'static str {
        "a SpacetimeDB server"
    }

    fn profile_of_url(&self, url: &str) -> Result<Arc<dyn Profile>, ProfileError> {
        Ok(Arc::new(SpacetimeProfile::of_url(url)?))
    }

    fn profile_of_toml(&self, text: &str, path: &str) -> Result<Arc<dyn Profile>, ProfileError> {
        Ok(Arc::new(SpacetimeProfile::of_toml(text, path)?))
    }

    /// By the subprotocol, or by the path of a reducer call.
    fn recognize(&self, request_target: &str, subprotocol: Option<&str>) -> Option<Arc<dyn FrameTagger>> {
        let names = Arc::new(Names::any());
        if subprotocol == Some(JSON_PROTOCOL) {
            return Some(Arc::new(Tagger::json(names, Schema::module())));
        }
        let path = request_target.split('?').next().unwrap_or_default();
        let is_call = subprotocol.is_none() && path.contains("/v1/database/") && path.contains("/call/");
        let protocol = subprotocol.and_then(Protocol::of).or(is_call.then_some(Protocol::V1))?;
        Some(Arc::new(Tagger::new(protocol, names, Schema::module())))
    }
}

/// A SpacetimeDB server with the sync module in one of its databases.
#[derive(Debug, Clone)]
pub struct SpacetimeLane {
    profile: Arc<SpacetimeProfile>,
    database: String,
    token: Option<Secret>,
    names: Arc<Names>,
    bounds: Bounds,
    schema: Arc<Schema>,
    times: known::Times,
    /// Known-bad: it asks for reads that are not confirmed.
    passes_off: bool,
    /// Whether it bears a token of a scenario, to which the rights of an identity apply.
    bears: bool,
}

impl SpacetimeLane {
    /// A lane with these streams; database and token are the profile's, or what was created for the run.
    pub fn new(
        profile: Arc<SpacetimeProfile>,
        database: impl Into<String>,
        token: Option<Secret>,
        names: Arc<Names>,
    ) -> SpacetimeLane {
        let (database, bounds, schema) = (database.into(), Bounds::default(), Schema::module());
        let times = known::Times::default();
        SpacetimeLane { profile, database, token, names, bounds, schema, times, passes_off: false, bears: false }
    }

    #[must_use]
    pub fn with_bounds(mut self, bounds: Bounds) -> SpacetimeLane {
        self.bounds = bounds;
        self
    }

    #[must_use]
    pub fn with_schema(mut self, schema: Arc<Schema>) -> SpacetimeLane {
        self.schema = schema;
        self
    }

    /// A lane without streams, for what is asked of a hosted database as a whole.
    fn of_hosted(profile: &SpacetimeProfile, database: &str) -> SpacetimeLane {
        SpacetimeLane::new(Arc::new(profile.clone()), database, profile.token.clone(), Arc::new(Names::any()))
    }

    /// An HTTP client for this server and token, for the functions of [`admin`].
    pub fn http(
        endpoint: &Endpoint,
        profile: &SpacetimeProfile,
        token: Option<&Secret>,
        bounds: Bounds,
    ) -> Result<HttpClient, OpenError> {
        let headers = authorization(token.map(bearer))?;
        let client = HttpClient::new(endpoint.clone(), headers, bounds.open, bounds.operation);
        Ok(client.below(profile.base()))
    }

    fn target(&self, compression: Compression) -> String {
        let compression = match compression {
            Compression::None => "None",
            Compression::Gzip => "Gzip",
            Compression::Brotli => "Brotli",
        };
        let path = self.profile.websocket_path.replace("{database}", &percent_encoded(&self.database));
        let confirmed = if self.passes_off { Some(false) } else { self.profile.confirmed };
        let confirmed = confirmed.map(|confirmed| format!("&confirmed={confirmed}")).unwrap_or_default();
        format!("{}{path}?compression={compression}{confirmed}", self.profile.base())
    }

    fn upgrade_hint(&self, status: u16) -> String {
        match status {
            404 => format!(
                "there is no socket at `{}{}`, or no such database: `url`, `websocket_path` and `database` name them",
                self.profile.base(),
                self.profile.websocket_path
            ),
            status => admin::hint(status).to_owned(),
        }
    }
}

impl SpacetimeLane {
    async fn session(&self, endpoint: &Endpoint, client: &ClientOptions) -> Result<SpacetimeSession, OpenError> {
        let compression = client.compression;
        let mut headers = authorization(self.token.as_ref().map(bearer))?;
        let offered = HeaderValue::from_str(&self.profile.subprotocols.join(", "));
        let offered = offered.map_err(|_| OpenError::lasting("the list of subprotocols can't stand in a header"))?;
        headers.push((http::header::SEC_WEBSOCKET_PROTOCOL, offered));
        let (target, hint) = (self.target(compression), |status| Some(self.upgrade_hint(status)));
        let (socket, chosen) = Socket::connect(endpoint, &target, &headers, self.bounds.open, hint).await?;
        let Some(protocol) = chosen.as_deref().and_then(Protocol::of) else {
            let what = format!("the server picked the subprotocol {chosen:?}, which was not offered");
            return Err(OpenError::lasting(what).hint("is this a SpacetimeDB server?"));
        };
        let (names, schema) = (Arc::clone(&self.names), Arc::clone(&self.schema));
        let hashes = !schema.shape().events.payload_hash.is_empty();
        let known = known::Known::new(Arc::clone(&names), Arc::clone(&self.times)).with_hashes(hashes);
        let greeted =
            SpacetimeSession::greet(socket, protocol, names, self.bounds, client.name.clone(), (schema, known));
        let mut session = greeted.await?;
        session.spoken = Some(Spoken {
            protocol: chosen.unwrap_or_default(),
            compression: Some(compression),
            confirmed: Some(self.profile.reads_confirmed(protocol)),
            once: false,
        });
        if let Some(join) = &client.join
            && let Err(error) = session.join(join).await
        {
            session.close().await;
            return Err(error);
        }
        Ok(session)
    }
}

#[async_trait]
impl Lane for SpacetimeLane {
    async fn subscriber(
        &self,
        endpoint: &Endpoint,
        client: &ClientOptions,
    ) -> Result<Box<dyn SubscriberSession>, OpenError> {
        match self.session(endpoint, client).await {
            Ok(session) => Ok(Box::new(session)),
            Err(error) if self.bears => Err(self.why(error, endpoint).await),
            Err(error) => Err(error),
        }
    }

    async fn writer(&self, endpoint: &Endpoint) -> Result<Box<dyn WriterSession>, OpenError> {
        let http = SpacetimeLane::http(endpoint, &self.profile, self.token.as_ref(), self.bounds)?;
        let (database, names, schema) = (self.database.clone(), Arc::clone(&self.names), Arc::clone(&self.schema));
        Ok(Box::new(writer::SpacetimeWriter::open(http, database, names, schema).await?))
    }

    fn anew(&self) -> Option<Arc<dyn Lane>> {
        Some(Arc::new(SpacetimeLane { times: known::Times::default(), ..self.clone() }))
    }

    fn passing_off(&self) -> Option<Arc<dyn Lane>> {
        Some(Arc::new(SpacetimeLane { passes_off: true, ..self.clone() }))
    }

    fn for_program(&self, endpoint: &Endpoint, _client: &str, streams: &[StreamId]) -> Option<ForProgram> {
        let named = |stream: &StreamId| Some((stream.clone(), self.names.stream_id(stream)?.to_owned()));
        let open = json!({
            "protocol": "spacetime",
            "url": format!("http://{}{}", endpoint.connect, self.profile.base()),
            "database": self.database,
            "token": self.token.as_ref().map(|token| token.reveal().to_owned()),
        });
        let Value::Object(open) = open else { return None };
        Some(ForProgram { open, names: streams.iter().filter_map(named).collect() })
    }

    fn bearing(&self, token: Option<Secret>) -> Option<Arc<dyn Lane>> {
        Some(Arc::new(self.of_bearer(token)))
    }

    async fn deed(&self, deed: &str, visit: &Visit<'_>) -> Option<Completion<Vec<StreamId>>> {
        match deed {
            "resume-call" | "append" | "prune" | "sql" | "one-off" | "subscribe-all" => {
                Some(self.done(deed, visit).await)
            }
            _ => None,
        }
    }
}
