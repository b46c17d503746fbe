//! `cutover serve`: runs one of the built-in servers in the foreground until it is asked to stop.

use std::io::Write;

use cutover_reference::{Config, Defects, ServeError, Server};

use crate::args::{LaneArg, ServeArgs};
use crate::exit::{Exit, Failure};
use crate::signals::StopSignals;
use crate::tied::die_with_parent;

/// Runs the command.
pub fn run(args: &ServeArgs) -> Result<Exit, Failure> {
    if let Some(parent) = args.die_with_parent {
        die_with_parent(parent)?;
    }
    match args.lane {
        LaneArg::Legacy => legacy(args),
        LaneArg::Candidate => candidate(args),
    }
}

fn legacy(args: &ServeArgs) -> Result<Exit, Failure> {
    let mut config = match &args.config {
        Some(path) => Config::from_file(path).map_err(|error| Failure::usage(error.to_string()))?,
        None => Config::default(),
    };
    config.listen = args.listen;
    config.data_dir.clone_from(&args.data_dir);
    if let Some(names) = &args.defects {
        config.defects = Defects::parse(names).map_err(|error| Failure::usage(error.to_string()))?;
    }
    runtime()?.block_on(async {
        let mut signals = StopSignals::listen().map_err(|error| Failure::environment(error.to_string()))?;
        let server = Server::bind(config).map_err(cannot_serve)?;
        listening(server.local_addr())?;
        let stopped = async move {
            signals.next().await;
        };
        server.run(stopped).await.map_err(cannot_serve)
    })?;
    Ok(Exit::Allow)
}

fn cannot_serve(error: ServeError) -> Failure {
    Failure::environment(error.to_string())
}

/// Whoever started the server waits for this line.
fn listening(address: std::net::SocketAddr) -> Result<(), Failure> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on {address}")
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::environment(format!("cannot write to stdout: {error}")))
}

/// The runtime that the command's async part runs on.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new().map_err(|error| Failure::environment(format!("cannot start threads: {error}")))
}

fn only_for_legacy(args: &ServeArgs) -> Result<(), Failure> {
    let given = [
        ("--config", args.config.is_some()),
        ("--defect", args.defects.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Failure::usage(format!("{option} is for `serve legacy` only"))),
        None => Ok(()),
    }
}

#[cfg(feature = "engine")]
fn candidate(args: &ServeArgs) -> Result<Exit, Failure> {
    only_for_legacy(args)?;
    cutover_engine::run(args.listen, &args.data_dir).map_err(|error| Failure::environment(error.to_string()))?;
    Ok(Exit::Allow)
}

#[cfg(not(feature = "engine"))]
fn candidate(args: &ServeArgs) -> Result<Exit, Failure> {
    only_for_legacy(args)?;
    Err(
        Failure::environment("this cutover was built without a SpacetimeDB inside (cargo feature `engine`)").hint(
            "build it with its default features, or bring a server: gate --candidate URL or --candidate-bin PATH",
        ),
    )
}
