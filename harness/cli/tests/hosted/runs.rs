//! Runs of the commands for hosted lanes, and what they record.

use std::path::Path;

use serde_json::Value;

use super::support::*;

/// Runs a command in an environment whose variables are these, with its evidence in `dir/NAME`.
pub fn hosted(dir: &Path, name: &str, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let out = text(&dir.join(name));
    let mut command = cutover(&[args, &["--out", &out]].concat());
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("OA_SPACETIME_") {
            command.env_remove(variable);
        }
    }
    command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    ended(command.envs(variables.iter().copied()))
}

pub fn record(dir: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join(name).join("stage.json")).unwrap()).unwrap()
}

/// Outcome and words of a check.
pub fn check(dir: &Path, name: &str, check: &str) -> (String, String) {
    let record = record(dir, name);
    let checks = record["checks"].as_array().unwrap();
    let found = checks.iter().find(|found| found["name"] == check);
    let found = found.unwrap_or_else(|| panic!("no check `{check}` in {checks:#?}"));
    let word = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    (word("outcome"), format!("{} {}", word("saw"), word("mend")))
}

#[track_caller]
pub fn is(dir: &Path, name: &str, of: &str, outcome: &str, words: &[&str]) {
    let (found, said) = check(dir, name, of);
    assert_eq!(found, outcome, "{of}: {said}");
    for word in words {
        assert!(said.contains(word), "`{word}` in {said}");
    }
}

#[allow(dead_code, reason = "not every test that has this file uses it")]
pub fn dev<'a>(url: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let base = [("OA_SPACETIME_DEV_HTTP_BASE_URL", url), ("OA_SPACETIME_DEV_DATABASE", "sync")];
    base.iter().chain(more).copied().collect()
}
