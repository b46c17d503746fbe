//! Runs a real SpacetimeDB 1.2.0 inside our own binary.
//!
//! [`run`] is the whole of it. Everything generic of the server is instantiated in this crate, because linking against
//! it elsewhere costs half a minute.
//!
//! How the server answers and what it keeps, as measured:
//! - A reducer call over HTTP is answered before its transaction is on disk. A background task writes each transaction to
//!   the commitlog soon after, and another syncs the log every 500 ms. A `kill -9` at once after the answer can
//!   therefore lose the newest transactions, and no client of 1.2.0 can ask whether one is durable.
//! - Databases are opened when they are first asked for, which is when their log is replayed.

mod error;
mod logs;
mod server;

pub use error::EngineError;
pub use server::run;
