//! What stands beside the parser must say the same: the built-in list, the page on scenarios, the schema for editors.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

fn repo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repo().join(path)).unwrap()
}

#[test]
fn the_built_in_list_holds_every_file() {
    let mut files = BTreeSet::new();
    for directory in ["scenarios", "scenarios/known-bad"] {
        for entry in std::fs::read_dir(repo().join(directory)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".toml") {
                files.insert(format!("{directory}/{name}"));
            }
        }
    }
    let listed: BTreeSet<_> = stock().iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(listed, files, "the build script lists them");
}

#[test]
fn every_file_names_its_schema() {
    for (path, text) in stock() {
        let schema = if path.contains("known-bad") { "../scenario.schema.json" } else { "./scenario.schema.json" };
        assert!(text.starts_with(&format!("#:schema {schema}\n")), "{path} must begin with `#:schema {schema}`");
    }
}

/// The line that the page has for a scenario.
fn row(scenario: &Scenario) -> String {
    match &scenario.expect {
        None => format!("| `{}` | {} | {} |", scenario.name, scenario.title, scenario.proves.join(", ")),
        Some(expect) => {
            let findings = expect.findings.join(", ");
            format!("| `{}` | {} | {findings} ({}) |", scenario.name, scenario.title, expect.lane)
        }
    }
}

#[test]
fn the_page_lists_every_scenario_with_what_it_shows() {
    let page = read("docs/SCENARIOS.md");
    let rows: Vec<_> = stock().iter().map(|(path, text)| row(&Scenario::parse(path, text).unwrap())).collect();
    let missing: Vec<_> = rows.iter().filter(|row| !page.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "put these lines into docs/SCENARIOS.md:\n{missing:#?}");
    // A fault may have the name of a scenario.
    let without_faults = page.split("<!-- specification:").map(|part| part.rsplit("<!-- end -->").next().unwrap());
    let listed =
        without_faults.flat_map(str::lines).filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 2);
    let known: BTreeSet<_> =
        stock().iter().map(|(path, _)| path.rsplit('/').next().unwrap().replace(".toml", "")).collect();
    for line in listed.filter(|line| !rows.contains(&(*line).to_owned())) {
        let name = line.trim_start_matches("| `").split('`').next().unwrap();
        assert!(!known.contains(name), "this line of docs/SCENARIOS.md is out of date: {line}");
    }
}

#[test]
fn the_page_names_every_key_and_every_word() {
    let page = read("docs/SCENARIOS.md");
    let mut words: BTreeSet<&str> = BTreeSet::new();
    for keys in [
        words::keys::SCENARIO,
        words::keys::STREAM,
        words::keys::CLIENT,
        words::keys::BACKOFF,
        words::keys::EXPAND,
        words::keys::AT_LEAST,
        words::keys::EXPECT,
        words::keys::FOUND,
        words::keys::POSITIONS,
        words::keys::UNTIL,
        words::FAULT_KEYS,
        words::TOXIC_KEYS,
        words::MATRIX_ROWS,
    ] {
        words.extend(keys);
    }
    for kind in steps::KINDS {
        words.insert(kind.name);
        words.extend(kind.keys);
    }
    words.extend(words::CURSORS.iter().map(|(word, _)| word));
    words.extend(words::PAYLOADS.iter().map(|(word, _)| word));
    words.extend(words::DIRECTIONS.iter().map(|(word, _)| word));
    let missing: Vec<_> = words.iter().filter(|word| !page.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "docs/SCENARIOS.md does not say what these are: {missing:?}");
}

fn schema() -> serde_json::Value {
    serde_json::from_str(&read("scenarios/scenario.schema.json")).unwrap()
}

fn texts(value: &serde_json::Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn set<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn the_schema_for_editors_knows_the_same_keys() {
    let schema = schema();
    let keys = |value: &serde_json::Value| set(value["properties"].as_object().unwrap().keys().map(String::as_str));
    assert_eq!(keys(&schema), set(words::keys::SCENARIO.iter().copied()));
    let defs = &schema["$defs"];
    for (def, known) in [
        ("stream", words::keys::STREAM),
        ("client", words::keys::CLIENT),
        ("backoff", words::keys::BACKOFF),
        ("expand", words::keys::EXPAND),
        ("at_least", words::keys::AT_LEAST),
        ("expect", words::keys::EXPECT),
        ("found", words::keys::FOUND),
        ("until", words::keys::UNTIL),
    ] {
        assert_eq!(keys(&defs[def]), set(known.iter().copied()), "{def}");
    }
    let of_steps = steps::KINDS.iter().flat_map(|kind| kind.keys).copied();
    assert_eq!(keys(&defs["step"]), set(of_steps.chain(["do"])));
}

#[test]
fn the_schema_for_editors_knows_the_same_words() {
    let schema = schema();
    let defs = &schema["$defs"];
    let of_steps = set(steps::KINDS.iter().map(|kind| kind.name));
    assert_eq!(texts(&defs["step"]["properties"]["do"]["enum"]), of_steps);
    assert_eq!(texts(&defs["row"]["enum"]), set(words::MATRIX_ROWS.iter().copied()));
    assert_eq!(texts(&defs["cursor_word"]["enum"]), set(words::CURSORS.iter().map(|(word, _)| *word)));
    let payloads = words::PAYLOADS.iter().map(|(word, _)| *word);
    assert_eq!(texts(&defs["stream"]["properties"]["payload"]["enum"]), set(payloads));
}
