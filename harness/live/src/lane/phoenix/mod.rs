//! The Phoenix protocol: a channel over a WebSocket for subscribers, HTTP for the writer.

#![allow(missing_docs, reason = "the names say it")]

mod answers;
mod asking;
mod batch;
mod bearer;
mod bodies;
mod calls;
mod claims;
mod codec;
mod codes;
mod edit;
mod fields;
mod forms;
mod heads;
pub mod infer;
mod intake;
mod joins;
mod object;
mod odd;
mod probe;
mod profile;
mod refusals;
mod service;
mod session;
mod tagger;
#[cfg(test)]
pub(crate) mod tests;
mod trial;
mod values;
mod writer;

pub use profile::{HashKind, PhoenixProfile};
pub use tagger::Tagger;

use std::sync::Arc;

use async_trait::async_trait;
use cutover_core::ids::StreamId;
use cutover_core::plan::{CONNECT, Serializer};
use cutover_core::text::Secret;
use serde_json::{Map, Value, json};

use super::http::{HttpClient, authorization, bearer, percent_encoded};
use super::names::Names;
use super::profile::ProfileError;
use super::protocol::{Profile, Protocol};
use super::socket::{Bounds, Socket};
use super::{
    ClientOptions, Completion, Endpoint, ForProgram, Lane, OpenError, SubscriberSession, Visit, WriterSession,
};
use crate::frame::{FrameTagger, TaggerFactory};

pub struct Phoenix;

/// The end of the path of a Phoenix client's socket.
const SOCKET: &str = "/socket/websocket";

impl Protocol for Phoenix {
    fn kind(&self) -> &'static str {
        profile::KIND
    }

    fn server(&self) -> &'static str {
        "a Phoenix service"
    }

    fn profile_of_url(&self, url: &str) -> Result<Arc<dyn Profile>, ProfileError> {
        Ok(Arc::new(PhoenixProfile::of_url(url)?))
    }

    fn profile_of_toml(&self, text: &str, path: &str) -> Result<Arc<dyn Profile>, ProfileError> {
        Ok(Arc::new(PhoenixProfile::of_toml(text, path)?))
    }

    /// By the socket's `vsn` or path, or by the path of a publish.
    fn recognize(&self, request_target: &str, _subprotocol: Option<&str>) -> Option<Arc<dyn FrameTagger>> {
        let (path, query) = request_target.split_once('?').unwrap_or((request_target, ""));
        // Phoenix takes a slash at the end.
        let path = path.trim_end_matches('/');
        let profile = PhoenixProfile::default();
        let serializer = match query.split('&').find_map(|pair| pair.strip_prefix("vsn=")) {
            Some("1.0.0") => Serializer::V1,
            Some("2.0.0") => Serializer::V2,
            Some(vsn) if path.ends_with(SOCKET) && vsn.starts_with("2.") => Serializer::V2,
            // A missing `vsn` means V1; the writer of a Phoenix lane has no socket.
            _ if path.ends_with(SOCKET) || path == profile.writer_path(&profile.publish.path) => Serializer::V1,
            _ => return None,
        };
        Some(Arc::new(Tagger::new(serializer, Arc::new(profile), Arc::new(Names::any()))))
    }
}

#[derive(Debug, Clone)]
pub struct PhoenixLane {
    profile: Arc<PhoenixProfile>,
    names: Arc<Names>,
    bounds: Bounds,
}

impl PhoenixLane {
    pub fn new(profile: Arc<PhoenixProfile>, names: Arc<Names>) -> PhoenixLane {
        PhoenixLane { profile, names, bounds: Bounds::default() }
    }

    #[must_use]
    pub fn with_bounds(mut self, bounds: Bounds) -> PhoenixLane {
        self.bounds = bounds;
        self
    }

    fn target(&self, serializer: Serializer) -> String {
        let mut target = format!("{}?vsn={}", self.profile.socket_path(), vsn(serializer));
        let token = self.profile.token.as_ref().map(|token| (self.profile.token_param.as_str(), token.reveal()));
        let query = self.profile.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in token.into_iter().chain(query) {
            target.push_str(&format!("&{}={}", percent_encoded(name), percent_encoded(value)));
        }
        target
    }

