//! The paths of the files in a bundle, and the files in memory.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hash::sha256;
use crate::ids::LaneId;
use crate::plan::{Expectation, Plan};

/// A bundle's files: relative path, `/` between, to content. Reading and writing them is the caller's affair.
pub type Files = BTreeMap<String, Vec<u8>>;

pub const EVIDENCE: &str = "evidence.json";
pub const TIMES: &str = "times.json";
/// The policy that a run was judged by.
pub const POLICY: &str = "policy.toml";
/// What several runs have in common, beside the folders of their bundles.
pub const REPEAT: &str = "repeat.json";
pub const FOLDERS: [&str; 7] =
    ["scenarios", "scenarios/known-bad", "plans", "histories", "vectors", "times", "baselines"];
/// What the name of a file ends in while it is being written.
pub const UNFINISHED: &str = ".unfinished";

/// The path of a scenario's copy: known-bad ones stand apart, as they do where they came from, since a scenario that
/// must be blocked is refused anywhere else.
pub fn scenario(plan: &Plan) -> String {
    let folder = match plan.expect {
        Expectation::Allow => "scenarios",
        Expectation::Block { .. } => "scenarios/known-bad",
    };
    format!("{folder}/{}.toml", file_stem(&plan.scenario))
}

pub fn plan(name: &str) -> String {
    format!("plans/{}.json", file_stem(name))
}

pub fn history(name: &str, lane: LaneId) -> String {
    format!("histories/{}.{lane}.jsonl", file_stem(name))
}

pub fn vector(name: &str, lane: LaneId) -> String {
    format!("vectors/{}.{lane}.jsonl", file_stem(name))
}

/// What stands for the legacy lane, where it does not run.
pub fn baseline(name: &str) -> String {
    format!("baselines/{}.jsonl", file_stem(name))
}

pub fn times(name: &str, lane: LaneId) -> String {
    format!("times/{}.{lane}.jsonl", file_stem(name))
}

/// Both places that the copy of a scenario may have: of an honest one, and of a known-bad one.
pub fn scenario_places(name: &str) -> [String; 2] {
    ["scenarios", "scenarios/known-bad"].map(|folder| format!("{folder}/{}.toml", file_stem(name)))
}

/// Which scenario a file belongs to, by its path alone; `None` for what is no scenario's file.
pub fn scenario_of(path: &str) -> Option<&str> {
    let (folder, file) = path.rsplit_once('/')?;
    let stem = match folder {
        "scenarios" | "scenarios/known-bad" => file.strip_suffix(".toml"),
        "plans" => file.strip_suffix(".json"),
        "baselines" => file.strip_suffix(".jsonl"),
        "histories" | "vectors" | "times" => {
            let stem = file.strip_suffix(".jsonl")?;
            LaneId::BOTH.iter().find_map(|lane| stem.strip_suffix(lane.as_str())?.strip_suffix('.'))
        }
        _ => None,
    };
    stem.filter(|stem| !stem.is_empty() && file_stem(stem) == *stem)
}

/// A scenario's name as a file name: `known-bad/drop` is `known-bad.drop`. Whatever could leave the folder is replaced;
/// names are checked where scenarios are read, so that nothing but `/` is ever met here.
fn file_stem(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.chars()
        .map(|c| {
            if plain(c) {
                c
            } else if c == '/' {
                '.'
            } else {
                '_'
            }
        })
        .collect()
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    pub bytes: u64,
    pub digest: String,
}

impl FileEntry {
    pub fn of(content: &[u8]) -> FileEntry {
        FileEntry { bytes: content.len() as u64, digest: sha256(content) }
    }
}

#[cfg(test)]
mod tests;
