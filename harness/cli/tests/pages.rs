//! Runs every command of README, docs and `--help`, in order, and compares what is printed with what the page shows.
//!
//! A block of commands is marked `sh`, or `console` where its commands begin with `$ ` and their output follows. In an output
//! `…` stands for any text, alone on a line for any lines; numbers and the width of columns may differ. Servers are started
//! on free ports, and a port of the page stands for the server that the page started there.
//!
//! Two things differ from the page, for the sake of time: a gate that names no scenario runs one, unless its whole output is shown,
//! and `--repeat` repeats twice. [`NOT_RUN`] lists what is not run here, with the reason.
#![allow(clippy::unwrap_used)]
#![cfg(feature = "engine")]

mod support;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use cutover_core::topic::{Class, stream_id_of, topic_of};
use libtest_mimic::{Arguments, Failed, Trial};
use support::{Server, cutover, program, run, write};

/// Commands that are not run here, by their beginnings, and why.
const NOT_RUN: [(&str, &str); 8] = [
    ("cargo nextest run", "it runs this test"),
    (
        "cargo run --release -- gate --require-allow",
        "CI runs it as its last step",
    ),
    ("cargo install", "it needs the network"),
    ("cargo bench", "it measures the machine"),
    ("cargo build", "CI builds"),
    ("apt-get", "it needs the network"),
    ("python3 -m venv", "it needs the network"),
    ("export", "it names programs of other projects"),
];

/// What a block may be: commands, or the data that it shows.
const LANGUAGES: [&str; 7] = ["sh", "console", "text", "toml", "json", "yaml", "xml"];

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

/// Options of other programs that the pages name.
const FOREIGN_OPTIONS: [&str; 20] = [
    "--release",
    "--locked",
    "--bench",
    "--quick",
    "--rounds",
    "--only",
    "--no-idle",
    "--cores",
    "--no-default-features",
    "--mode",
    "--help",
    "--listen-addr",
    "--data-dir",
    "--jwt-priv-key-path",
    "--jwt-pub-key-path",
    "--root-dir",
    "--non-interactive",
    "--workspace",
    "--all-targets",
    "--version",
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    let mut trials: Vec<Trial> = pages()
        .into_iter()
        .map(|path| {
            let page = std::fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let needs_curl = page.contains("curl ");
            let ignored = needs_curl && !has_curl && std::env::var_os("CI").is_none();
            Trial::test(format!("the commands of {name} do what the page says"), move || {
                run_page(&blocks(&page)?)
            })
            .with_ignored_flag(ignored)
        })
        .collect();
    for words in [vec!["gate"], vec!["serve"], vec!["serve", "proxy"], vec!["hash"]] {
        let name = format!("the examples of {} --help run", words.join(" "));
        let ignored = words.contains(&"proxy") && !has_curl && std::env::var_os("CI").is_none();
        trials.push(Trial::test(name, move || run_page(&examples(&words))).with_ignored_flag(ignored));
    }
    trials.push(Trial::test(
        "every option that a page names is there",
        every_option_is_there,
    ));
    trials.push(Trial::test(
        "what is not run stands in a page",
        what_is_not_run_stands_in_a_page,
    ));
    trials.push(Trial::test(
        "the contract's page has every form of topic",
        the_topics_are_there,
    ));
    trials.push(Trial::test(
        "the contract's page has every table and column",
        the_tables_are_there,
    ));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// README and every page of docs.
fn pages() -> Vec<PathBuf> {
    let root = root();
    let mut pages = vec![root.join("README.md")];
    let docs = std::fs::read_dir(root.join("docs")).unwrap();
    pages.extend(docs.map(|entry| entry.unwrap().path()));
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A command, and the lines that the page shows for its output, if it does.
#[derive(Debug)]
struct Shown {
    command: String,
    output: Option<Vec<String>>,
}

/// The commands of a page's blocks, in order.
fn blocks(page: &str) -> Result<Vec<Shown>, Failed> {
    let mut shown = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let Some(language) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        if !LANGUAGES.contains(&language) {
            return Err(format!("line {}: mark the block as one of {LANGUAGES:?}", number + 1).into());
        }
        let block = lines.by_ref().map(|(_, line)| line.get(indent..).unwrap_or_default());
        let block: Vec<&str> = block.take_while(|line| !line.starts_with("```")).collect();
        match language {
            "sh" => shown.extend(commands(&block)),
            "console" => shown.extend(session(&block)),
            _ => {}
        }
    }
    Ok(shown)
}

/// The commands of a block that has nothing else.
fn commands(block: &[&str]) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut open = false;
    for line in block.iter().filter(|line| !line.is_empty()) {
        match shown.last_mut().filter(|_| open) {
            Some(last) => last.command += &format!("\n{line}"),
            None => shown.push(Shown {
                command: (*line).to_owned(),
                output: None,
            }),
        }
        open = shown.last().is_some_and(|last| goes_on(&last.command));
    }
    shown
}

