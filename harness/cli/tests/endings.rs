//! How runs and servers end before their time: nothing goes on behind them, and what was recorded stays.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use cutover_core::evidence::{ScenarioOutcome, State};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::*;

/// Takes far longer than any of these tests.
const LONG: &str = r#"schema = 1
name = "long"
title = "Many events reach a client"
proves = ["replay-determinism"]
streams = [{ topic = "run:alpha:events" }]
clients = [{ name = "desk" }]
steps = [
  { do = "connect" },
  { do = "publish", stream = "run:alpha:events", count = 5000, pace = "lockstep" },
  { do = "await" },
]
at_least = { deliveries = 5000 }
"#;

/// A gate that is at it: the legacy lane against itself, which starts soonest.
struct Gate {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    servers: Vec<Pid>,
}

impl Gate {
    /// Starts it, and waits until both of its servers serve.
    fn start(dir: &Path) -> Gate {
        let scenario = write(dir, "scenarios/long.toml", LONG);
        let (scenarios, out) = (text(scenario.parent().unwrap()), text(&dir.join("out")));
        let args = ["gate", "--aa", "legacy", "--seed", "7", "--scenarios", &scenarios, "--out", &out];
        let mut command = cutover(&args);
        // What a gate leaves that is killed goes with the test's own directory.
        command.env("TMPDIR", dir).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn();
        let mut child = child.unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut gate = Gate { child, stderr, servers: Vec::new() };
        gate.hear("legacy ", "candidate ");
        gate.servers = children(gate.pid());
        assert_eq!(gate.servers.len(), 2);
        gate
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// Reads what it says until it has said both.
    fn hear(&mut self, one: &str, other: &str) {
        let mut waiting = vec![one, other];
        while !waiting.is_empty() {
            let mut line = String::new();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "it ended before it said {waiting:?}");
            waiting.retain(|word| !line.contains(word));
        }
    }

    fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Its exit code, once it has ended.
    fn ended(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for server in &self.servers {
            let _ = kill(*server, Signal::SIGKILL);
        }
    }
}

/// The process's children, by the system's own word.
fn children(parent: Pid) -> Vec<Pid> {
    let all = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let (_, of) = stat(pid)?;
        (of == parent.as_raw()).then(|| Pid::from_raw(pid))
    });
    all.collect()
}

/// State and parent of a process that is there.
fn stat(pid: i32) -> Option<(char, i32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut words = stat.rsplit_once(") ")?.1.split(' ');
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

/// Waits until a process is gone, or dead and only not yet buried by whoever inherited it.
fn is_gone(pid: Pid) -> bool {
    let until = Instant::now() + Duration::from_secs(5);
    while stat(pid.as_raw()).is_some_and(|(state, _)| state != 'Z') {
        if Instant::now() > until {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

fn interrupted_by(dir: &Path, signal: &str) {
    let evidence = evidence(dir, "out");
    assert_eq!(evidence.state, State::Interrupted { by: signal.to_owned() });
    assert_eq!(rechecked(dir, "out"), 2);
}

#[test]
fn a_signal_ends_the_run_keeps_what_was_recorded_and_leaves_no_server() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let dir = tempfile::tempdir().unwrap();
        let mut gate = Gate::start(dir.path());
        gate.signal(signal);
        assert_eq!(gate.ended(), Some(2));
        assert!(gate.servers.iter().all(|server| stat(server.as_raw()).is_none()));
        interrupted_by(dir.path(), signal.as_str());
        let scenarios = evidence(dir.path(), "out").judged.scenarios;
        assert_eq!((scenarios.len(), scenarios[0].outcome), (1, ScenarioOutcome::Unknown));
        assert!(dir.path().join("out/histories/long.legacy.jsonl").is_file());
    }
}

#[test]
fn a_second_signal_waits_for_no_server_and_leaves_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut gate = Gate::start(dir.path());
    for server in &gate.servers {
        kill(*server, Signal::SIGSTOP).unwrap();
    }
    gate.signal(Signal::SIGINT);
    gate.hear("SIGINT: stopping", "SIGINT: stopping");
    gate.signal(Signal::SIGINT);
    assert_eq!(gate.ended(), Some(2));
    assert!(gate.servers.iter().all(|server| is_gone(*server)));
    interrupted_by(dir.path(), "SIGINT");
}

#[test]
fn whatever_kills_the_gate_kills_its_servers() {
    let dir = tempfile::tempdir().unwrap();
    let mut gate = Gate::start(dir.path());
    gate.signal(Signal::SIGKILL);
    assert_eq!(gate.ended(), None);
    assert!(gate.servers.iter().all(|server| is_gone(*server)));
    assert_eq!(evidence(dir.path(), "out").state, State::InProgress);
    assert_eq!(rechecked(dir.path(), "out"), 2);
}

#[test]
fn what_a_client_that_is_a_program_started_ends_with_a_gate_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("started");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // One process in its group, and one that has left it. Neither reads its input, and both keep its output open.
    let body = format!("(trap '' TERM; sleep 60) & a=$!\nsetsid sleep 60 & echo $a $! > {}\nwait", text(&fifo));
    let client = format!("legacy={}", program(dir.path(), "client", &body));
    let out = text(&dir.path().join("out"));
    let args = ["gate", "--aa", "legacy", "--drawn", "0", "--client", &client, "--out", &out];
    let args = [&args[..], &["--scenario", "resume-after-cut"]].concat();
    let mut gate =
        cutover(&args).env("TMPDIR", dir.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = std::fs::read_to_string(&fifo).unwrap();
    // The clients of both lanes write, a line each.
    let started: Vec<i32> = started.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    gate.kill().unwrap();
    gate.wait().unwrap();
    assert!(started.len() >= 2 && started.len().is_multiple_of(2), "{started:?}");
    for pair in started.chunks(2) {
        let [in_group, outside] = [pair[0], pair[1]].map(Pid::from_raw);
        assert!(is_gone(in_group));
        // A process that has left the group is found by a gate that goes on, and by no one else.
        let _ = kill(outside, Signal::SIGKILL);
    }
}

#[test]
fn a_program_that_knows_nothing_of_us_ends_with_us_too() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("serving");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // It takes no connections, so that the gate goes on waiting for it.
    let body = format!("echo $$ > {}; exec sleep 60", text(&fifo));
    let binary = program(dir.path(), "spacetimedb-standalone", &body);
    let out = text(&dir.path().join("out"));
    let args = ["gate", "--candidate-bin", &binary, "--scenario", "equal-streams", "--out", &out];
    let mut gate =
        cutover(&args).env("TMPDIR", dir.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server: i32 = std::fs::read_to_string(&fifo).unwrap().trim().parse().unwrap();
    gate.kill().unwrap();
    gate.wait().unwrap();
    assert!(is_gone(Pid::from_raw(server)));
}

#[test]
fn a_data_directory_serves_one_server_only() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Server::start("legacy", dir.path());
    let ran = run(&["serve", "legacy", "--data-dir", &text(dir.path())]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    assert!(ran.err.contains("in use by another server"), "{}", ran.err);
}

#[test]
fn a_place_that_takes_no_evidence_is_told_before_anything_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let file = text(&write(dir.path(), "file", ""));
    for out in [file.clone(), format!("{file}/out")] {
        let ran = run(&["gate", "--scenario", "equal-streams", "--out", &out]);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains(&out) && ran.err.contains("give --out a directory"), "{}", ran.err);
    }
}
