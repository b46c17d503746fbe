//! Runs the commands of a page one after another, with servers on free ports, and compares what they print.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use libtest_mimic::Failed;

use crate::support::{Server, cutover, program, write};

/// What stands in for `https://sync.example.com`.
const EXAMPLE_SERVICE: u16 = 4040;

/// A scenario of the reader's own.
const SCENARIO: &str = r#"schema = 1
name = "two-events"
title = "Two events arrive"
proves = ["replay-determinism"]
streams = [{ topic = "run:alpha:events" }]
clients = [{ name = "desk" }]
steps = [{ do = "connect" }, { do = "publish", stream = "run:alpha:events", count = 2 }, { do = "await" }]
at_least = { deliveries = 2 }
"#;

/// A command, and the lines that the page shows for its output, if it does.
#[derive(Debug)]
pub struct Shown {
    pub command: String,
    pub output: Option<Vec<String>>,
}

/// A directory, and the servers that a page started.
pub struct Session {
    /// Servers end before their directory is removed.
    servers: Vec<Server>,
    addresses: BTreeMap<u16, String>,
    dir: tempfile::TempDir,
}

impl Session {
    pub fn new() -> Session {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tmp")).unwrap();
        let binary = env!("CARGO_BIN_EXE_cutover");
        std::os::unix::fs::symlink(binary, dir.path().join("cutover")).unwrap();
        // The programs that a page has in the place of clients.
        std::os::unix::fs::symlink(super::root().join("harness"), dir.path().join("harness")).unwrap();
        // Stands in for a SpacetimeDB of the reader's: it takes the same arguments.
        let standalone = format!("shift; exec {binary} serve candidate --listen \"$2\" --data-dir \"$4\"");
        program(dir.path(), "bin/spacetimedb-standalone", &standalone);
        write(dir.path(), "payload.json", "{\"a\": 1}");
        write(dir.path(), "events.jsonl", "{\"a\": 1}\n{\"a\": 2}\n");
        write(dir.path(), "toxiproxy.json", "[]");
        write(dir.path(), "scenarios-of-ours/two-events.toml", SCENARIO);
        let mut session = Session { servers: Vec::new(), addresses: BTreeMap::new(), dir };
        session.copy_lane_profiles();
        session
    }

    /// The lane profiles, with servers of ours for the ones that they name.
    fn copy_lane_profiles(&mut self) {
        for (example, copy) in [("phoenix", "staging.toml"), ("spacetime", "maincloud.toml")] {
            let name = format!("lanes/{example}.example.toml");
            let profile = std::fs::read_to_string(super::root().join(&name)).unwrap();
            let profile = self.with_real_addresses(&profile);
            for name in [name.as_str(), copy] {
                write(self.dir.path(), name, &profile);
            }
        }
    }

    /// The text with the addresses of real servers in place of the page's.
    fn with_real_addresses(&mut self, text: &str) -> String {
        let mut text = text.replace("/tmp/", &format!("{}/tmp/", self.dir.path().display()));
        for scheme in ["https://", "wss://"] {
            let example = format!("{scheme}sync.example.com");
            if text.contains(&example) {
                let scheme = scheme.replace("s:", ":");
                text = text.replace(&example, &format!("{scheme}{}", self.address(EXAMPLE_SERVICE)));
            }
        }
        text = text.replace("https://maincloud.spacetimedb.com", "http://127.0.0.1:3000");
        for host in ["127.0.0.1:", "localhost:"] {
            let mut rest = text.as_str();
            let mut done = String::new();
            while let Some((before, after)) = rest.split_once(host) {
                let digits = after.chars().take_while(char::is_ascii_digit).count();
                done += before;
                match after[..digits].parse::<u16>() {
                    // An ephemeral port was put there before.
                    Ok(port @ 1..=9999) => done += &self.address(port),
                    _ => done += &format!("{host}{}", &after[..digits]),
                }
                rest = &after[digits..];
            }
            text = done + rest;
        }
        text
    }

    /// Where the server of a port listens; one that the page did not start is started.
    fn address(&mut self, port: u16) -> String {
        if let Some(address) = self.addresses.get(&port) {
            return address.clone();
        }
        let data = self.dir.path().join(format!("data-{port}"));
        let server = match port {
            4000 | EXAMPLE_SERVICE => Some(Server::start("legacy", &data)),
            3000 => Some(Server::start("candidate", &data)),
            8474 => Some(Server::proxy()),
            _ => None,
        };
        let address = match &server {
            Some(server) => server.address.to_string(),
            None => TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string(),
        };
        self.servers.extend(server);
        self.addresses.insert(port, address.clone());
        address
    }

