//! The checks that follow from the facts of a command.

use super::{Check, Facts, deploy, handshake, provision, rollout, shadow};

/// By the command's name; `None` for a command that this version does not know.
pub fn derived(command: &str, facts: &Facts) -> Option<Vec<Check>> {
    let mut checks = match command {
        deploy::COMMAND => deploy::checks(facts),
        handshake::COMMAND => handshake::checks(facts),
        provision::COMMAND => provision::checks(facts),
        rollout::COMMAND => rollout::checks(facts),
        shadow::COMMAND => shadow::checks(facts),
        _ => return None,
    };
    if let Some(by) = facts.get(INTERRUPTED).and_then(serde_json::Value::as_str) {
        checks.push(Check::unknown("interrupted", format!("the command was ended by {by}"), "run it again"));
    }
    Some(checks)
}

/// The fact that says which signal ended a command.
pub const INTERRUPTED: &str = "interrupted";
