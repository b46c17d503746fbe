//! The SpacetimeDB module of the candidate lane.
//!
//! [`rules`] decides and touches no database: it compiles and is tested on the host (`cargo test` in this folder).
//! `db` holds the tables and the reducers and exists only in the wasm build: it reads rows, asks a rule, and writes what the
//! rule says. A refusal is the reducer's error text: one JSON object with a `code`.
//!
//! The module shares no code with the legacy reference server and the harness, on purpose: a shared stale check or canonical form
//! would make their parity prove nothing.
//!
//! It checks no claims: any client that may open a connection may call every reducer.
//!
//! `build.sh` builds `cutover_module.wasm` and records its sources in `cutover_module.wasm.json`.

#[cfg(target_arch = "wasm32")]
mod db;
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "on the host only tests use the rules"))]
mod rules;
