//! Loses all answers to heartbeats.

use super::kind::FaultKind;
use super::spec::{Effect, FaultSpec};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "starve-heartbeats",
    toxic: Some("ws_starve_heartbeats"),
    says: "Loses every answer to a heartbeat: a reply of the protocol, or a WebSocket pong.",
    attributes: &[],
    effects: &[Effect::Loses],
    positions: &[],
    plan: |_| FaultKind::Drop,
};
