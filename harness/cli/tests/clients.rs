//! Programs in the place of clients: the Python example of docs/CLIENTS.md is judged to be right, each of its planted
//! mistakes is found by its name, and a program that breaks the protocol ends as `unknown`, with nothing left running.
//!
//! The lane runs against itself: one of its two clients is the program. Where there is no `python3`, these tests are
//! ignored, except in CI (`CI` is set), which has to have one. npm is asked for in the same way.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use cutover_core::evidence::Evidence;
use libtest_mimic::{Arguments, Failed, Trial};
use support::{Ran, cutover, evidence, gate, rechecked, text, write};

/// Each mistake of `wrong.py`, and the reason of the finding `client` by which it must be caught.
const CAUGHT: [(&str, &str); 13] = [
    ("loses", "lost"),
    ("loses-the-last", "lost"),
    ("applies-twice", "applied-twice"),
    ("swaps", "out-of-order"),
    ("changes-payload", "wrong-hash"),
    ("invents", "not-received"),
    ("resumes-from-before", "cursor-behind"),
    ("resumes-from-start", "cursor-behind"),
    ("resumes-ahead", "cursor-ahead"),
    ("stores-before-apply", "stored-before-applied"),
    ("forgets-to-store", "cursor-behind"),
    ("hammers", "no-back-off"),
    ("hammers-evenly", "no-growth"),
];

/// Each way to break the protocol, and what the report must say of it.
const BROKEN: [(&str, &str); 6] = [
    ("garbles", "wrote a line that is none of docs/CLIENTS.md"),
    ("exits", "ended (exit status: 7)"),
    ("hangs", "did not answer a ping"),
    ("floods", "far more than events came"),
    ("floods-a-line", "wrote a line of more than"),
    ("closes-its-output", "closed its standard output"),
];

/// Each known-bad scenario of a client with a defect, by the end of its name, and the reason of its one finding.
const PLANTED: [(&str, &str); 12] = [
    ("applies-twice", "applied-twice"),
    ("changes-payload", "wrong-hash"),
    ("forgets-checkpoint", "cursor-behind"),
    ("hammers", "no-back-off"),
    ("hammers-evenly", "no-growth"),
    ("invents-event", "not-received"),
    ("keeps-stale-cursor", "kept-stale"),
    ("loses-event", "lost"),
    ("resumes-ahead", "cursor-ahead"),
    ("stays-away", "stayed-away"),
    ("stores-before-apply", "stored-before-applied"),
    ("swaps-events", "out-of-order"),
];

/// The driver of the official Rust client 2.x, where it was built.
const RUST_2: &str = "spacetimedb-rust/target/debug";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let is_ci = std::env::var_os("CI").is_some();
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let mut trials = vec![
        Trial::test("the Python example is right after cuts, crashes and stale cursors", right),
        Trial::test("a program drives built-in scenarios in the place of our clients", in_place_of_ours),
        Trial::test("a program that is not there ends the run before it begins", missing),
    ];
    trials.extend(CAUGHT.map(|(defect, reason)| {
        Trial::test(format!("a client that {} is caught", words(defect)), move || caught(defect, reason))
    }));
    trials.extend(BROKEN.map(|(defect, says)| {
        Trial::test(format!("a client that {} is unknown", words(defect)), move || broken(defect, says))
    }));
    let needs = |trial: Trial, is_there: bool| trial.with_ignored_flag(!is_there);
    let has_python = has("python3") || is_ci;
    let mut trials: Vec<Trial> = trials.into_iter().map(|trial| needs(trial, has_python)).collect();
    let npm = Trial::test("the official client of Phoenix is right after cuts, crashes and stale cursors", npm_phoenix);
    trials.push(needs(npm, has("npm") || is_ci));
    let planted = "each client with a planted defect is caught with one finding";
    trials.push(Trial::test(planted, || planted_clients(&PLANTED)));
    if cfg!(feature = "engine") {
        let rust = Trial::test("the official Rust client 1.2.0 is right on the built-in server", rust_1);
        trials.push(needs(rust, is_ci || rust_1_dir().join("spacetimedb-client").is_file()));
    }
    // A server of 2.x is not part of the project: without one, and without the driver, this is reported as ignored.
    let rust = Trial::test("the official Rust client 2.x is right on a server of 2.x", rust_2);
    let is_built = clients().join(RUST_2).join("spacetimedb-client").is_file();
    trials.push(needs(rust, is_built && std::env::var_os(SERVER).is_some()));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn words(name: &str) -> String {
    name.replace('-', " ")
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients").canonicalize().unwrap()
}

