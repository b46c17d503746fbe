//! Byte toxics in a foreign proxy in front of ours.
//!
//! A connection goes from the client through the foreign proxy and our proxy to the lane. So message faults come before
//! byte toxics on the way to the client, and nothing reassembles what a byte toxic sliced or delayed.

#![allow(missing_docs, reason = "the names say it")]

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;

use crate::toxic::Toxic;

#[async_trait]
pub trait ByteToxics: Send + Sync {
    /// Puts a proxy in front of an address. `name` says whose it is; the implementation makes it unique.
    async fn front(&self, name: &str, upstream: SocketAddr) -> io::Result<Box<dyn Front>>;
}

/// A foreign proxy in front of ours.
#[async_trait]
pub trait Front: Send + Sync {
    fn addr(&self) -> SocketAddr;

    /// Adds a toxic, to open connections too, and checks that it is there.
    async fn add(&self, toxic: &Toxic) -> io::Result<()>;

    async fn remove(&self, toxic: &Toxic) -> io::Result<()>;

    /// Deletes the proxy. The implementation retries later what fails here.
    async fn end(&self);
}
