//! What keeps the server from starting or serving.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the server did not start, or stopped of itself.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another process listens on the address.
    #[error(
        "cannot listen on {address}: it is in use; stop what listens there, or give port 0 to have a free one chosen"
    )]
    AddressTaken {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address can't be listened on for another reason.
    #[error("cannot listen on {address}: {source}; give an address of this machine, such as 127.0.0.1:0")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data directory can't be made or written to.
    #[error("cannot use the data directory {}: {source}; give a directory that can be written to", path.display())]
    DataDir {
        /// The directory, or what in it could not be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another server uses the data directory.
    #[error(
        "the data directory {} is in use by {}; stop that server, or give another directory",
        path.display(),
        pid.map_or("another process".to_owned(), |pid| format!("process {pid}"))
    )]
    DataDirLocked {
        /// The directory.
        path: PathBuf,
        /// The process that holds it, where it left its id.
        pid: Option<u32>,
    },
    /// SpacetimeDB did not come up.
    #[error("SpacetimeDB does not start on the data directory {}: {reason}; is it another version's, or damaged?", path.display())]
    Start {
        /// The data directory.
        path: PathBuf,
        /// What SpacetimeDB said, its causes included.
        reason: String,
    },
    /// The server is up, and what was to be done before it says so failed.
    #[error("{reason}")]
    Prepare {
        /// What failed, and how to mend it.
        reason: String,
    },
    /// A part of the process that serving rests on could not be had: threads, signals or standard output.
    #[error("cannot set up {what}: {source}")]
    Process {
        /// The part.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Serving ended with an error.
    #[error("the server on {address} stopped serving: {source}")]
    Serve {
        /// The address that was served.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}
