//! The tables and the reducers: reads rows, asks a rule, writes what the rule said.
//!
//! Every reducer runs in one transaction; an `Err` rolls it back whole and reaches the caller as its text.

mod connections;
mod cursors;
mod events;
mod streams;
mod tables;

use crate::rules::refusal::Refusal;

/// What a reducer answers: nothing, or a refusal's JSON.
type Answer = Result<(), String>;

/// Turns a refusal into the text that a reducer answers with.
fn answer(result: Result<(), Refusal>) -> Answer {
    result.map_err(|refusal| refusal.to_json())
}
