//! The settings of a proxy.

#![allow(missing_docs, reason = "the names say it")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cutover_core::history::Fire;
use cutover_core::ids::{ClientId, FaultId};
use cutover_core::plan::PlannedFault;

use super::upstream::Upstream;
use crate::bounds::MESSAGE_MAX_BYTES;
use crate::frame::{TaggerFactory, View};
use crate::toxic::Toxic;

pub trait LedgerSink: Send + Sync {
    /// A fault fired. This is called before its effect is visible on the wire, and one at a time for each proxy. It
    /// must neither block nor call the proxy.
    fn fired(&self, fault: &FaultId, client: &ClientId, fire: Fire);

    /// A connection, a direction of it, or a message passes unread while faults are armed, and why.
    fn went_blind(&self, _client: &ClientId, _conn: u32, _why: &str) {}

    fn unreachable(&self, _client: &ClientId, _conn: u32, _why: &str) {}
}

/// Sees the connections of a client and their WebSocket messages, each before it goes on. It changes nothing and must
/// not block.
pub trait Observer: Send + Sync {
    /// The client connected. Connections are numbered from 1.
    fn connected(&self, conn: u32);

    fn message(&self, conn: u32, view: &View<'_>);

    /// The connection ended, or could not be made; `by_client` where the client ended it.
    fn ended(&self, conn: u32, by_client: bool);
}

/// Bounds on what a proxy keeps and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest WebSocket message that is put together for the faults. A longer one passes unread, and is reported.
    pub message_max_bytes: usize,
    /// The longest HTTP head. A longer one is taken for another protocol.
    pub head_max_bytes: usize,
    /// How much of an HTTP message is put together for the faults. The rest streams through.
    pub http_shown_max_bytes: usize,
    /// Connections at a time. Further ones wait in the listener's backlog.
    pub connections_max: usize,
    /// How many bytes for the client the system keeps, before the proxy and behind it; `None` leaves it to the system.
    pub lane_buffer_bytes: Option<usize>,
    /// How long the lane may take to accept a connection.
    pub connect: Duration,
    /// How long an orderly end may take before it becomes an abrupt one.
    pub linger: Duration,
    /// How long a reset after a frame waits for a sign that the client has read the frame.
    pub reset_grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_max_bytes: MESSAGE_MAX_BYTES,
            head_max_bytes: 64 * 1024,
            http_shown_max_bytes: 256 * 1024,
            connections_max: 256,
            lane_buffer_bytes: None,
            connect: Duration::from_secs(5),
            linger: Duration::from_secs(2),
            reset_grace: Duration::from_millis(20),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct MessageToxic {
    pub fault: PlannedFault,
    /// From 0 to 1; drawn for each connection from the proxy's seed.
    pub toxicity: f64,
}

impl From<PlannedFault> for MessageToxic {
    fn from(fault: PlannedFault) -> MessageToxic {
        MessageToxic { fault, toxicity: 1.0 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unreachable {
    /// RST: of all ends of an accepted connection, the most like a refused connection.
    #[default]
    Reset,
    /// FIN, as Toxiproxy does it.
    Close,
}

pub struct ProxyConfig {
    /// Whose traffic it is: the client's name in the ledger.
    pub client: ClientId,
    /// Where the proxy listens; port 0 takes a free one.
    pub listen: SocketAddr,
    pub upstream: Upstream,
    pub factory: Arc<dyn TaggerFactory>,
    pub unreachable: Unreachable,
    /// What is done to messages. The first fault that decides wins.
    pub faults: Vec<MessageToxic>,
    /// What is done to bytes after that, in the order of the chain.
    pub toxics: Vec<Toxic>,
    /// The seed of everything random in the proxy.
    pub seed: u64,
    pub ledger: Arc<dyn LedgerSink>,
    /// Who sees all messages, changed or not.
    pub observer: Option<Arc<dyn Observer>>,
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
            observer: None,
            limits: Limits::default(),
        }
    }
}
