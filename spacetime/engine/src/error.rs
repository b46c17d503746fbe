//! The errors of starting and serving.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the server did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum EngineError {
    #[error(
        "cannot listen on {address}: it is in use; stop what listens there, or give port 0 to have a free one chosen"
    )]
    AddressTaken { address: SocketAddr },
    #[error("cannot listen on {address}: {source}; give an address of this machine, such as 127.0.0.1:0")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot use the data directory {}: {source}; give a directory that can be written to", path.display())]
    DataDir { path: PathBuf, source: io::Error },
    #[error(
        "the data directory {} is in use by {}; stop that server, or give another directory",
        path.display(),
        pid.map_or("another process".to_owned(), |pid| format!("process {pid}"))
    )]
    DataDirLocked { path: PathBuf, pid: Option<u32> },
    #[error(
        "SpacetimeDB does not start on the data directory {}: {reason}; is it another version's, or damaged?",
        path.display()
    )]
    Start { path: PathBuf, reason: String },
    #[error("{reason}")]
    Prepare { reason: String },
    #[error("cannot set up {what}: {source}")]
    Process { what: &'static str, source: io::Error },
    #[error("the server on {address} stopped serving: {source}")]
    Serve { address: SocketAddr, source: io::Error },
}
