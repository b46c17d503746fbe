//! The way to the engine: all that this crate asks of a proxy that listens, in one place.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use cutover_core::ids::ClientId;
use cutover_live::frame::TaggerFactory;
use cutover_live::lane::AnyLane;
use cutover_live::proxy::{LedgerSink, Limits, MessageToxic, Proxy, ProxyConfig, Unreachable, UpstreamAddr};
use cutover_live::toxic::Toxic;
use tokio::sync::watch;

/// What a proxy is opened with.
pub struct Opening {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where it leads; `None` where that can't be told from what was given.
    pub upstream: Option<UpstreamAddr>,
    /// Message toxics, in the order in which they are asked.
    pub faults: Vec<MessageToxic>,
    /// Byte toxics, in the order of their chains.
    pub toxics: Vec<Toxic>,
    /// What chance is drawn from.
    pub seed: u64,
    /// Told of what strikes.
    pub ledger: Arc<dyn LedgerSink>,
    /// Bounds.
    pub limits: Limits,
}

/// What passed one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// Bytes read.
    pub received: u64,
    /// Bytes written.
    pub sent: u64,
    /// Messages read.
    pub frames: u64,
}

/// What passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// From the clients.
    pub upstream: Flow,
    /// To the clients.
    pub downstream: Flow,
    /// Connections accepted.
    pub connections: u64,
    /// Connections for which upstream could not be reached.
    pub unreachable: u64,
    /// How often a connection, or one direction of it, was relayed unread.
    pub raw_fallbacks: u64,
    /// Messages that passed unread since they were too long.
    pub too_big: u64,
}

/// A proxy that listens. Dropping it ends it as well, but does not wait.
pub struct Door(Proxy);

impl Door {
    /// Opens a proxy, where `beside` is given in the place of that one, which is still open.
    ///
    /// # Errors
    /// Where the address can't be had.
    pub async fn open(opening: Opening, beside: Option<&Door>) -> io::Result<Door> {
        // The address stays what it is for as long as the door is open.
        let (_, upstream) = watch::channel(opening.upstream);
        let config = ProxyConfig {
            client: ClientId::new(opening.name),
            listen: opening.listen,
            upstream,
            factory: taggers(),
            unreachable: Unreachable::Close,
            faults: opening.faults,
            toxics: opening.toxics,
            seed: opening.seed,
            ledger: opening.ledger,
            limits: opening.limits,
        };
        match beside {
            None => Proxy::start(config).await.map(Door),
            Some(beside) => Proxy::start_beside(config, &beside.0).map(Door),
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// Changes the byte toxics, on the connections that are open too.
    pub fn set_toxics(&self, toxics: Vec<Toxic>) {
        self.0.set_toxics(toxics);
    }

    /// Changes the message toxics, on the connections that are open too.
    pub fn set_faults(&self, faults: &[MessageToxic]) {
        self.0.set_faults(faults);
    }

    /// What passed so far.
    pub fn traffic(&self) -> Traffic {
        let stats = self.0.stats();
        let flow =
            |flow: cutover_live::proxy::Flow| Flow { received: flow.received, sent: flow.bytes, frames: flow.frames };
        Traffic {
            upstream: flow(stats.to_lane),
            downstream: flow(stats.to_client),
            connections: stats.connections,
            unreachable: stats.unreachable,
            raw_fallbacks: stats.raw_fallbacks,
            too_big: stats.too_big,
        }
    }

    /// Closes it and all its connections, and waits until they are gone.
    pub async fn close(&self) {
        self.0.shutdown().await;
    }
}

/// Knows what connections speak, whoever they belong to.
fn taggers() -> Arc<dyn TaggerFactory> {
    Arc::new(AnyLane)
}

impl std::ops::AddAssign for Flow {
    fn add_assign(&mut self, other: Flow) {
        self.received += other.received;
        self.sent += other.sent;
        self.frames += other.frames;
    }
}

impl std::ops::AddAssign for Traffic {
    fn add_assign(&mut self, other: Traffic) {
        self.upstream += other.upstream;
        self.downstream += other.downstream;
        self.connections += other.connections;
        self.unreachable += other.unreachable;
        self.raw_fallbacks += other.raw_fallbacks;
        self.too_big += other.too_big;
    }
}
