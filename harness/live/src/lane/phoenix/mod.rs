//! The Phoenix lane: a channel over a WebSocket for subscribers, HTTP for the writer.

mod batch;
mod claims;
mod codec;
mod edit;
mod fields;
mod heads;
mod intake;
mod object;
mod probe;
mod session;
mod tagger;
#[cfg(test)]
pub(crate) mod tests;
mod trial;
mod values;
mod writer;

pub use codec::{CodecError, Message, decode, encode};
pub use tagger::{PhoenixTaggers, Tagger};

use std::sync::Arc;

use async_trait::async_trait;
use cutover_core::ids::LaneId;
use cutover_core::plan::Serializer;

use super::http::{HttpClient, bearer, percent_encoded};
use super::names::Names;
use super::profile::PhoenixProfile;
use super::socket::{Bounds, Socket};
use super::{ClientOptions, Endpoint, Lane, OpenError, SubscriberSession, WriterSession};

/// A Phoenix-socket sync service.
#[derive(Debug, Clone)]
pub struct PhoenixLane {
    id: LaneId,
    profile: Arc<PhoenixProfile>,
    names: Arc<Names>,
    bounds: Bounds,
}

impl PhoenixLane {
    /// A lane with these streams.
    pub fn new(id: LaneId, profile: Arc<PhoenixProfile>, names: Arc<Names>) -> PhoenixLane {
        PhoenixLane { id, profile, names, bounds: Bounds::default() }
    }

    /// The lane with other bounds.
    #[must_use]
    pub fn with_bounds(mut self, bounds: Bounds) -> PhoenixLane {
        self.bounds = bounds;
        self
    }

    /// Path and query of the socket.
    fn target(&self, serializer: Serializer) -> String {
        let mut target = format!("{}?vsn={}", self.profile.socket_path(), vsn(serializer));
        let token = self.profile.token.as_ref().map(|token| (self.profile.token_param.as_str(), token.reveal()));
        let query = self.profile.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in token.into_iter().chain(query) {
            target.push_str(&format!("&{}={}", percent_encoded(name), percent_encoded(value)));
        }
        target
    }

    async fn joined(
        &self,
        endpoint: &Endpoint,
        client: &str,
        serializer: Serializer,
    ) -> Result<session::PhoenixSession, OpenError> {
        let serializer = self.profile.serializer.unwrap_or(serializer);
        let opened = Socket::connect(endpoint, &self.target(serializer), &[], self.bounds.open).await;
        let (socket, _) = opened.map_err(|error| error.into_open_error(|status| self.upgrade_hint(status)))?;
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
        let value = match (&self.profile.publish.authorization, &self.profile.token) {
            (Some(whole), _) => Some(http::HeaderValue::from_str(whole.reveal()).ok()),
            (None, Some(token)) => Some(bearer(token.reveal())),
            (None, None) => None,
        };
        let headers = match value {
            None => Vec::new(),
            Some(Some(value)) => vec![(http::header::AUTHORIZATION, value)],
            Some(None) => {
                return Err(OpenError::lasting("the token can't stand in a header")
                    .hint("it holds a line break or another control character"));
            }
        };
        let http = HttpClient::new(endpoint.clone(), headers, self.bounds.open, self.bounds.operation);
        let (profile, names) = (Arc::clone(&self.profile), Arc::clone(&self.names));
        writer::PhoenixWriter::open(http, profile, names).await
    }
}

/// The serializer's version, as the socket's address has it.
fn vsn(serializer: Serializer) -> &'static str {
    match serializer {
        Serializer::V1 => "1.0.0",
        Serializer::V2 => "2.0.0",
    }
}

#[async_trait]
impl Lane for PhoenixLane {
    fn id(&self) -> LaneId {
        self.id
    }

    async fn subscriber(
        &self,
        endpoint: &Endpoint,
        client: &ClientOptions,
    ) -> Result<Box<dyn SubscriberSession>, OpenError> {
        Ok(Box::new(self.joined(endpoint, &client.name, client.serializer).await?))
    }

    async fn writer(&self, endpoint: &Endpoint) -> Result<Box<dyn WriterSession>, OpenError> {
        Ok(Box::new(self.opened_writer(endpoint).await?))
    }
}
