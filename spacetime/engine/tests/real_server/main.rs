//! The engine and the module, together, as a real server: started, published to, called, killed and restarted.
//!
//! The server runs in a process of its own, as it does in the product. That process is this test binary once more, told
//! by its environment to be a server instead.
#![allow(clippy::unwrap_used)]

mod access;
// Written by SpacetimeDB's generator; see `spacetime/bindings`.
mod bindings;
mod client;
mod crash;
mod our_lane;
mod reducers;
mod resume;
mod server;
mod socket;
mod startup;
mod upgrade;
mod witness;
mod witness_tests;
