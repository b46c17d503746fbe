//! Runs a real SpacetimeDB 1.2.0 inside our own binary.
//!
//! [`run`] is the only function. Everything generic of the server is instantiated in this crate, because linking it
//! elsewhere takes half a minute.
//!
//! What SpacetimeDB 1.2.0 keeps through a `kill -9`, as measured:
//! - A call is answered before its transaction is in the log. Over a WebSocket, half of the kills right after an answer
//!   lost the acknowledged event, and kills within a burst lost over a hundred events; 3 ms later nothing was lost.
//!   Over HTTP, whose answer comes two transactions later, a hundred kills lost nothing, but nothing promises it. Only
//!   the newest transactions are lost, never one between others. A client cannot ask whether a transaction is durable.
//! - A transaction in the log is written to the file, which a `kill -9` does not undo. The file is synced every 500 ms,
//!   which matters only where the machine itself stops.
//! - A published database is durable up to 50 ms after the publish was answered; a kill before that removes it.
//! - A server stopped by SIGTERM runs a little longer than one such interval, and so has written everything.
//!
//! A database is opened at its first request: its log is replayed, and connections that a crash left open are ended.
//!
//! `LICENSING.md` beside this crate's manifest has the licence of what is linked here.

mod error;
mod logs;
mod server;

pub use error::EngineError;
pub use server::run;
