//! What a plan asks of the module behind a SpacetimeDB lane, beyond events and heads.

use crate::matrix::Part;
use crate::plan::{Plan, REDUCERS, Step};

const CONNECTIONS: &[&str] = &["active_connection"];
const WINDOW: &[&str] = &["set_window", "check_client"];
pub(super) const OUTBOX: &str = "bridge_outbox";
const ACCESS: &[&str] = &["set_access", "put_lease", "revoke_lease", "retire_key", "put_grant", "withdraw_grant"];

/// The tables and reducers that a plan uses.
pub(super) fn used_by(plan: &Plan) -> Vec<&str> {
    let mut used = Vec::new();
    if plan.cases.iter().flat_map(|case| &case.clients).any(|client| client.join.is_some()) {
        used.extend(WINDOW);
    }
    if plan.has_identities() {
        used.extend(ACCESS);
    }
    for step in plan.cases.iter().flat_map(|case| &case.steps) {
        match step {
            Step::Count { .. } => used.extend(CONNECTIONS),
            Step::Prune { .. } => used.push("prune_stream"),
            Step::Call { reducer, .. } => used.push(reducer),
            _ => {}
        }
    }
    used
}

/// Those without which no scenario shows a part of the matrix.
pub(super) fn needed_for(part: Part) -> &'static [&'static str] {
    use Part::{CallsRefused, CallsRepeated, LetIn, LetInUnasked, RefusedProtocol, RefusedSchema, RefusedTooNew};
    use Part::{ExpiryStorm, KeyRotated, LeewayEdges, RevokedConnected, TokenAccepted, TokenReminted, TokensRefused};
    use Part::{ReadsWithinGrants, RefusedTooOld, RefusedWithoutBuild, TenantsApart, WithdrawnConnected};
    match part {
        part if part.is_a_count() => CONNECTIONS,
        LetIn | LetInUnasked | RefusedWithoutBuild | RefusedProtocol | RefusedSchema | RefusedTooOld
        | RefusedTooNew => WINDOW,
        TokenAccepted | TokenReminted | TokensRefused | LeewayEdges | KeyRotated | RevokedConnected | ExpiryStorm => {
            ACCESS
        }
        ReadsWithinGrants | Part::WritesWithinRights | TenantsApart | WithdrawnConnected => ACCESS,
        CallsRepeated | CallsRefused => REDUCERS,
        _ => &[],
    }
}
