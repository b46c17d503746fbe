//! The examples of `docs/ci`: each is YAML, and each `cutover` command in it has arguments that the binary takes.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};

use support::run;
use yaml_rust2::{Yaml, YamlLoader};

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
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    documents.iter().for_each(|document| collect(document, false, &mut found));
    Ok(found)
}

fn collect(node: &Yaml, is_command: bool, found: &mut Vec<String>) {
    match node {
        Yaml::String(text) if is_command => found.extend(text.lines().map(str::to_owned)),
        Yaml::Array(items) => items.iter().for_each(|item| collect(item, is_command, found)),
        Yaml::Hash(keys) => keys.iter().for_each(|(key, value)| {
            collect(value, key.as_str().is_some_and(|key| COMMANDS.contains(&key)), found);
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
