//! A server to test against: ours in this process, or the one that `CUTOVER_TOXIPROXY` names.
#![allow(clippy::unwrap_used, dead_code)]

use super::{ask, resolve};
use cutover_live::proxy::Limits;
use cutover_toxiproxy::{Service, Settings};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// A server without proxies, until it is dropped.
pub struct Server {
    addr: SocketAddr,
    stop: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Server {
    pub fn start() -> Self {
        if let Ok(addr) = std::env::var("CUTOVER_TOXIPROXY") {
            let addr = resolve(&addr);
            clear(addr);
            return Self { addr, stop: None };
        }
        let (stop, stopped) = oneshot::channel();
        let (ready, listening) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            Runtime::new().unwrap().block_on(async {
                let settings =
                    Settings { listen: "127.0.0.1:0".to_owned(), config: None, seed: 1, limits: Limits::default() };
                let service = Service::bind(settings).await.unwrap();
                ready.send(service.local_addr()).unwrap();
                service.run(async { stopped.await.unwrap_or_default() }).await;
            });
        });
        Self { addr: listening.recv().unwrap(), stop: Some((stop, thread)) }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.stop.take() {
            drop(stop);
            thread.join().unwrap();
        }
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
