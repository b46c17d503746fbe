//! The tables and their reducers, a file each. A reducer reads rows, asks a rule, and writes what the rule says.
//!
//! Rows go over the wire in the order of their columns: a change of that order is a breaking change for clients.
//!
//! Every reducer runs in one transaction; an `Err` rolls it back whole and reaches the caller as its text.

mod connections;
mod cursors;
mod events;
mod streams;

use crate::rules::refusal::Refusal;

/// What a reducer answers: nothing, or a refusal's JSON.
type Answer = Result<(), String>;

/// Turns a refusal into the text that a reducer answers with.
fn answer(result: Result<(), Refusal>) -> Answer {
    result.map_err(|refusal| refusal.to_json())
}
