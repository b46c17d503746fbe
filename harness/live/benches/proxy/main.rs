//! What our proxy costs, beside others, as ratios that are taken in one run: `cargo bench -p cutover-live --bench
//! proxy`.
//!
//! A client and a lane of the benchmark's own, which do as little as they can, talk through each proxy in turn; each
//! proxy is a process of its own. `docs/PERFORMANCE.md` says what is measured and where the others come from.
//!
//! Arguments: `--quick` (a minute's look), `--rounds N`, `--only NAME` (ways whose name holds this; again for more),
//! `--no-idle`, `--cores one|two|any` (who shares a core). A goal that is not met is said and fails nothing.
#![allow(missing_docs)]

mod client;
mod lane;
mod ours;
mod payload;
mod peers;
mod report;
mod rounds;
mod system;
mod ws;

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Duration;

use peers::{Ground, Missing, Peer, Way};
use rounds::{Effort, Idle, Taken};
use system::Seats;

/// Idle connections through mitmproxy, which takes long over each.
const IDLE_MITMPROXY: usize = 200;

/// File descriptors that are left for everything but idle connections.
const FILES_SPARE: u64 = 200;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == "tied" => Err(become_tied(rest)),
        Some((first, rest)) if first == "proxy-child" => ours::run(rest),
        _ => Options::parse(&arguments).and_then(|options| bench(&options).map_err(|error| error.to_string())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Becomes another program, with the request to be killed with the benchmark still in force.
fn become_tied(line: &[String]) -> String {
    let Some(([core, program], arguments)) = line.split_first_chunk() else {
        return "there is no program to run".to_owned();
    };
    system::die_with_parent();
    system::sit(core.parse().ok());
    format!("{program}: {}", Command::new(program).args(arguments).exec())
}

struct Options {
    effort: Effort,
    only: Vec<String>,
    seats: Seats,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options, String> {
        let mut effort = Effort { rounds: 11, turn: Duration::from_millis(400), idle: 2000 };
        let mut only = Vec::new();
        let mut cores = "one".to_owned();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                // Cargo's own.
                "--bench" => {}
                "--quick" => effort = Effort { rounds: 3, turn: Duration::from_millis(150), idle: 200 },
                "--rounds" => effort.rounds = value()?.parse().map_err(|error| format!("--rounds: {error}"))?,
                "--only" => only.push(value()?.clone()),
                "--cores" => cores.clone_from(value()?),
                "--no-idle" => effort.idle = 0,
                other => return Err(format!("{other} is no option of this benchmark")),
            }
        }
        Ok(Options { effort, only, seats: Seats::parse(&cores)? })
    }

    fn wants(&self, way: Way) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| way.name().contains(part.as_str()))
    }
}

fn bench(options: &Options) -> io::Result<()> {
    let files = system::raise_file_limit();
    let ground = Ground { lane: lane::start(options.seats.ends)?, core: options.seats.proxies };
    let mut missing = Vec::new();
    let mut peers: Vec<Peer> = Vec::new();
    for way in Way::ALL.into_iter().filter(|way| options.wants(*way)) {
        match peers::start(way, ground) {
            Ok(peer) => peers.push(peer),
            Err(Missing(how)) => missing.push((way, how)),
        }
    }
    // Not before: building a peer may have all cores.
    system::sit(options.seats.ends);
    let mut taken = rounds::take(&peers, options.effort);
    drop(peers);
    // Both ends are here, so that a connection takes two descriptors; and so it does in a proxy.
    let most = usize::try_from(files.saturating_sub(FILES_SPARE) / 2).unwrap_or(usize::MAX);
    let idle = idle(&mut taken, ground, options.effort.idle.min(most));
    report::Report { taken: &taken, idle: &idle, missing: &missing }.print();
    Ok(())
}

/// Each proxy is started anew, so that what it held for the messages before is not taken for its connections' memory.
fn idle(taken: &mut [Taken], ground: Ground, connections: usize) -> Vec<Idle> {
    let mut seen = Vec::new();
    for taken in taken.iter_mut().filter(|taken| connections > 0 && taken.way != Way::Direct) {
        let way = taken.way;
        let connections = if way == Way::Mitmproxy { connections.min(IDLE_MITMPROXY) } else { connections };
        eprintln!("{connections} idle connections through {}", way.name());
        let peer = peers::start(way, ground).map_err(|Missing(how)| io::Error::other(how));
        match peer.and_then(|peer| rounds::idle(&peer, connections)) {
            Ok(idle) => seen.push(idle),
            Err(error) => taken.failed.push(format!("{}, idle connections: {error}", way.name())),
        }
    }
    seen
}
