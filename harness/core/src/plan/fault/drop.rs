//! Loses a message.

use super::kind::FaultKind;
use super::spec::{ANYWHERE, Effect, FaultSpec};

pub(super) static SPEC: FaultSpec = FaultSpec {
    word: "drop",
    toxic: Some("ws_drop"),
    says: "Loses the message.",
    attributes: &[],
    effects: &[Effect::Loses],
    positions: ANYWHERE,
    plan: |_| FaultKind::Drop,
};
