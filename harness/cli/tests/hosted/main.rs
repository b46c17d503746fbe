//! The commands for hosted lanes, against real servers and what may stand before or in place of them.
#![allow(clippy::unwrap_used)]

mod absent;
#[cfg(feature = "engine")]
mod deploy;
mod fronts;
#[cfg(feature = "engine")]
mod lane;
#[cfg(feature = "engine")]
mod provision;
mod runs;
#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "engine")]
mod tokens;
