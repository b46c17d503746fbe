//! `cutover serve`: runs one of the built-in servers, or the fault proxy, in the foreground until it is asked to stop.

use std::io::{self, Write};
use std::time::Duration;

use cutover_bridge::{Bridge, BridgeError, Settings as BridgeSettings, parse_defects};
use cutover_core::ids::Seed;
use cutover_core::text::Secret;
use cutover_live::plain_file;
use cutover_live::proxy::Limits;
use cutover_reference::{Config, Defects, ServeError, Server};
use cutover_toxiproxy::{COMPATIBLE_WITH, Service, ServiceError, Settings};

use crate::args::{ServeArgs, ServeBridgeArgs, ServeCandidateArgs, ServeLegacyArgs, ServeProxyArgs, Served};
use crate::exit::{Exit, Failure};
use crate::signals::{StopSignals, runtime};
use crate::surroundings;
use crate::tied::die_with_parent;

/// The largest configuration of the reference server that is read, in bytes.
const MAX_CONFIG_BYTES: u64 = 4 << 20;
/// The largest file of a secret that is read, in bytes.
const MAX_SECRET_BYTES: u64 = 64 << 10;

pub fn run(args: &ServeArgs) -> Result<Exit, Failure> {
    let parent = match &args.what {
        Served::Legacy(legacy) => legacy.lane.die_with_parent,
        Served::Candidate(candidate) => candidate.lane.die_with_parent,
        Served::Bridge(bridge) => bridge.lane.die_with_parent,
        Served::Proxy(proxy) => proxy.die_with_parent,
    };
    if let Some(parent) = parent {
        die_with_parent(parent)?;
    }
    match &args.what {
        Served::Legacy(args) => legacy(args),
        Served::Candidate(args) => candidate(args),
        Served::Bridge(args) => bridge(args),
        Served::Proxy(args) => proxy(args),
    }
}

fn legacy(args: &ServeLegacyArgs) -> Result<Exit, Failure> {
    let mut config = match &args.config {
        Some(path) => {
            let text = plain_file::read_text(path, MAX_CONFIG_BYTES);
            let text = text.map_err(|error| Failure::unreadable(path, &error))?;
            Config::from_text(path, &text).map_err(|error| Failure::usage(error.to_string()))?
        }
        None => Config::default(),
    };
    config.listen = args.lane.listen;
    config.data_dir.clone_from(&args.lane.data_dir);
    if let Some(names) = &args.defects {
        config.defects = Defects::parse(names).map_err(|error| Failure::usage(error.to_string()))?;
    }
    runtime()?.block_on(async {
        let mut signals = StopSignals::listen()?;
        let server = Server::bind(config).map_err(cannot_serve)?;
        // The program that started the server waits for this line.
        say(&format!("listening on {}", server.local_addr()))?;
        let stopped = async move {
            signals.next().await;
        };
        server.run(stopped).await.map_err(cannot_serve)
    })?;
    Ok(Exit::Allow)
}

fn bridge(args: &ServeBridgeArgs) -> Result<Exit, Failure> {
    let secret = |path| {
        let text = plain_file::read_text(path, MAX_SECRET_BYTES);
        text.map(|text| Secret::new(text.trim())).map_err(|error| Failure::unreadable(path, &error))
    };
    let settings = BridgeSettings {
        listen: args.lane.listen,
        data_dir: args.lane.data_dir.clone(),
        candidate: args.candidate.clone(),
        host: args.host.clone(),
        database: args.database.clone(),
        token: secret(&args.token_file)?,
        relay: args.relay.clone(),
        secret_key: secret(&args.key_file)?,
        answer_within: Duration::from_millis(args.answer_within_ms),
        backoff: (Duration::from_millis(args.backoff_ms), Duration::from_millis(args.backoff_cap_ms)),
        attempts: args.attempts,
        defects: parse_defects(&args.defects).map_err(|error| Failure::usage(error.to_string()))?,
    };
    runtime()?.block_on(async {
        let mut signals = StopSignals::listen()?;
        let bridge = Bridge::bind(settings).await.map_err(|error| match error {
            BridgeError::Signer(error) => Failure::usage(format!("{}: {error}", args.key_file.display())),
            error => Failure::environment(error.to_string()),
        })?;
        say(&format!("listening on {}", bridge.local_addr()))?;
        let stopped = async move {
            signals.next().await;
        };
        bridge.run(stopped).await;
        Ok(Exit::Allow)
    })
}

fn proxy(args: &ServeProxyArgs) -> Result<Exit, Failure> {
    if args.print_version {
        say(&format!("toxiproxy-server version {COMPATIBLE_WITH}"))?;
        return Ok(Exit::Allow);
    }
    surroundings::raise_file_limit();
    let seed = args.seed.unwrap_or_else(|| Seed(surroundings::random()));
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let settings = Settings {
        listen: listen(args),
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
        let mut signals = StopSignals::listen()?;
        let service = Service::bind(settings).await.map_err(cannot_proxy)?;
        // In one write: the program that waits for the first line may read no further.
        say(&format!("listening on {}\nseed {}", service.local_addr(), seed.0))?;
        let stopped = async move {
            signals.next().await;
        };
        service.run(stopped).await;
        Ok(Exit::Allow)
    })
}

fn listen(args: &ServeProxyArgs) -> String {
    if args.host.is_none() && args.port.is_none() {
        return args.listen.clone();
    }
    let host = args.host.as_deref().unwrap_or("localhost");
    let port = args.port.as_deref().unwrap_or("8474");
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn cannot_proxy(error: ServiceError) -> Failure {
    match error {
        ServiceError::Config(error) => {
            Failure::usage(format!("{}{}: {}", error.path, error.place, error.what)).hint(error.mend)
        }
        ServiceError::Address(_) => {
            Failure::usage(error.to_string()).hint("write HOST:PORT, :PORT or PORT, such as 127.0.0.1:8474")
        }
        error => Failure::environment(error.to_string()),
    }
}

fn cannot_serve(error: ServeError) -> Failure {
    Failure::environment(error.to_string())
}

/// Prints what the program that started the server waits for. Without it, nobody can use the server.
fn say(line: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(|error| Failure::unprintable(&error))
}

#[cfg(feature = "engine")]
fn candidate(args: &ServeCandidateArgs) -> Result<Exit, Failure> {
    let (listen, data_dir) = (args.lane.listen, &args.lane.data_dir);
    // SpacetimeDB writes the key that signs tokens there, and we the owner's token.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    let prepare = async |address| match &args.database {
        Some(name) => {
            let token = data_dir.join("owner-token");
            crate::publish::publish(address, name, &token).await?;
            crate::publish::how_to_use(address, name, &token);
            Ok(())
        }
        None => Ok(()),
    };
    cutover_engine::run(listen, data_dir, prepare).map_err(|error| Failure::environment(error.to_string()))?;
    Ok(Exit::Allow)
}

#[cfg(not(feature = "engine"))]
fn candidate(_: &ServeCandidateArgs) -> Result<Exit, Failure> {
    Err(Failure::environment("this cutover was built without a SpacetimeDB inside (cargo feature `engine`)")
        .hint("build it with its default features, or bring a server: gate --candidate URL or --candidate-bin PATH"))
}
