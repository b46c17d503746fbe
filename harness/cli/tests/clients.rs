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
use support::{Ran, evidence, gate, rechecked, text, write};

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

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    let ignored = !has_python && std::env::var_os("CI").is_none();
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
    let mut trials: Vec<Trial> = trials.into_iter().map(|trial| trial.with_ignored_flag(ignored)).collect();
    let has_npm = Command::new("npm").arg("--version").output().is_ok();
    let official =
        Trial::test("the official client of Phoenix is right after cuts, crashes and stale cursors", official);
    trials.push(official.with_ignored_flag(!has_npm && std::env::var_os("CI").is_none()));
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
fn official() -> Result<(), Failed> {
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
                format!("{{ do = \"cut\", name = \"c{nth}\", how = \"reset\", when = \"before\", clients = [\"desk\"], at = {{ resume = {nth} }} }},\n")
            })
            .collect(),
        _ => "{ do = \"repeat\", clients = [\"desk\"], at = { delivery = \"run:alpha:events\", seq = 4 } },\n\
              { do = \"cut\", how = \"close\", when = \"after\", clients = [\"desk\"], at = { delivery = \"run:alpha:events\", seq = 8 } },\n"
            .to_owned(),
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