    async fn joined(&self, endpoint: &Endpoint, client: &ClientOptions) -> Result<session::PhoenixSession, OpenError> {
        let serializer = self.profile.serializer.unwrap_or(client.serializer);
        let (target, hint) = (self.target(serializer), |status| self.upgrade_hint(status));
        let (socket, _) = Socket::connect(endpoint, &target, &[], self.bounds.open, hint).await?;
        let (profile, names) = (Arc::clone(&self.profile), Arc::clone(&self.names));
        session::PhoenixSession::join(socket, serializer, profile, names, self.bounds, client).await
    }

    fn upgrade_hint(&self, status: u16) -> Option<String> {
        let token = match &self.profile.token {
            Some(_) => "the lane does not take this token, or not this `vsn` or origin",
            None => "the lane may want a token: give `token` or `token_env` in a lane profile",
        };
        match status {
            401 | 403 => Some(token.to_owned()),
            404 => Some(format!("there is no socket at `{}`: `socket_url` names its path", self.profile.socket_path())),
            _ => None,
        }
    }

    async fn opened_writer(&self, endpoint: &Endpoint) -> Result<writer::PhoenixWriter, OpenError> {
        let whole = self.profile.publish.authorization.as_ref().map(|whole| whole.reveal().to_owned());
        let headers = authorization(whole.or_else(|| self.profile.token.as_ref().map(bearer)))?;
        let http = HttpClient::new(endpoint.clone(), headers, self.bounds.open, self.bounds.operation);
        let (profile, names) = (Arc::clone(&self.profile), Arc::clone(&self.names));
        writer::PhoenixWriter::open(http, profile, names).await
    }
}

fn vsn(serializer: Serializer) -> &'static str {
    match serializer {
        Serializer::V1 => "1.0.0",
        Serializer::V2 => "2.0.0",
    }
}

#[async_trait]
impl Lane for PhoenixLane {
    async fn subscriber(
        &self,
        endpoint: &Endpoint,
        client: &ClientOptions,
    ) -> Result<Box<dyn SubscriberSession>, OpenError> {
        Ok(Box::new(self.joined(endpoint, client).await?))
    }

    async fn writer(&self, endpoint: &Endpoint) -> Result<Box<dyn WriterSession>, OpenError> {
        Ok(Box::new(self.opened_writer(endpoint).await?))
    }

    fn for_program(&self, endpoint: &Endpoint, client: &str, streams: &[StreamId]) -> Option<ForProgram> {
        let profile = &self.profile;
        let named = |stream: &StreamId| Some((stream.clone(), self.names.topic(stream)?.to_owned()));
        let token = profile.token.as_ref().map(|token| token.reveal().to_owned());
        let mut params: Map<String, Value> =
            profile.query.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        params.extend(token.clone().map(|token| (profile.token_param.clone(), Value::from(token))));
        let Ok(Value::Object(mut join)) = serde_json::to_value(&profile.join) else { return None };
        join.entry("client").or_insert_with(|| Value::from(self.names.client(client)));
        let open = json!({
            "protocol": "phoenix",
            "url": format!("ws://{}{}", endpoint.connect, profile.socket_path()),
            "params": params,
            "token": token,
            "channel": profile.channel,
            "join": join,
        });
        let Value::Object(open) = open else { return None };
        Some(ForProgram { open, names: streams.iter().filter_map(named).collect() })
    }

    fn bearing(&self, token: Option<Secret>) -> Option<Arc<dyn Lane>> {
        Some(Arc::new(self.of_bearer(token)))
    }

    async fn deed(&self, deed: &str, visit: &Visit<'_>) -> Option<Completion<Vec<StreamId>>> {
        match deed {
            CONNECT => Some(self.connected(visit).await),
            _ => None,
        }
    }
}

impl TaggerFactory for PhoenixLane {
    fn tagger(&self, request_target: &str, _subprotocol: Option<&str>) -> Arc<dyn FrameTagger> {
        let query = request_target.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let vsn = query.split('&').find_map(|pair| pair.strip_prefix("vsn="));
        // A missing `vsn` means V1 (contract, "Transport").
        let serializer = if vsn.is_some_and(|vsn| vsn.starts_with("2.")) { Serializer::V2 } else { Serializer::V1 };
        Arc::new(Tagger::new(serializer, self.profile.clone(), self.names.clone()))
    }
}
