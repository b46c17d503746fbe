//! The way to the engine: all that this crate asks of a proxy that listens, in one place.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use cutover_core::plan::PlannedFault;
use cutover_live::proxy::{LedgerSink, Limits, UpstreamAddr};
use cutover_live::toxic::Toxic;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A message toxic.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageToxic {
    /// What it does, where and how often.
    pub fault: PlannedFault,
    /// The chance that a connection gets it.
    pub toxicity: f64,
}

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
    /// Connections closed since a message was too long.
    pub too_big: u64,
}

/// A proxy that listens. Dropping it ends it as well, but does not wait.
pub struct Door {
    addr: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
    traffic: Arc<Mutex<Traffic>>,
}

impl Door {
    /// Opens a proxy.
    ///
    /// # Errors
    /// Where the address can't be had.
    pub async fn open(opening: Opening) -> io::Result<Door> {
        let listener = TcpListener::bind(opening.listen).await?;
        let door = Door {
            addr: listener.local_addr()?,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            traffic: Arc::default(),
        };
        let (stop, tasks, traffic) = (door.stop.clone(), door.tasks.clone(), Arc::clone(&door.traffic));
        door.tasks.spawn(async move {
            while let Some(Ok((mut client, _))) = stop.run_until_cancelled(listener.accept()).await {
                let (stop, traffic, upstream) = (stop.clone(), Arc::clone(&traffic), opening.upstream.clone());
                tasks.spawn(async move {
                    stop.run_until_cancelled(async move {
                        traffic.lock().unwrap_or_else(PoisonError::into_inner).connections += 1;
                        let Some(to) = upstream else { return };
                        let Ok(mut lane) = TcpStream::connect((to.host.as_str(), to.port)).await else {
                            return;
                        };
                        let moved = tokio::io::copy_bidirectional(&mut client, &mut lane).await;
                        let mut traffic = traffic.lock().unwrap_or_else(PoisonError::into_inner);
                        if let Ok((up, down)) = moved {
                            traffic.upstream.received += up;
                            traffic.upstream.sent += up;
                            traffic.downstream.received += down;
                            traffic.downstream.sent += down;
                        }
                    })
                    .await;
                });
            }
        });
        Ok(door)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Changes the byte toxics, on the connections that are open too.
    pub fn set_toxics(&self, _toxics: Vec<Toxic>) {}

    /// Changes the message toxics, on the connections that are open too.
    pub fn set_faults(&self, _faults: Vec<MessageToxic>) {}

    /// What passed so far.
    pub fn traffic(&self) -> Traffic {
        *self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes it and all its connections, and waits until they are gone.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
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