    pub fn run(&mut self, shown: &Shown) -> Result<(), Failed> {
        let command = shown.command.replace("cargo run --release -- ", "cutover ");
        if command.starts_with("cutover serve ") {
            self.serve(&command);
            return Ok(());
        }
        let whole = shown.output.as_ref().is_some_and(|lines| lines.len() > 1);
        let command = if command.starts_with("cutover gate") && !whole { shortened(&command) } else { command };
        let command = self.with_real_addresses(&command);
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("bash")
            .arg("-c")
            .arg(format!("curl() {{ command curl -sS --fail-with-body \"$@\"; }}\n{{ {command}\n}} 2>&1"))
            .env("PATH", format!("{}:{path}", self.dir.path().display()))
            .env("HOME", self.dir.path())
            .env("NO_COLOR", "1")
            .env("SYNC_TOKEN", "any")
            .env_remove("COLUMNS")
            // A page shows what a person does; some commands refuse to write in a CI.
            .env_remove("CI")
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        // A shortened run is never an *allow*.
        let expected_code = if command.contains("--require-allow") { 2 } else { 0 };
        let code = output.status.code();
        if code != Some(expected_code) {
            return Err(format!("{command}\nended with {code:?}, not {expected_code}:\n{printed}").into());
        }
        match shown.output.as_deref() {
            Some(expected) => {
                matches(expected, &printed).map_err(|what| format!("{command}\n{what}\n{printed}").into())
            }
            None => Ok(()),
        }
    }

    /// Starts a server; the page's port is from now on its.
    fn serve(&mut self, command: &str) {
        let command = command.replace("/tmp/", &format!("{}/tmp/", self.dir.path().display()));
        let mut words: Vec<String> = command.split_whitespace().skip(1).map(str::to_owned).collect();
        let listen = words.iter().position(|word| word == "--listen");
        let port = listen.and_then(|at| words.get(at + 1)?.rsplit_once(':')?.1.parse().ok());
        match listen {
            Some(at) => words[at + 1] = "127.0.0.1:0".to_owned(),
            None => words.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]),
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = cutover(&words);
        command.current_dir(self.dir.path());
        let server = Server::of(command);
        self.addresses.insert(port.unwrap_or(8474), server.address.to_string());
        self.servers.push(server);
    }
}

/// The gate with one scenario, where the page has all of them.
fn shortened(command: &str) -> String {
    let mut command = command.replace("--repeat 200", "--repeat 2");
    if !command.contains("--scenario ") {
        command += " --scenario equal-streams";
    }
    command
}

/// Whether a command printed what the page shows.
fn matches(expected: &[String], printed: &str) -> Result<(), String> {
    let printed: Vec<String> = printed.lines().map(normal).collect();
    let mut at = 0;
    let mut any = false;
    for line in expected.iter().filter(|line| !line.trim().is_empty()) {
        if line.trim() == "…" {
            any = true;
            continue;
        }
        let pattern = normal(line);
        let found = printed[at..].iter().position(|line| fits(&pattern, line));
        match found {
            Some(skipped) if any || printed[at..at + skipped].iter().all(String::is_empty) => at += skipped + 1,
            _ => return Err(format!("does not print this line of the page, where it stands: {line}")),
        }
        any = false;
    }
    Ok(())
}

/// A line with every number the same, and single spaces.
fn normal(line: &str) -> String {
    let mut out = String::new();
    for character in line.trim().chars() {
        let character = if character.is_ascii_digit() { '0' } else { character };
        let repeated = matches!(character, '0' | ' ') && out.ends_with(character);
        if !repeated {
            out.push(character);
        }
    }
    out.replace("0.0", "0")
}

/// Whether a line has the pieces between the `…` of a pattern, in order.
fn fits(pattern: &str, line: &str) -> bool {
    let pieces: Vec<&str> = pattern.split('…').collect();
    let [first, middle @ .., last] = pieces.as_slice() else {
        return pattern == line;
    };
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    for piece in middle {
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}
