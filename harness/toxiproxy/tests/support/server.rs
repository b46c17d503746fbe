//! A server to test against: ours in this process, or the one that `CUTOVER_TOXIPROXY` names.
#![allow(clippy::unwrap_used, dead_code)]

use super::{ask, resolve};
use std::net::SocketAddr;

/// A server without proxies.
pub struct Server {
    addr: SocketAddr,
}

impl Server {
    pub fn start() -> Self {
        if let Ok(addr) = std::env::var("CUTOVER_TOXIPROXY") {
            let addr = resolve(&addr);
            clear(addr);
            return Self { addr };
        }
        todo!()
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Removes every proxy of a server that runs already.
fn clear(addr: SocketAddr) {
    for name in ask(addr, "GET", "/proxies", &[], None).json().as_object().unwrap().keys() {
        // A name with a slash cannot be asked for: such a proxy stays, as it would have to for any client.
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        ask(addr, "DELETE", &format!("/proxies/{encoded}"), &[], None);
    }
}
