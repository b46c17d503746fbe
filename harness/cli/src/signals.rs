//! The runtime of the async parts, and the signals that end them.

use std::io;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

pub fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::environment(format!("cannot start threads: {error}")))
}

/// The signals that ask the program to stop. Once this exists, none of them ends the process by itself.
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl StopSignals {
    /// Begins to listen. Must be called within a runtime.
    pub fn listen() -> Result<StopSignals, Failure> {
        let signal = |kind| signal(kind).map_err(|error: io::Error| Failure::environment(error.to_string()));
        Ok(StopSignals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }
}