/// Whether a command goes on in the next line.
fn goes_on(command: &str) -> bool {
    command.ends_with('\\') || command.matches('\'').count() % 2 == 1
}

/// The commands of a block that shows their output, too.
fn session(block: &[&str]) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    for line in block {
        match (line.strip_prefix("$ "), shown.last_mut()) {
            (Some(command), _) => shown.push(Shown {
                command: command.to_owned(),
                output: Some(Vec::new()),
            }),
            (None, Some(last)) if goes_on(&last.command) => last.command += &format!("\n{line}"),
            (None, Some(last)) => last.output.as_mut().unwrap().push((*line).to_owned()),
            (None, None) => {}
        }
    }
    shown
}

/// The commands under `Examples:` of a help text; what explains them is indented further.
fn examples(words: &[&str]) -> Vec<Shown> {
    let help = run(&[words, &["--help"]].concat()).out;
    let examples = help.split_once("Examples:\n").unwrap().1;
    let mut block = Vec::new();
    let mut open = false;
    for line in examples.lines() {
        let example = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
        if let Some(line) = example.or(open.then(|| line.trim())) {
            block.push(line);
            open = goes_on(&commands(&block).last().unwrap().command);
        }
    }
    commands(&block)
}

fn run_page(shown: &[Shown]) -> Result<(), Failed> {
    let mut session = Session::new();
    for shown in shown {
        if NOT_RUN.iter().all(|(start, _)| !shown.command.starts_with(start)) {
            session.run(shown)?;
        }
    }
    Ok(())
}

/// A directory, and the servers that a page started.
struct Session {
    /// Servers end before their directory is removed.
    servers: Vec<Server>,
    addresses: BTreeMap<u16, String>,
    dir: tempfile::TempDir,
}

impl Session {
    fn new() -> Session {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tmp")).unwrap();
        let binary = env!("CARGO_BIN_EXE_cutover");
        std::os::unix::fs::symlink(binary, dir.path().join("cutover")).unwrap();
        // Stands in for a SpacetimeDB of the reader's: it takes the same arguments.
        let standalone = format!("shift; exec {binary} serve candidate --listen \"$2\" --data-dir \"$4\"");
        program(dir.path(), "bin/spacetimedb-standalone", &standalone);
        write(dir.path(), "payload.json", "{\"a\": 1}");
        write(dir.path(), "events.jsonl", "{\"a\": 1}\n{\"a\": 2}\n");
        write(dir.path(), "toxiproxy.json", "[]");
        write(dir.path(), "scenarios-of-ours/two-events.toml", SCENARIO);
        let mut session = Session {
            servers: Vec::new(),
            addresses: BTreeMap::new(),
            dir,
        };
        session.copy_lane_profiles();
        session
    }

    /// The lane profiles, with servers of ours for the ones that they name.
    fn copy_lane_profiles(&mut self) {
        for (example, copy) in [("phoenix", "staging.toml"), ("spacetime", "maincloud.toml")] {
            let name = format!("lanes/{example}.example.toml");
            let profile = std::fs::read_to_string(root().join(&name)).unwrap();
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
            None => TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .to_string(),
        };
        self.servers.extend(server);
        self.addresses.insert(port, address.clone());
        address
    }