/// The legacy lane against itself, with this scenario.
fn run_of(dir: &Path, scenario: &str, more: &[&str]) -> Ran {
    let mut args = vec!["--aa", "legacy", "--drawn", "0", "--scenario", scenario];
    args.extend(more);
    gate(dir, "out", &args)
}

fn right() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let scenarios = text(&clients().join("scenarios"));
    let ran = run_of(dir.path(), "python-phoenix-*", &["--also", &scenarios]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(evidence(dir.path(), "out").judged.scenarios.len(), 3);
    assert_eq!(rechecked(dir.path(), "out"), 0);
    Ok(())
}

/// Its packages lie beside its driver, and are installed from there without a network.
fn npm_phoenix() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    for folder in ["phoenix-js", "scenarios"] {
        std::fs::create_dir(dir.path().join(folder))?;
        for file in std::fs::read_dir(clients().join(folder))?.flatten().filter(|file| file.path().is_file()) {
            std::fs::copy(file.path(), dir.path().join(folder).join(file.file_name()))?;
        }
    }
    let cache = text(&dir.path().join("cache"));
    let installed = Command::new("npm")
        .args(["ci", "--offline", "--no-audit", "--no-fund", "--cache", &cache])
        .current_dir(dir.path().join("phoenix-js"))
        .output()?;
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let scenarios = text(&dir.path().join("scenarios"));
    let ran = run_of(dir.path(), "phoenix-js-*", &["--also", &scenarios]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(evidence(dir.path(), "out").judged.scenarios.len(), 3);
    Ok(())
}

/// Names the program of a server of 2.x.
const SERVER: &str = "CUTOVER_SPACETIMEDB_BIN";

/// Cargo builds examples beside the tests.
fn rust_1_dir() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join("examples")
}

fn rust_1() -> Result<(), Failed> {
    rust(&rust_1_dir(), &[])
}

fn rust_2() -> Result<(), Failed> {
    let server = std::env::var(SERVER)?;
    rust(&clients().join(RUST_2), &["--candidate-bin", &server])
}

/// The scenarios of the Rust client, and built-in ones with it in the place of our client.
fn rust(dir: &Path, more: &[&str]) -> Result<(), Failed> {
    let bundles = tempfile::tempdir()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([dir.to_owned()].into_iter().chain(std::env::split_paths(&path)))?;
    let scenarios = text(&clients().join("scenarios"));
    let client = format!("candidate={}", text(&dir.join("spacetimedb-client")));
    let own = ["--also", &scenarios, "--scenario", "spacetimedb-rust-*"];
    let ours = ["--client", &client, "--scenario", "client-crash", "--scenario", "server-drains", "--no-known-bad"];
    for (name, args, count) in [("own", &own[..], 3), ("ours", &ours, 2)] {
        let out = text(&bundles.path().join(name));
        let line = ["gate", "--seed", "7", "--out", &out, "--aa", "candidate", "--drawn", "0"];
        let ran = support::ended(cutover(&line).args(args).args(more).env("PATH", &path));
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let evidence = evidence(bundles.path(), name);
        assert_eq!(evidence.judged.scenarios.len(), count);
        let said = |name: &str, lane: &str| {
            let history = bundles.path().join(format!("{out}/histories/{name}.{lane}.jsonl"));
            std::fs::read_to_string(history).unwrap_or_default().contains(r#""word":"applied""#)
        };
        // The program stood there, and not our own client.
        assert!(evidence.judged.scenarios.iter().all(|ran| said(&ran.name, "candidate")), "{}", ran.out);
    }
    Ok(())
}

/// Without the built-in candidate, those on the legacy lane alone.
fn planted_clients(planted: &[(&str, &str)]) -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let mut args = vec!["--drawn", "0"];
    let names: Vec<String> = planted.iter().map(|(name, _)| format!("client-{name}")).collect();
    names.iter().for_each(|name| args.extend(["--scenario", name.as_str()]));
    if !cfg!(feature = "engine") {
        args.extend(["--aa", "legacy"]);
    }
    let ran = gate(dir.path(), "out", &args);
    let evidence = evidence(dir.path(), "out");
    let scenarios = &evidence.judged.scenarios;
    assert_eq!(scenarios.len(), if cfg!(feature = "engine") { planted.len() } else { 7 }, "{}{}", ran.out, ran.err);
    for scenario in scenarios {
        let found: Vec<String> = scenario.principal().map(|found| found.finding.reason.word.to_owned()).collect();
        let (_, reason) = planted.iter().find(|(name, _)| scenario.name == format!("client-{name}")).unwrap();
        assert_eq!(found, [*reason], "{}\n{}", scenario.name, ran.out);
    }
    assert_eq!(rechecked(dir.path(), "out"), ran.code);
    Ok(())
}

