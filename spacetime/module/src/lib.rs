//! The SpacetimeDB module of the candidate lane, one file per table or resume.
//!
//! A file has the rule, which decides and touches no database: it compiles and is tested on the host (`cargo test` in
//! this folder). Below it, `mod db` has the table and the reducers, and exists only in the wasm build: a reducer reads
//! rows, asks the rule, and writes what the rule says, in one transaction. A refusal rolls the transaction back; it is
//! the reducer's error text: one JSON object with a `code`.
//!
//! Rows go over the wire in the order of their columns: a change of that order is a breaking change for clients.
//!
//! The module shares no code with the legacy reference server and the harness, on purpose: a shared stale check or
//! canonical form would make their parity prove nothing.
//!
//! While access is open, any client may call every reducer but the owner's. While it is enforced, a caller needs a
//! lease and grants.
//!
//! `build.sh` builds `cutover_module.wasm` and records its sources in `cutover_module.wasm.json`.

// On the host only the tests use the rules.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

#[cfg(target_arch = "wasm32")]
mod access;
mod assignment;
mod bridge;
mod canonical;
#[cfg(target_arch = "wasm32")]
mod capability;
mod checkpoint;
#[cfg(target_arch = "wasm32")]
mod connection;
mod event;
#[cfg(target_arch = "wasm32")]
mod grant;
mod key;
mod lease;
mod number;
mod once;
#[cfg(target_arch = "wasm32")]
mod owner;
#[cfg(feature = "planted")]
mod planted;
mod presence;
mod refusal;
mod resume;
mod stream;
mod window;
