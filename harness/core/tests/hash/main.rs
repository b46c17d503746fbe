//! Tests of the room `hash` from outside: published and own vectors, properties, divergences.
#![allow(clippy::unwrap_used, missing_docs)]

mod diff;
mod golden;
mod json;
mod properties;
mod vector;
