//! The checks that follow from the facts of a command, for those commands that have a rule.

use super::{Check, Facts, handshake, rollout, shadow};

/// By the command's name; `None` where a command has no rule, and its checks stand as they were recorded.
pub fn derived(command: &str, facts: &Facts) -> Option<Vec<Check>> {
    match command {
        handshake::COMMAND => Some(handshake::checks(facts)),
        rollout::COMMAND => Some(rollout::checks(facts)),
        shadow::COMMAND => Some(shadow::checks(facts)),
        _ => None,
    }
}