    fn run(&mut self, shown: &Shown) -> Result<(), Failed> {
        let command = shown.command.replace("cargo run --release -- ", "cutover ");
        if command.starts_with("cutover serve ") {
            self.serve(&command);
            return Ok(());
        }
        let whole = shown.output.as_ref().is_some_and(|lines| lines.len() > 1);
        let command = if command.starts_with("cutover gate") && !whole {
            shortened(&command)
        } else {
            command
        };
        let command = self.with_real_addresses(&command);
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("bash")
            .arg("-c")
            .arg(format!(
                "curl() {{ command curl -sS --fail-with-body \"$@\"; }}\n{{ {command}\n}} 2>&1"
            ))
            .env("PATH", format!("{}:{path}", self.dir.path().display()))
            .env("HOME", self.dir.path())
            .env("NO_COLOR", "1")
            .env("SYNC_TOKEN", "any")
            .env_remove("COLUMNS")
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

fn every_option_is_there() -> Result<(), Failed> {
    let mut known = String::new();
    for command in [
        vec![],
        vec!["gate"],
        vec!["serve", "legacy"],
        vec!["serve", "candidate"],
        vec!["serve", "proxy"],
        vec!["recheck"],
        vec!["hash"],
        vec!["diff"],
        vec!["list"],
        vec!["plan"],
    ] {
        known += &run(&[command.as_slice(), &["--help"]].concat()).out;
    }
    for path in pages() {
        let page = std::fs::read_to_string(&path)?;
        for word in page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
            let option = word.starts_with("--") && word.len() > 3 && !word.starts_with("---");
            if option && !FOREIGN_OPTIONS.contains(&word) && !known.contains(word) {
                return Err(format!("{} names {word}, which no command has", path.display()).into());
            }
        }
    }
    Ok(())
}

fn what_is_not_run_stands_in_a_page() -> Result<(), Failed> {
    let mut all = Vec::new();
    for path in pages() {
        all.extend(blocks(&std::fs::read_to_string(&path)?)?);
    }
    for (start, _) in NOT_RUN {
        if !all.iter().any(|shown| shown.command.starts_with(start)) {
            return Err(format!("no page has a command that begins with `{start}`").into());
        }
    }
    Ok(())
}

/// The rows of the contract's page, cell by cell, without backticks.
fn rows_of_the_contract() -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(root().join("docs/CONTRACT.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        row.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().replace('`', ""))
            .collect()
    })
    .collect()
}

fn the_topics_are_there() -> Result<(), Failed> {
    let rows = rows_of_the_contract();
    let topics = rows.iter().filter(|row| row[1].starts_with("runtime."));
    let topics: Vec<_> = topics.collect();
    for row in &topics {
        let [topic, stream, class] = row.as_slice() else {
            return Err(format!("not three cells: {row:?}").into());
        };
        let found = (stream_id_of(topic), Class::of(topic).as_str());
        if found != (stream.clone(), class) || topic_of(stream).as_ref() != Some(topic) {
            return Err(format!("{topic} is {found:?}").into());
        }
    }
    match topics.len() {
        7 => Ok(()),
        found => Err(format!("{found} forms of topic, not 7").into()),
    }
}

fn the_tables_are_there() -> Result<(), Failed> {
    let source = std::fs::read_to_string(root().join("spacetime/module/src/db/tables.rs"))?;
    for table in source.split("#[table(name = ").skip(1) {
        let name = table.split([',', ')']).next().unwrap();
        let fields = table.split("pub struct").nth(1).unwrap().split("\n}").next().unwrap();
        let columns = fields
            .lines()
            .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'));
        let columns: Vec<&str> = columns.map(|(column, _)| column).collect();
        let rows = rows_of_the_contract();
        let row = rows
            .iter()
            .find(|row| row[0] == name)
            .ok_or(format!("no table {name}"))?;
        if row[2] != columns.join(", ") {
            return Err(format!("{name} has the columns {columns:?}").into());
        }
    }
    Ok(())
}
