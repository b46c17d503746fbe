//! Scenario files: what is accepted, and what is said of mistakes.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

fn repo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_stock_scenario_is_accepted() {
    for (path, text) in stock() {
        if let Err(errors) = Scenario::parse(path, text) {
            panic!("{errors}");
        }
    }
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
    assert_eq!(listed, files, "add the file to scenario/stock.rs");
}
