//! Any lane, for a proxy that knows no run: what a connection speaks is told by its upgrade, and what the wire calls a topic
//! or a stream is a stream of that name.

use std::sync::Arc;

use cutover_core::plan::Serializer;

use super::generic::GenericTagger;
use super::names::Names;
use super::phoenix;
use super::profile::PhoenixProfile;
use super::spacetime::{self, JSON_PROTOCOL, Protocol, Schema};
use crate::frame::{FrameTagger, TaggerFactory};

/// Where a Phoenix client has its socket, below whatever path the endpoint mounts it at.
const PHOENIX_SOCKET: &str = "/socket/websocket";

/// Chooses a tagger for each connection: a SpacetimeDB one by the subprotocol, a Phoenix one by the path or its `vsn`, and
/// for anything else one that knows JSON only.
#[derive(Debug, Clone)]
pub struct AnyLane {
    profile: Arc<PhoenixProfile>,
    names: Arc<Names>,
}

impl Default for AnyLane {
    fn default() -> AnyLane {
        AnyLane::new()
    }
}

impl AnyLane {
    /// A chooser with the contract's words for Phoenix and the module's columns for SpacetimeDB.
    pub fn new() -> AnyLane {
        AnyLane { profile: Arc::new(PhoenixProfile::contract()), names: Arc::new(Names::any()) }
    }

    fn phoenix(&self, serializer: Serializer) -> Arc<dyn FrameTagger> {
        let (profile, names) = (Arc::clone(&self.profile), Arc::clone(&self.names));
        Arc::new(phoenix::Tagger::new(serializer, profile, names))
    }

    fn spacetime(&self, protocol: Protocol) -> Arc<dyn FrameTagger> {
        let names = Arc::clone(&self.names);
        Arc::new(spacetime::Tagger::new(protocol, names, Schema::module()))
    }
}

impl TaggerFactory for AnyLane {
    fn tagger(&self, request_target: &str, subprotocol: Option<&str>) -> Arc<dyn FrameTagger> {
        if subprotocol == Some(JSON_PROTOCOL) {
            return Arc::new(spacetime::Tagger::json(Arc::clone(&self.names), Schema::module()));
        }
        if let Some(protocol) = subprotocol.and_then(Protocol::of) {
            return self.spacetime(protocol);
        }
        let (path, query) = request_target.split_once('?').unwrap_or((request_target, ""));
        // Phoenix takes a slash at the end.
        let path = path.trim_end_matches('/');
        match query.split('&').find_map(|pair| pair.strip_prefix("vsn=")) {
            Some("1.0.0") => return self.phoenix(Serializer::V1),
            Some("2.0.0") => return self.phoenix(Serializer::V2),
            Some(vsn) if path.ends_with(PHOENIX_SOCKET) && vsn.starts_with("2.") => {
                return self.phoenix(Serializer::V2);
            }
            _ => {}
        }
        // A missing `vsn` means V1; the writer of a Phoenix lane has no socket.
        if path.ends_with(PHOENIX_SOCKET) || path == self.profile.writer_path(&self.profile.publish.path) {
            return self.phoenix(Serializer::V1);
        }
        if path.contains("/v1/database/") && subprotocol.is_none() && path.contains("/call/") {
            return self.spacetime(Protocol::V1);
        }
        Arc::new(GenericTagger)
    }
}

#[cfg(test)]
mod tests;
