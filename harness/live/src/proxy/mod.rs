//! The fault proxy: stands between one client and its lane, reads what passes, and does what the faults decide.
//!
//! One [`Proxy`] per lane and client, so that a client's connections are told apart without asking them. It accepts plain
//! TCP on the loopback interface, relays each connection to wherever the lane is at that moment, and reads HTTP/1.1 and,
//! after an upgrade, WebSocket messages on the way. What no fault touches goes on in the very bytes in which it came.
//! What can't be read (another protocol, an extension that changes frames) is relayed unread, and counted.
//!
//! A connection is one task with a [`pump`] per direction; nothing is left behind by [`Proxy::shutdown`].

mod chance;
mod connection;
mod cutting;
mod desk;
mod drain;
mod exchange;
mod http;
mod http_body;
mod interest;
mod line;
mod order;
mod outlet;
mod pump;
mod stats;
mod tally;
#[cfg(test)]
mod tests;
mod upstream;
mod ws;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use cutover_core::history::Fire;
use cutover_core::ids::{ClientId, FaultId, OpId};
use cutover_core::plan::PlannedFault;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::bounds::MESSAGE_MAX_BYTES;
use crate::frame::TaggerFactory;
use crate::toxic::Toxic;
pub use stats::{Flow, ProxyStats};
pub use upstream::{Upstream, UpstreamAddr, reach};

/// Keeps the ledger of faults.
pub trait LedgerSink: Send + Sync {
    /// A fault fired. Called before anything of it can be seen on the wire, and one at a time for each proxy; it must not
    /// block, nor call the proxy.
    fn fired(&self, fault: &FaultId, client: &ClientId, fire: Fire);

    /// A connection, one direction of it, or a message could not be read while faults were armed, and why: it passes
    /// unread.
    fn went_blind(&self, _client: &ClientId, _conn: u32, _why: &str) {}

    /// The lane could not be reached for a connection, and why.
    fn unreachable(&self, _client: &ClientId, _conn: u32, _why: &str) {}
}

/// Bounds on what a proxy keeps and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest WebSocket message that is put together for the faults to see; a longer one passes unread, which is told.
    pub message_max_bytes: usize,
    /// The longest HTTP head; what is longer is taken for another protocol.
    pub head_max_bytes: usize,
    /// How much of an HTTP message is put together for the faults to see; the rest streams through.
    pub http_shown_max_bytes: usize,
    /// Connections at a time; further ones wait in the listener's backlog.
    pub connections_max: usize,
    /// How long the lane may take to accept a connection.
    pub connect: Duration,
    /// How long an orderly end may take before it becomes an abrupt one.
    pub linger: Duration,
    /// How long a reset after a frame waits for a sign that the client has read it.
    pub reset_grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_max_bytes: MESSAGE_MAX_BYTES,
            head_max_bytes: 64 * 1024,
            http_shown_max_bytes: 256 * 1024,
            connections_max: 256,
            connect: Duration::from_secs(5),
            linger: Duration::from_secs(2),
            reset_grace: Duration::from_millis(20),
        }
    }
}

/// A message toxic: a fault, and the chance that a connection gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageToxic {
    /// What it does, and where.
    pub fault: PlannedFault,
    /// From 0 to 1; drawn for each connection from the proxy's seed.
    pub toxicity: f64,
}

impl From<PlannedFault> for MessageToxic {
    /// A fault that every connection gets.
    fn from(fault: PlannedFault) -> MessageToxic {
        MessageToxic { fault, toxicity: 1.0 }
    }
}

/// What a client sees whose lane can't be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unreachable {
    /// RST, as near as an accepted connection comes to a refused one.
    #[default]
    Reset,
    /// FIN, as Toxiproxy does it.
    Close,
}

/// What a proxy is made of.
pub struct ProxyConfig {
    /// Whose traffic it is: the client's name in the ledger.
    pub client: ClientId,
    /// Where the proxy listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the lane is.
    pub upstream: Upstream,
    /// Chooses the tagger of each connection.
    pub factory: Arc<dyn TaggerFactory>,
    /// What a client sees whose lane can't be reached.
    pub unreachable: Unreachable,
    /// What is done to messages, in the order in which it is asked.
    pub faults: Vec<MessageToxic>,
    /// What is done to bytes, behind that, in the order of the chain.
    pub toxics: Vec<Toxic>,
    /// What all chance in the proxy is drawn from.
    pub seed: u64,
    /// Told of each fault that fires.
    pub ledger: Arc<dyn LedgerSink>,
    /// Bounds.
    pub limits: Limits,
}

impl ProxyConfig {
    /// A proxy on a free port of the loopback interface that does nothing to what passes.
    pub fn transparent(
        client: ClientId,
        upstream: Upstream,
        factory: Arc<dyn TaggerFactory>,
        ledger: Arc<dyn LedgerSink>,
    ) -> ProxyConfig {
        ProxyConfig {
            client,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            upstream,
            factory,
            unreachable: Unreachable::default(),
            faults: Vec::new(),
            toxics: Vec::new(),
            seed: 0,
            ledger,
            limits: Limits::default(),
        }
    }
}

