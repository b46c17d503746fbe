//! The fault proxy: stands between one client and its lane, reads what passes, and does what the faults decide.
//!
//! There is one [`Proxy`] for each lane and client, so that each connection is known to be of that client. It accepts
//! plain TCP, relays each connection to the lane's present address, and reads HTTP/1.1 and, after an upgrade, WebSocket
//! messages. A message that no fault changes is passed on byte for byte. What is unreadable (another protocol, an
//! extension that changes frames) is relayed unread, and counted.
//!
//! A connection is one task with a [`pump`] for each direction. In a direction, bytes go through the [`decoder`] (bytes
//! to messages), the [`interceptor`] (decides what becomes of a message), [`fate`] (does that), and the [`egress`]
//! (order, byte toxics, writer). [`Proxy::shutdown`] ends every task.

#![allow(missing_docs, reason = "the names say it")]

mod chance;
mod config;
mod conn;
mod connection;
mod cutting;
mod decoder;
mod egress;
mod exchange;
mod fate;
mod http;
mod http_body;
mod interceptor;
mod interest;
mod order;
mod pump;
mod stats;
mod tally;
#[cfg(test)]
mod tests;
mod unit;
mod upstream;
mod ws;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use cutover_core::ids::{FaultId, OpId};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::toxic::Toxic;
pub use config::{LedgerSink, Limits, MessageToxic, Observer, ProxyConfig, Unreachable};
use conn::Shared;
use interceptor::Interceptor;
pub use stats::{Flow, ProxyStats};
pub use upstream::{Upstream, UpstreamAddr, reach};

/// A running proxy. Dropping it ends it too, but does not wait.
pub struct Proxy {
    addr: SocketAddr,
    listener: Weak<TcpListener>,
    shared: Arc<Shared>,
    accepting: Mutex<Option<JoinHandle<()>>>,
    _ends_on_drop: DropGuard,
}

impl Proxy {
    pub async fn start(config: ProxyConfig) -> io::Result<Proxy> {
        Proxy::start_with(config, upstream::Tls::default(), None)
    }

    /// Starts a proxy that replaces another, perhaps at the same port. Shut the other one down after this.
    pub fn start_beside(config: ProxyConfig, other: &Proxy) -> io::Result<Proxy> {
        let tls = upstream::Tls::default();
        Proxy::start_with(config, tls, other.listener.upgrade().as_deref())
    }

    fn start_with(config: ProxyConfig, tls: upstream::Tls, beside: Option<&TcpListener>) -> io::Result<Proxy> {
        let listener = Arc::new(listen(config.listen, beside)?);
        let addr = listener.local_addr()?;
        let shutdown = CancellationToken::new();
        let shared = Arc::new(Shared {
            upstream: config.upstream,
            unreachable: config.unreachable,
            toxics: watch::Sender::new(config.toxics.into()),
            factory: config.factory,
            interceptor: Interceptor::new(config.client, config.seed, &config.faults, config.ledger)
                .observed_by(config.observer),
            limits: config.limits,
            stats: stats::Stats::default(),
            tls,
            heal: CancellationToken::new(),
            shutdown: shutdown.clone(),
        });
        let weak = Arc::downgrade(&listener);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        let accepting = Mutex::new(Some(accepting));
        Ok(Proxy { addr, listener: weak, shared, accepting, _ends_on_drop: shutdown.drop_guard() })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Which of the writer's operations the next ack answers; `None` where none is in flight.
    pub fn expect_ack(&self, op: Option<OpId>) {
        self.shared.interceptor.expect_ack(op);
    }

    /// The writer's operation was acknowledged: releases what is held for it, now or later.
    pub fn acked(&self, op: OpId) {
        self.shared.interceptor.acked(op);
    }

    /// Changes the message toxics, of open connections too. Unchanged ones keep their counts.
    pub fn set_faults(&self, faults: &[MessageToxic]) {
        self.shared.interceptor.set(faults);
    }

    /// Changes the byte toxics, of open connections too. What a removed toxic holds is passed on, in order.
    pub fn set_toxics(&self, toxics: Vec<Toxic>) {
        self.shared.toxics.send_replace(toxics.into());
    }

    /// Removes all faults and toxics for good, releases what is held or kept back, ends silenced connections with RST.
    pub fn heal(&self) {
        self.shared.interceptor.disarm();
        self.shared.toxics.send_replace(Arc::default());
        self.shared.heal.cancel();
    }

    /// Waits until a fault has fired at least once. Cancel-safe. Never returns where the fault never fires.
    pub async fn wait_fired(&self, fault: &FaultId) {
        self.shared.interceptor.wait_fired(fault).await;
    }

    pub fn stats(&self) -> ProxyStats {
        self.shared.stats.snapshot()
    }

    /// Ends all connections and waits until every task is gone. May be called again.
    pub async fn shutdown(&self) {
        self.shared.shutdown.cancel();
        let accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(accepting) = accepting {
            // A panic in it has been reported by the runtime; there is nothing left to end.
            let _ = accepting.await;
        }
    }
}

/// How long accepting pauses after an error (no file descriptors left, most often).
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

const BACKLOG: u32 = 1024;

/// Begins to listen, also at the port of `beside`: while this one begins, both let the system share the port.
fn listen(addr: SocketAddr, beside: Option<&TcpListener>) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    let share = |on| beside.map_or(Ok(()), |beside| SockRef::from(beside).set_reuse_port(on));
    share(true)?;
    let listener =
        socket.set_reuseport(beside.is_some()).and_then(|()| socket.bind(addr)).and_then(|()| socket.listen(BACKLOG));
    share(false)?;
    let listener = listener?;
    SockRef::from(&listener).set_reuse_port(false)?;
    Ok(listener)
}

async fn accept(listener: Arc<TcpListener>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        let room = connections.len() < shared.limits.connections_max;
        tokio::select! {
            biased;
            () = shared.shutdown.cancelled() => break,
            Some(ended) = connections.join_next() => note(&shared, &ended),
            accepted = listener.accept(), if room => match accepted {
                Ok((client, _)) => {
                    number += 1;
                    shared.stats.others().connections += 1;
                    connections.spawn(connection::serve(client, number, Arc::clone(&shared)));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    while let Some(ended) = connections.join_next().await {
        note(&shared, &ended);
    }
}

fn note(shared: &Shared, ended: &Result<(), tokio::task::JoinError>) {
    let mut stats = shared.stats.others();
    stats.ended += 1;
    stats.crashed += u64::from(ended.is_err());
}
