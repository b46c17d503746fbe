//! Tests of the room `hash` from outside: published and own vectors, properties, divergences.
#![allow(clippy::unwrap_used, missing_docs)]

mod diff;
mod golden;
mod json;
mod properties;
mod readers;
mod vector;

/// The module's own reader: it shares no code with ours, so the two must be compared.
#[path = "../../../../spacetime/module/src/canonical/mod.rs"]
#[allow(dead_code)]
mod canonical;
#[path = "../../../../spacetime/module/src/number.rs"]
mod number;
