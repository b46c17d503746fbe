//! The examples of `docs/ci`: each is YAML, and each `cutover` command in it has arguments that the binary takes.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{cutover, ended, run, write};

/// The keys whose texts are commands.
const COMMANDS: [&str; 3] = ["run", "script", "after_script"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn examples() -> Vec<(String, String)> {
    let files = std::fs::read_dir(root().join("docs/ci")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files.into_iter().map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The commands of a file, line by line.
fn commands(text: &str) -> Result<Vec<String>, String> {
    let document: Value = serde_norway::from_str(text).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    collect(&document, false, &mut found);
    Ok(found)
}

fn collect(node: &Value, is_command: bool, found: &mut Vec<String>) {
    match node {
        Value::String(text) if is_command => found.extend(text.lines().map(str::to_owned)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, is_command, found)),
        Value::Object(keys) => keys.iter().for_each(|(key, value)| {
            collect(value, COMMANDS.contains(&key.as_str()), found);
        }),
        _ => {}
    }
}

/// What is wrong with a command of this binary, if anything is. Variables and commands in it stand for one word.
fn wrong(line: &str) -> Option<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in line.chars().chain([' ']) {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            c => word.push(c),
        }
    }
    // What follows `--help` is not read, and what stands before it is.
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).chain(["--help"]).collect();
    let ran = run(&words);
    (ran.code != 0).then(|| format!("{line}\n{}", ran.err))
}

#[test]
fn every_command_of_an_example_is_one_that_the_binary_takes() {
    let examples = examples();
    assert_eq!(examples.len(), 2);
    for (path, text) in &examples {
        let commands = commands(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let ours: Vec<&String> = commands.iter().filter(|line| line.trim_start().starts_with("cutover ")).collect();
        for of in ["provision-check", "handshake", "deploy dev", "deploy staging", "deploy prod", "gate", "shadow"] {
            assert!(ours.iter().any(|line| line.contains(of)), "{path} has no `{of}`");
        }
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let written: usize = lines.map(|line| line.matches("cutover ").count()).sum();
        assert_eq!(written, ours.len(), "{path} has commands that were not found");
        let wrong: Vec<String> = ours.into_iter().filter_map(|line| wrong(line)).collect();
        assert!(wrong.is_empty(), "{path}: {}", wrong.join("\n"));
    }
}

#[test]
fn a_command_or_an_option_that_is_not_there_is_found() {
    assert_eq!(wrong("cutover deploy dev --pr \"$BRANCH\" --out evidence/pr"), None);
    for line in ["cutover deploy dev --promoted-from x", "cutover deplay dev", "cutover deploy production"] {
        assert!(wrong(line).is_some(), "{line}");
    }
    assert!(commands("a: [").is_err());
    assert_eq!(commands("jobs: { a: { steps: [{ run: cutover x }, { uses: y }] } }").unwrap(), ["cutover x"]);
}

#[test]
fn every_example_of_a_lane_is_a_profile() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(root().join("lanes")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".example.toml") {
            continue;
        }
        seen += 1;
        // Nobody listens there.
        let here = |line: &str| match line.split_once("://").filter(|_| !line.starts_with('#')) {
            Some((key, _)) => format!("{}://127.0.0.1:1\"", key.replace("wss", "ws").replace("https", "http")),
            None => line.to_owned(),
        };
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<String> = text.lines().map(here).collect();
        let profile = write(dir.path(), &name, &lines.join("\n"));
        let mut command = cutover(&["lane", "check", profile.to_str().unwrap()]);
        let ran = ended(command.env("SYNC_TOKEN", "a-token-of-nobody"));
        let has_server = lines.iter().any(|line| line.contains("://127.0.0.1:1"));
        let expected = if has_server { "127.0.0.1:1" } else { "does not say where the server is" };
        assert_eq!(ran.code, if has_server { 3 } else { 64 }, "{name}: {}", ran.err);
        assert!(ran.err.contains(expected), "{name}: {}", ran.err);
    }
    assert!(seen >= 6, "{seen} examples");
}

#[test]
fn the_example_of_variables_describes_each_environment() {
    let file = root().join("lanes/hosted.envvars.example");
    for (env, says) in [("dev", "no letter"), ("staging", "no letter"), ("prod", "no database for a pull request")] {
        let ran = run(&["deploy", env, "--plan", "--pr", "///", "--envvars", file.to_str().unwrap()]);
        assert!(ran.code == 64 && ran.err.contains(says), "{env}: {}", ran.err);
    }
}
