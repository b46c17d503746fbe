//! Closes the connection as a server does before a restart.

use super::kind::FaultKind;
use super::spec::{ANYWHERE, CODE, Effect, FaultSpec, WITHIN_MS};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "drain",
    toxic: Some("ws_drain"),
    says: "Closes the connection with `code` when nothing on it is unanswered, or after `within_ms`: what a server \
           does before it restarts.",
    attributes: &[CODE, WITHIN_MS],
    effects: &[Effect::Ends],
    positions: ANYWHERE,
    plan: |values| FaultKind::Drain { code: values.short("code"), within_ms: values.whole("within_ms") },
};
