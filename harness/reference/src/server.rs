//! The server: binds, serves, and stops in order.

#![allow(missing_docs, reason = "the names say it")]

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::net::{TcpListener, TcpSocket};

use crate::{config::Config, http, shared::Shared, store::StoreError};

const BACKLOG: u32 = 1024;
/// What stopping may take beyond the time that closing sockets have.
const STOP_GRACE: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
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
        let shared = Shared::open(config)?;
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

    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is ready; then closes all sockets with 1012, finishes the requests under way, and closes
    /// the journal.
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
