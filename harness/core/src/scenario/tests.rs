//! Scenario files: what is accepted, and what is said of mistakes.
#![allow(clippy::unwrap_used)]

mod bridge;
mod claims;
mod documents;
mod messages;
mod mistakes;
mod never_panics;
mod pages;
mod toxics;

use super::*;

/// A scenario in which nothing is wrong, to be broken in tests.
const GOOD: &str = r#"schema = 1
name = "x"
title = "A story"
proves = ["replay-determinism"]
streams = [{ topic = "run:a:events", retention = 5, replay_budget = 50 }, { topic = "run:b:events" }]
clients = [{ name = "desk" }, { name = "phone", streams = ["run:a:events"] }]
steps = [
  { do = "connect" },
  { do = "publish", streams = ["run:a:events", "run:b:events"], count = 12 },
  { do = "disconnect", clients = ["phone"] },
  { do = "publish", stream = "run:a:events", count = 3, pace = "burst" },
  { do = "await" },
]
faults = [
  { do = "cut", how = "close", when = "before", clients = ["desk"], at = { delivery = "run:a:events", seq = 4 } },
]
at_least = { deliveries = 10 }
"#;

fn errors(text: &str) -> String {
    match Scenario::parse("scenarios/x.toml", text) {
        Ok(_) => "nothing is wrong".to_owned(),
        Err(errors) => errors.to_string(),
    }
}

#[test]
fn a_good_scenario_is_accepted() {
    let scenario = Scenario::parse("scenarios/x.toml", GOOD).unwrap();
    assert_eq!(scenario.name, "x");
    assert_eq!(scenario.cases.len(), 1);
    assert_eq!(scenario.cases[0].deliveries, 6 + 6 + 6 + 3);
}

#[test]
fn every_stock_scenario_is_accepted() {
    let mut told = Vec::new();
    for (path, text) in stock() {
        told.extend(Scenario::parse(path, text).err().map(|errors| errors.to_string()));
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn every_scenario_that_runs_on_request_is_accepted() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/on-request");
    let in_folder = |folder: &str| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = in_folder(folder).chain(in_folder(&format!("{folder}/known-bad"))).filter(|path| path.is_file());
    let read = files.map(|file| Scenario::parse(&file.display().to_string(), &std::fs::read_to_string(&file).unwrap()));
    let (accepted, refused): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    assert!(!accepted.is_empty() && refused.is_empty(), "{refused:?}");
}

#[test]
fn tables_may_be_written_one_below_the_other() {
    let text = r#"
schema = 1
name = "x"
title = "A story"
proves = ["replay-determinism"]
[[streams]]
topic = "run:a:events"
[[clients]]
name = "desk"
[[steps]]
do = "connect"
[[steps]]
do = "publish"
stream = "run:a:events"
count = 5
[[faults]]
do = "repeat"
clients = ["desk"]
at = { delivery = "run:a:events", seq = 2 }
[at_least]
deliveries = 5
"#;
    assert_eq!(errors(text), "nothing is wrong");
}

#[test]
fn many_files_are_read_together_and_no_name_comes_twice() {
    let twice = [("a/x.toml", GOOD), ("b/x.toml", GOOD)];
    let errors = load(&twice).unwrap_err().to_string();
    assert!(errors.starts_with("b/x.toml:1:1: a/x.toml holds a scenario `x` too"), "{errors}");
    assert_eq!(load(&twice[..1]).unwrap().len(), 1);
}
