//! Runs a real SpacetimeDB 1.2.0 inside our own binary.
//!
//! [`run`] is the whole of it. Everything generic of the server is instantiated in this crate, because linking against
//! it elsewhere costs half a minute.
//!
//! What SpacetimeDB 1.2.0 keeps through a `kill -9`, as measured:
//! - A call is answered before its transaction is in the log. Over a WebSocket, half of the kills right after an answer
//!   lost the event just acknowledged, and kills amid a burst lost over a hundred; 3 ms later nothing was lost. Over HTTP,
//!   whose answer comes two transactions later, a hundred kills lost nothing, but nothing promises it. What is lost is
//!   always the newest transactions, never one between others. No client can ask whether a transaction is durable.
//! - Being in the log means written to the file, which a `kill -9` does not undo. The file is synced every 500 ms, which
//!   matters only where the machine itself stops.
//! - A published database is known for good up to 50 ms after the publish was answered; a kill before forgets it.
//! - A server stopped by SIGTERM goes on for a little longer than one such interval, and so has written everything.
//!
//! Databases are opened when they are first asked for, which is when their log is replayed and connections that a crash
//! left open are ended.
//!
//! The licence of what is linked here: `LICENSING.md` beside this crate's manifest.

mod error;
mod logs;
mod server;

pub use error::EngineError;
pub use server::run;