/// What all tasks of a proxy share.
struct Shared {
    upstream: Upstream,
    unreachable: Unreachable,
    toxics: watch::Sender<Arc<[Toxic]>>,
    factory: Arc<dyn TaggerFactory>,
    desk: desk::Desk,
    limits: Limits,
    stats: Arc<stats::Stats>,
    tls: upstream::Tls,
    heal: CancellationToken,
    shutdown: CancellationToken,
}

/// A proxy at work. Dropping it ends it as well, but does not wait.
pub struct Proxy {
    addr: SocketAddr,
    /// Gone once the proxy has shut down.
    listener: Weak<TcpListener>,
    shared: Arc<Shared>,
    /// What was armed at the start.
    armed: Vec<FaultId>,
    accepting: Mutex<Option<JoinHandle<()>>>,
    _ends_on_drop: DropGuard,
}

impl Proxy {
    /// Starts a proxy.
    ///
    /// # Errors
    /// Where it can't listen at its address.
    pub async fn start(config: ProxyConfig) -> io::Result<Proxy> {
        Proxy::start_with(config, upstream::Tls::default(), None)
    }

    /// Starts a proxy that takes the place of another one, which still listens, may be at the same port, and is to be shut
    /// down once this one has begun.
    ///
    /// # Errors
    /// Where it can't listen at its address; the other one goes on as it was.
    pub fn start_beside(config: ProxyConfig, other: &Proxy) -> io::Result<Proxy> {
        let tls = upstream::Tls::default();
        Proxy::start_with(config, tls, other.listener.upgrade().as_deref())
    }

    fn start_with(config: ProxyConfig, tls: upstream::Tls, beside: Option<&TcpListener>) -> io::Result<Proxy> {
        let listener = Arc::new(listen(config.listen, beside)?);
        let addr = listener.local_addr()?;
        let shutdown = CancellationToken::new();
        let faults = config.faults.iter().map(|toxic| toxic.fault.id.clone());
        let armed = faults.chain(config.toxics.iter().map(|toxic| toxic.name.clone())).collect();
        let shared = Arc::new(Shared {
            upstream: config.upstream,
            unreachable: config.unreachable,
            toxics: watch::Sender::new(config.toxics.into()),
            factory: config.factory,
            desk: desk::Desk::new(config.client, config.seed, &config.faults, config.ledger),
            limits: config.limits,
            stats: Arc::default(),
            tls,
            heal: CancellationToken::new(),
            shutdown: shutdown.clone(),
        });
        let weak = Arc::downgrade(&listener);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        let accepting = Mutex::new(Some(accepting));
        Ok(Proxy { addr, listener: weak, shared, armed, accepting, _ends_on_drop: shutdown.drop_guard() })
    }

    /// Where the client connects.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Which of the writer's operations the next ack answers; `None` where none is in flight.
    pub fn expect_ack(&self, op: Option<OpId>) {
        self.shared.desk.expect_ack(op);
    }

    /// The writer's operation was acknowledged: releases what is held for it, now and later.
    pub fn acked(&self, op: OpId) {
        self.shared.desk.acked(op);
    }

    /// Changes the message toxics, on the connections that there are as well. Those that stay as they were go on with what
    /// they have counted.
    pub fn set_faults(&self, faults: &[MessageToxic]) {
        self.shared.desk.set(faults);
    }

    /// Changes the byte toxics, on the connections that there are as well. What a toxic holds that is taken away goes on, in
    /// its place.
    pub fn set_toxics(&self, toxics: Vec<Toxic>) {
        self.shared.toxics.send_replace(toxics.into());
    }

    /// Takes all faults and toxics off, releases what is held or kept back, ends silenced connections with RST. For good.
    pub fn heal(&self) {
        self.shared.desk.disarm();
        self.shared.toxics.send_replace(Arc::default());
        self.shared.heal.cancel();
    }

    /// Waits until a fault has fired at least once. Cancel-safe; waits for ever for one that never fires.
    pub async fn wait_fired(&self, fault: &FaultId) {
        self.shared.desk.wait_fired(fault).await;
    }

    /// The faults and toxics that were armed at the start and have not fired, in the order in which they were given.
    pub fn unfired(&self) -> Vec<FaultId> {
        let fired = |id: &&FaultId| !self.shared.desk.has_fired(id);
        self.armed.iter().filter(fired).cloned().collect()
    }

    /// What passed so far.
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

/// Connections that wait to be accepted, at the most.
const BACKLOG: u32 = 1024;

/// Begins to listen, also where only `beside` stands in the way: for that moment both let the system share the port.
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
                    stats::count(&shared.stats.connections);
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
    stats::count(&shared.stats.ended);
    if ended.is_err() {
        stats::count(&shared.stats.crashed);
    }
}
