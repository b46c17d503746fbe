//! Starts the server, reports that it is up, and stops it.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use spacetimedb::config::CertificateAuthority;
use spacetimedb::db::{Config, Storage};
use spacetimedb::startup::Cores;
use spacetimedb_client_api::routes::database::DatabaseRoutes;
use spacetimedb_client_api::routes::{health, router};
use spacetimedb_paths::FromPathUnchecked;
use spacetimedb_paths::cli::{PrivKeyPath, PubKeyPath};
use spacetimedb_paths::server::{PidFileError, ServerDataDir};
use spacetimedb_standalone::StandaloneEnv;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::EngineError;
use crate::logs::log_to_file;

/// How much memory the server keeps for row pages that it no longer uses. SpacetimeDB's own default is 8 GiB.
const PAGE_POOL_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Threads for requests. Each database runs its reducers on a thread of its own besides.
const WORKER_THREADS: usize = 2;

/// How long a stopping server keeps writing. It syncs its log every 500 ms, and not on request.
const DRAIN: Duration = Duration::from_millis(550);

/// The exit code after a panic.
const EXIT_PANICKED: i32 = 70;

/// Runs a SpacetimeDB server until SIGTERM or SIGINT. All that it writes, keys and logs included, is in `data_dir`,
/// which is created where it is missing.
///
/// The address is bound before anything is written; port 0 takes a free one. Once the server answers, `prepare` is
/// called, which may send requests to it. Then one line goes to standard output: `listening on 127.0.0.1:PORT`. Call it
/// once in a process: a panic on any thread ends the process with exit code 70, since a server that lost a thread must
/// not go on.
///
/// # Errors
/// Where the address is taken, the data directory is unusable or in use, SpacetimeDB does not start, or `prepare`
/// fails.
pub fn run<F>(listen: SocketAddr, data_dir: &Path, prepare: F) -> Result<(), EngineError>
where
    F: AsyncFnOnce(SocketAddr) -> Result<(), String>,
{
    let (listener, address) = bind(listen)?;
    // Absolute, because SpacetimeDB leaves out its cache of compiled modules where the path is not.
    let data_dir = std::path::absolute(data_dir).map_err(|source| data_dir_error(data_dir, source))?;
    std::fs::create_dir_all(&data_dir).map_err(|source| data_dir_error(&data_dir, source))?;
    log_to_file(&data_dir)?;
    exit_on_panic();
    let runtime = build_runtime()?;
    runtime.block_on(serve(listener, address, &data_dir, prepare))?;
    // Does not wait for open connections.
    runtime.shutdown_background();
    Ok(())
}

fn data_dir_error(path: &Path, source: io::Error) -> EngineError {
    EngineError::DataDir { path: path.to_owned(), source }
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), EngineError> {
    let listen_error = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => EngineError::AddressTaken { address },
        _ => EngineError::Listen { address, source },
    };
    let listener = TcpListener::bind(address).map_err(listen_error)?;
    listener.set_nonblocking(true).map_err(listen_error)?;
    // Connections inherit it: an update is one small write that must not wait for the next one.
    socket2::SockRef::from(&listener).set_nodelay(true).map_err(listen_error)?;
    let bound = listener.local_addr().map_err(listen_error)?;
    Ok((listener, bound))
}

fn exit_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::exit(EXIT_PANICKED);
    }));
}

fn build_runtime() -> Result<Runtime, EngineError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .enable_all()
        .build()
        .map_err(|source| EngineError::Process { what: "the server's threads", source })?;
    // No core is pinned: several servers run at once, and each would pin the same ones.
    Cores::default().rayon.configure(runtime.handle());
    Ok(runtime)
}

async fn serve<F>(listener: TcpListener, address: SocketAddr, data_dir: &Path, prepare: F) -> Result<(), EngineError>
where
    F: AsyncFnOnce(SocketAddr) -> Result<(), String>,
{
    let stop_error = |source| EngineError::Process { what: "the handling of signals", source };
    // Before the server reports that it is up, so that no later signal is missed.
    let mut terminate = signal(SignalKind::terminate()).map_err(stop_error)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(stop_error)?;
    let service = service(data_dir).await?;
    let serve_error = |source| EngineError::Serve { address, source };
    let listener = tokio::net::TcpListener::from_std(listener).map_err(serve_error)?;
    let mut server = std::pin::pin!(async { axum::serve(listener, service).await });
    tokio::select! {
        served = &mut server => return served.map_err(serve_error),
        prepared = prepare(address) => prepared.map_err(|reason| EngineError::Prepare { reason })?,
        () = either(&mut terminate, &mut interrupt) => return Ok(()),
    }
    announce(address)?;
    tokio::select! {
        served = server => served.map_err(serve_error),
        () = either(&mut terminate, &mut interrupt) => {
            tokio::time::sleep(DRAIN).await;
            Ok(())
        }
    }
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

/// Opens the data directory and builds the routes that SpacetimeDB's own `start` serves.
async fn service(data_dir: &Path) -> Result<axum::Router, EngineError> {
    let config = Config { storage: Storage::Disk, page_pool_max_size: Some(PAGE_POOL_MAX_BYTES) };
    let keys = CertificateAuthority {
        jwt_priv_key_path: PrivKeyPath::from_path_unchecked(data_dir.join("keys/id_ecdsa")),
        jwt_pub_key_path: PubKeyPath::from_path_unchecked(data_dir.join("keys/id_ecdsa.pub")),
    };
    let server_dir = Arc::new(ServerDataDir::from_path_unchecked(data_dir));
    let env = StandaloneEnv::init(config, &keys, server_dir, Cores::default().databases).await;
    let env = env.map_err(|error| match error.downcast_ref::<PidFileError>() {
        Some(PidFileError::Exists { pid }) => EngineError::DataDirLocked { path: data_dir.to_owned(), pid: *pid },
        _ => EngineError::Start { path: data_dir.to_owned(), reason: format!("{error:#}") },
    })?;
    let mut routes = DatabaseRoutes::default();
    // A module may be larger than the default limit of two megabytes.
    routes.root_post = routes.root_post.layer(DefaultBodyLimit::disable());
    routes.db_put = routes.db_put.layer(DefaultBodyLimit::disable());
    let health = axum::Router::new().nest("/health", health::router());
    Ok(router(&env, routes, health).with_state(env))
}

/// Prints the address to standard output.
fn announce(address: SocketAddr) -> Result<(), EngineError> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {address}")
        .and_then(|()| out.flush())
        .map_err(|source| EngineError::Process { what: "standard output", source })
}
