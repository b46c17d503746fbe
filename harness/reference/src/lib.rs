//! The legacy lane's reference server: a sync service over Phoenix sockets, with a journal on disk.
//!
//! It has the wire protocol of the service that is to be retired, so that both lanes run from this repository alone.
//! The main types are [`Config`] and [`Server`]; [`Defects`] plants the mistakes that the known-bad scenarios must
//! catch. It shares no rule code with the candidate's module: if both called one function for the stale check, their
//! parity would prove nothing.

mod body;
mod canonical;
mod channel;
mod compat;
mod config;
mod defects;
mod frame;
mod http;
mod journal;
mod metrics;
mod outbox;
mod plant;
mod presence;
mod server;
mod shared;
mod socket;
mod stale;
mod store;
mod token;
mod topics;
mod wire;

pub use config::{Config, ConfigError};
pub use defects::{Defects, UnknownDefect};
pub use journal::JournalError;
pub use server::{ServeError, Server};
pub use store::StoreError;