fn in_place_of_ours() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let client = format!("legacy=python3 {}", text(&clients().join("python/phoenix.py")));
    let ran = run_of(dir.path(), "client-crash", &["--scenario", "unsubscribed", "--client", &client]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("programs stood in the place of the harness's own clients"), "{}", ran.out);
    assert!(evidence(dir.path(), "out").reproduce.contains("--client"), "{}", ran.out);
    assert_eq!(rechecked(dir.path(), "out"), 0);
    Ok(())
}

fn missing() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let ran = run_of(dir.path(), "client-crash", &["--client", "legacy=no-such-program --fast"]);
    assert_eq!(ran.code, 64, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("there is no program `no-such-program` in PATH"), "{}", ran.err);
    let path = write(dir.path(), "s/one.toml", &scenario("./no-such-client", ("disconnect", "")));
    let ran = run_of(dir.path(), "one", &["--also", &text(&path)]);
    assert_eq!(ran.code, 64, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("there is no program at") && ran.err.contains("s/./no-such-client"), "{}", ran.err);
    assert!(!dir.path().join("out").exists());
    Ok(())
}

/// A run of a client with a mistake.
fn wrong(dir: &Path, defect: &str) -> (Ran, Evidence) {
    let program = text(&clients().join("python/wrong.py"));
    let faults: String = match defect {
        "hammers" | "hammers-evenly" => (2..16)
            .map(|nth| {
                let how = r#"how = "reset", when = "before", clients = ["desk"]"#;
                format!("{{ do = \"cut\", name = \"c{nth}\", {how}, at = {{ resume = {nth} }} }},\n")
            })
            .collect(),
        _ => {
            let at = |seq: u64| format!(r#"clients = ["desk"], at = {{ delivery = "run:alpha:events", seq = {seq} }}"#);
            let cut = r#"do = "cut", how = "close", when = "after""#;
            format!("{{ do = \"repeat\", {} }},\n{{ {cut}, {} }},\n", at(4), at(8))
        }
    };
    // Only a new start shows what is in the file.
    let leaves = if defect == "forgets-to-store" { "crash" } else { "disconnect" };
    let path = write(dir, "one.toml", &scenario(&format!("python3\", \"{program}\", \"{defect}"), (leaves, &faults)));
    let ran = run_of(dir, "one", &["--also", &text(&path)]);
    let evidence = evidence(dir, "out");
    (ran, evidence)
}

fn scenario(command: &str, (leaves, faults): (&str, &str)) -> String {
    format!(
        r#"schema = 1
name = "one"
title = "A client that is a program"
proves = ["replay-determinism"]
converge_within_ms = 4000
streams = [{{ topic = "run:alpha:events" }}]
clients = [{{ name = "desk", driver = "exec", legacy = ["{command}"] }}]
steps = [
  {{ do = "connect" }},
  {{ do = "publish", stream = "run:alpha:events", count = 10 }},
  {{ do = "{leaves}" }},
  {{ do = "publish", stream = "run:alpha:events", count = 2 }},
  {{ do = "connect" }},
]
faults = [
{faults}]
at_least = {{ deliveries = 1 }}
"#
    )
}

fn caught(defect: &str, reason: &str) -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let (ran, evidence) = wrong(dir.path(), defect);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let findings: Vec<String> = principal(&evidence);
    assert!(findings.iter().any(|finding| *finding == format!("client/{reason}")), "{findings:?}\n{}", ran.out);
    // The program is to blame and not the lane.
    assert!(findings.iter().all(|finding| finding.starts_with("client/")), "{findings:?}\n{}", ran.out);
    assert_eq!(rechecked(dir.path(), "out"), 1);
    nothing_is_left(defect);
    Ok(())
}

fn principal(evidence: &Evidence) -> Vec<String> {
    let findings = evidence.judged.scenarios.iter().flat_map(|scenario| scenario.principal());
    findings.map(|found| format!("{}/{}", found.finding.checker, found.finding.reason.word)).collect()
}

fn broken(defect: &str, says: &str) -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let (ran, evidence) = wrong(dir.path(), defect);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert_eq!(principal(&evidence), ["unreached/gave-up"], "{}", ran.out);
    let mut said = evidence.judged.scenarios.iter().flat_map(|scenario| scenario.principal());
    assert!(said.any(|found| found.says.contains(says)), "{}", ran.out);
    nothing_is_left(defect);
    Ok(())
}

/// No process runs the client with this mistake.
fn nothing_is_left(defect: &str) {
    let ended = format!("wrong.py\0{defect}\0");
    let lines = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = lines.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
    let left: Vec<String> = lines.filter(|line| line.contains(&ended)).collect();
    assert!(left.is_empty(), "{left:?}");
}
