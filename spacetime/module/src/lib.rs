//! The SpacetimeDB module of the candidate lane.
//!
//! [`rules`] decides and touches no database: it compiles and is tested on the host (`cargo test` in this folder).
//! `db` holds the tables and the reducers; it exists only in the wasm build, reads rows, asks a rule, and writes what
//! the rule said. A refusal is the reducer's error text: one JSON object with a `code`.
//!
//! The module is written apart from the legacy reference server and from the harness, on purpose: were the stale check
//! or the canonical form shared code, their parity would prove nothing.
//!
//! What it does not do: it checks no claims. Whoever may open a connection may call every reducer.
//!
//! `build.sh` builds `cutover_module.wasm` and writes down what it was built from in `cutover_module.wasm.json`.

#[cfg(target_arch = "wasm32")]
mod db;
pub mod rules;
