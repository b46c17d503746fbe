//! Where byte toxics live that are not in a proxy of ours: in a proxy of somebody else's, in front of ours.
//!
//! The way is client, foreign proxy, our proxy, lane: what ours does to messages is done before the bytes are sliced or
//! delayed on their way to the client, and nothing puts them together again behind that.

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;

use crate::toxic::Toxic;

/// Has proxies that toxics can be put into.
#[async_trait]
pub trait ByteToxics: Send + Sync {
    /// Puts a proxy in front of an address. `name` says whose it is; the implementation makes it unique.
    ///
    /// # Errors
    /// Where it can't be had.
    async fn front(&self, name: &str, upstream: SocketAddr) -> io::Result<Box<dyn Front>>;
}

/// A proxy in front of ours.
#[async_trait]
pub trait Front: Send + Sync {
    /// Where the client connects.
    fn addr(&self) -> SocketAddr;

    /// Puts a toxic on, on the connections that there are as well, and makes sure that it is there.
    ///
    /// # Errors
    /// Where it is not.
    async fn add(&self, toxic: &Toxic) -> io::Result<()>;

    /// Takes a toxic off.
    ///
    /// # Errors
    /// Where that can't be done.
    async fn remove(&self, toxic: &Toxic) -> io::Result<()>;

    /// Ends the proxy. What fails here is the implementation's to clear away later.
    async fn end(&self);
}
