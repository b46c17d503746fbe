//! The server: binds, serves, and stops in order.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write as _},
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use cutover_core::text::{scrubbed, visible};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::Config,
    http,
    store::{Store, StoreError},
};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// What stopping may take beyond the time that closing sockets have.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// A server could not start, or ended by a failure.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ServeError {
    #[error("cannot listen on {addr}: the port is in use; choose another one, or port 0 for any free one")]
    PortInUse { addr: SocketAddr },
    #[error("cannot listen on {addr}: {source}")]
    Listen { addr: SocketAddr, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the server failed: {0}")]
    Accept(io::Error),
}

pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Store,
    /// How many joins there were, for subscription ids.
    pub(crate) joins: AtomicU64,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: TaskTracker,
    sockets: AtomicUsize,
    counters: Mutex<BTreeMap<(String, String), u64>>,
}

impl Shared {
    pub(crate) fn count(&self, name: &str, kind: &str) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        *counters.entry((name.to_owned(), kind.to_owned())).or_default() += 1;
    }

    /// Logs and counts a refusal. A client never sees the code.
    pub(crate) fn deny(&self, code: &str) {
        self.count("denied", code);
        self.log(&format!("refused: {code}"));
    }

    pub(crate) fn log(&self, line: &str) {
        if !self.config.quiet {
            // A log that can't be written does not stop the server.
            let _ = writeln!(std::io::stderr(), "legacy: {}", visible(&scrubbed(line)));
        }
    }

    pub(crate) fn metrics_text(&self) -> String {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for ((name, kind), count) in counters.iter() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "legacy_{name}_total{{code=\"{kind}\"}} {count}");
        }
        let _ = writeln!(text, "legacy_sockets {}", self.sockets.load(Ordering::Relaxed));
        text
    }

    /// Counts a socket in, unless there are as many as the limits allow.
    pub(crate) fn open_socket(&self) -> bool {
        let has_place = self.sockets.fetch_add(1, Ordering::Relaxed) < self.config.limits.max_sockets;
        if !has_place {
            self.close_socket();
        }
        has_place
    }

    pub(crate) fn close_socket(&self) {
        self.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A server that listens, and serves once it is [run](Server::run).
pub struct Server {
    shared: Arc<Shared>,
    listener: TcpListener,
    local_addr: SocketAddr,
}

impl Server {
    /// Locks the data directory, reads the journal, and listens.
    ///
    /// # Errors
    /// The port is in use or unavailable, another server uses the directory, or the journal is damaged.
    pub fn bind(config: Config) -> Result<Self, ServeError> {
        let listener = listen(&config)?;
        let local_addr = listener.local_addr().map_err(|source| ServeError::Listen { addr: config.listen, source })?;
        let config = Arc::new(config);
        let shared = Shared {
            store: Store::open(&config)?,
            config,
            joins: AtomicU64::new(0),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            sockets: AtomicUsize::new(0),
            counters: Mutex::default(),
        };
        if shared.store.torn_bytes > 0 {
            shared.log(&format!("cut {} bytes of a torn last record off the journal", shared.store.torn_bytes));
        }
        if shared.config.tokens.keys().next().is_none() {
            shared.log("no token key is configured: any token or none is taken");
        }
        if !shared.config.defects.is_empty() {
            shared.log(&format!("planted defects: {}", shared.config.defects));
        }
        Ok(Self { shared: Arc::new(shared), listener, local_addr })
    }

    /// The address that it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is ready; then closes all sockets with 1012, finishes the requests under way, and closes the
    /// journal.
    ///
    /// # Errors
    /// Accepting connections failed.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let Self { shared, listener, .. } = self;
        let stop = shared.shutdown.clone();
        let serving = axum::serve(listener, http::router(shared.clone()))
            .tcp_nodelay(true)
            .with_graceful_shutdown(stop.clone().cancelled_owned())
            .into_future();
        let mut serving = tokio::spawn(serving);
        let ended = tokio::select! {
            () = shutdown => None,
            ended = &mut serving => Some(ended),
        };
        stop.cancel();
        shared.tasks.close();
        let patience = shared.config.timeouts.close_linger() + STOP_GRACE;
        // A task that does not end in time is cut off by the end of the process; acknowledged events are on the disk.
        let _ = tokio::time::timeout(patience, shared.tasks.wait()).await;
        let ended = match ended {
            Some(ended) => ended,
            None => match tokio::time::timeout(STOP_GRACE, &mut serving).await {
                Ok(ended) => ended,
                Err(_) => {
                    serving.abort();
                    Ok(Ok(()))
                }
            },
        };
        shared.store.close().await;
        match ended {
            Ok(served) => served.map_err(ServeError::Accept),
            Err(failed) => Err(ServeError::Accept(io::Error::other(failed))),
        }
    }
}

fn listen(config: &Config) -> Result<TcpListener, ServeError> {
    let addr = config.listen;
    let open = || {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restarted server can bind its port at once. Accepted sockets inherit the size of the buffer.
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(config.limits.send_buffer_bytes)?;
        socket.bind(addr)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::PortInUse { addr },
        _ => ServeError::Listen { addr, source },
    })
}
