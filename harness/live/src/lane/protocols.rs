//! The list of protocols, and what is chosen by it: the profile of a lane, and the reader of a connection.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use cutover_core::ids::LaneId;
use cutover_core::text::{learn, masked};

use super::generic::GenericTagger;
use super::phoenix::Phoenix;
use super::profile::{ProfileError, kind_of};
use super::protocol::{Profile, Protocol};
use super::spacetime::Spacetime;
use crate::frame::{FrameTagger, TaggerFactory};
use crate::plain_file;

/// Every protocol. A connection of an unknown run is offered to each in turn; the surest signs come first.
pub static PROTOCOLS: [&dyn Protocol; 2] = [&Spacetime, &Phoenix];

const MAX_PROFILE_BYTES: u64 = 1 << 20;

/// The protocol of a URL that is given for a role, and of the built-in server in it.
pub fn usual(role: LaneId) -> &'static dyn Protocol {
    match role {
        LaneId::Legacy => &Phoenix,
        LaneId::Candidate => &Spacetime,
    }
}

/// Reads a URL or the path of a profile. A URL is the default profile of the role's usual protocol.
pub fn profile_of(role: LaneId, text: &str) -> Result<Arc<dyn Profile>, ProfileError> {
    learn(text);
    if text.contains("://") {
        return usual(role).profile_of_url(text);
    }
    let toml = plain_file::read_text(Path::new(text), MAX_PROFILE_BYTES).map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::NotFound => "give a URL with its scheme, or the path of a TOML file",
            _ => "a profile is a TOML file of at most 1 MiB, in UTF-8",
        };
        ProfileError::new(&masked(text), format!("can't read the lane profile: {error}"), hint)
    })?;
    profile_of_toml(&toml, text)
}

#[allow(missing_docs, reason = "the name says it")]
pub fn profile_of_toml(text: &str, path: &str) -> Result<Arc<dyn Profile>, ProfileError> {
    let path = &masked(path);
    let kind = kind_of(text, path, &PROTOCOLS.map(Protocol::kind))?;
    let protocol = PROTOCOLS.into_iter().find(|protocol| protocol.kind() == kind);
    protocol.unwrap_or(&Phoenix).profile_of_toml(text, path)
}

/// Reads connections of any protocol, for a proxy that knows no run: every name on the wire is a stream of that name.
/// Connections of other protocols are searched for JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnyLane;

impl TaggerFactory for AnyLane {
    fn tagger(&self, request_target: &str, subprotocol: Option<&str>) -> Arc<dyn FrameTagger> {
        let known = PROTOCOLS.iter().find_map(|protocol| protocol.recognize(request_target, subprotocol));
        known.unwrap_or_else(|| Arc::new(GenericTagger))
    }
}

#[cfg(test)]
mod tests;
