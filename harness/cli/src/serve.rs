//! `cutover serve`: runs one of the built-in servers, or the fault proxy, in the foreground until it is asked to stop.

use std::io::Write;
#[cfg(feature = "engine")]
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use cutover_live::proxy::Limits;
#[cfg(feature = "engine")]
use cutover_live::{
    bounds::ADMIN,
    lane::{Endpoint, profile::Secret, socket::Bounds, spacetime::SpacetimeLane, spacetime::admin},
    stage::MODULE_WASM,
};
use cutover_reference::{Config, Defects, ServeError, Server};
use cutover_toxiproxy::{Service, ServiceError, Settings};

use crate::args::{ServeArgs, ServeCandidateArgs, ServeLegacyArgs, ServeProxyArgs, Served};
use crate::exit::{Exit, Failure};
use crate::signals::StopSignals;
use crate::tied::die_with_parent;

/// Runs the command.
pub fn run(args: &ServeArgs) -> Result<Exit, Failure> {
    let parent = match &args.what {
        Served::Legacy(legacy) => legacy.lane.die_with_parent,
        Served::Candidate(candidate) => candidate.lane.die_with_parent,
        Served::Proxy(proxy) => proxy.die_with_parent,
    };
    if let Some(parent) = parent {
        die_with_parent(parent)?;
    }
    match &args.what {
        Served::Legacy(args) => legacy(args),
        Served::Candidate(args) => candidate(args),
        Served::Proxy(args) => proxy(args),
    }
}

fn legacy(args: &ServeLegacyArgs) -> Result<Exit, Failure> {
    let mut config = match &args.config {
        Some(path) => Config::from_file(path).map_err(|error| Failure::usage(error.to_string()))?,
        None => Config::default(),
    };
    config.listen = args.lane.listen;
    config.data_dir.clone_from(&args.lane.data_dir);
    if let Some(names) = &args.defects {
        config.defects = Defects::parse(names).map_err(|error| Failure::usage(error.to_string()))?;
    }
    runtime()?.block_on(async {
        let mut signals = stop_signals()?;
        let server = Server::bind(config).map_err(cannot_serve)?;
        listening(server.local_addr())?;
        let stopped = async move {
            signals.next().await;
        };
        server.run(stopped).await.map_err(cannot_serve)
    })?;
    Ok(Exit::Allow)
}

fn proxy(args: &ServeProxyArgs) -> Result<Exit, Failure> {
    let seed = args.seed.unwrap_or_else(crate::gate::fresh_seed);
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let settings = Settings {
        listen: args.listen,
        config: args.config.clone(),
        seed: seed.0,
        limits: Limits {
            message_max_bytes: size(args.message_max_bytes),
            connections_max: size(args.connections_max),
            connect: Duration::from_millis(args.connect_timeout_ms),
            ..Limits::default()
        },
    };
    runtime()?.block_on(async {
        let mut signals = stop_signals()?;
        let service = Service::bind(settings).await.map_err(cannot_proxy)?;
        // In one write: who waits for the first line may read no more.
        say(&format!("listening on {}\nseed {}", service.local_addr(), seed.0))?;
        let stopped = async move {
            signals.next().await;
        };
        service.run(stopped).await;
        Ok(Exit::Allow)
    })
}

fn stop_signals() -> Result<StopSignals, Failure> {
    StopSignals::listen().map_err(|error| Failure::environment(error.to_string()))
}

fn cannot_proxy(error: ServiceError) -> Failure {
    match error {
        ServiceError::Config(error) => {
            Failure::usage(format!("{}{}: {}", error.path, error.place, error.what)).hint(error.mend)
        }
        error => Failure::environment(error.to_string()),
    }
}

fn cannot_serve(error: ServeError) -> Failure {
    Failure::environment(error.to_string())
}

/// Whoever started the server waits for this line.
fn listening(address: std::net::SocketAddr) -> Result<(), Failure> {
    say(&format!("listening on {address}"))
}

fn say(line: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::environment(format!("cannot write to stdout: {error}")))
}

/// The runtime that the command's async part runs on.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new().map_err(|error| Failure::environment(format!("cannot start threads: {error}")))
}

#[cfg(feature = "engine")]
fn candidate(args: &ServeCandidateArgs) -> Result<Exit, Failure> {
    let (listen, data_dir) = (args.lane.listen, &args.lane.data_dir);
    let prepare = async |address| match &args.database {
        Some(name) => publish(address, name, &data_dir.join("owner-token")).await,
        None => Ok(()),
    };
    cutover_engine::run(listen, data_dir, prepare).map_err(|error| Failure::environment(error.to_string()))?;
    Ok(Exit::Allow)
}

/// Publishes the built-in module to a database. Its owner's token is read from a file, which is written the first time.
#[cfg(feature = "engine")]
async fn publish(address: std::net::SocketAddr, database: &str, token_file: &std::path::Path) -> Result<(), String> {
    let endpoint = Endpoint {
        connect: address,
        authority: address.to_string(),
    };
    let bounds = Bounds {
        operation: ADMIN,
        ..Bounds::default()
    };
    let client = |token: Option<&Secret>| {
        SpacetimeLane::http(&endpoint, token, bounds)
            .map_err(|error| format!("the owner's token in {} cannot be used: {error}", token_file.display()))
    };
    let in_file = |error: std::io::Error| format!("the owner's token in {}: {error}", token_file.display());
    let token = match std::fs::read_to_string(token_file) {
        Ok(token) => Secret::new(token.trim()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let identity = admin::create_identity(&mut client(None)?).await;
            let token = identity.map_err(|error| error.to_string())?.token;
            let mut options = std::fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(token_file)
                .map_err(in_file)?;
            file.write_all(token.as_bytes()).map_err(in_file)?;
            Secret::new(token)
        }
        Err(error) => return Err(in_file(error)),
    };
    let published = admin::publish_module(&mut client(Some(&token))?, database, MODULE_WASM.into()).await;
    published.map(drop).map_err(|error| error.to_string())
}

#[cfg(not(feature = "engine"))]
fn candidate(_: &ServeCandidateArgs) -> Result<Exit, Failure> {
    Err(
        Failure::environment("this cutover was built without a SpacetimeDB inside (cargo feature `engine`)").hint(
            "build it with its default features, or bring a server: gate --candidate URL or --candidate-bin PATH",
        ),
    )
}
