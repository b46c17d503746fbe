//! Recheck: computes plans, vectors, findings, decision and pages again from what a bundle recorded, and names every
//! difference.
//!
//! Nothing is run, and the judgement in the bundle is not trusted: the files say which scenarios there are, and the
//! judgement must follow from the histories byte for byte. One damaged file is one problem: it is named first, it is
//! not read, and what can't be computed without it is not compared. `docs/EVIDENCE.md` says what recheck can't check.
#![allow(missing_docs, reason = "the names say it")]

mod bundle;
mod compare;
mod policy;
mod read;
mod scope;
#[cfg(test)]
mod tests;
mod times;

pub use bundle::{Bundle, Entry, MAX_FILE_BYTES};
pub use times::fires;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::document::{Evidence, State};
use super::judge::{decide, judge_by};
use super::judged::Judged;
use super::layout;
use crate::gate::Scope;
use crate::ids::Seed;
use crate::plan::Plan;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub file: String,
    pub what: String,
    pub expected: Option<String>,
    pub found: Option<String>,
}

impl Problem {
    pub fn new(file: &str, what: impl Into<String>) -> Problem {
        Problem { file: file.to_owned(), what: what.into(), expected: None, found: None }
    }

    /// A file that can be read, but that this tool writes otherwise.
    fn not_as_written(file: &str, bytes: &[u8], again: &[u8]) -> Problem {
        let line = first_difference(again, bytes);
        let what = "it was edited, or another version wrote it";
        Problem::new(file, format!("is not as this tool writes it, from line {line} on: {what}"))
    }

    pub fn between(file: &str, what: &str, expected: impl Into<String>, found: impl Into<String>) -> Problem {
        let (expected, found) = (Some(expected.into()), Some(found.into()));
        Problem { file: file.to_owned(), what: what.to_owned(), expected, found }
    }
}

/// The first line, from 1, on which two texts differ.
fn first_difference(one: &[u8], other: &[u8]) -> usize {
    let lines = one.split(|byte| *byte == b'\n').zip(other.split(|byte| *byte == b'\n'));
    lines.take_while(|(one, other)| one == other).count() + 1
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoBundle {
    #[error("there is no {} in it; give the directory that `cutover gate` wrote", layout::EVIDENCE)]
    NoDocument,
    #[error(
        "its schema is `{found}`, but this tool reads `{}`; recheck it with the version that wrote it",
        super::EVIDENCE_SCHEMA
    )]
    Schema { found: String },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Rechecked {
    pub evidence: Option<Evidence>,
    pub computed: Judged,
    pub problems: Vec<Problem>,
}

impl Rechecked {
    /// Whether the bundle is what was recorded, and its decision follows from it.
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }

    /// The exit code: as of the decision where the bundle holds, else 1. An interrupted run's decision is unknown, 2.
    pub fn exit_code(&self) -> u8 {
        if self.holds() { self.computed.decision.exit_code } else { 1 }
    }
}

/// Compiles a scenario file, by its path and bytes; the error is what is wrong with the file.
pub type Compile<'a> = &'a dyn Fn(&str, &[u8], Build) -> Result<Plan, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    pub seed: Seed,
    pub no_faults: bool,
}

pub fn recheck(bundle: &dyn Bundle, compile: Compile<'_>) -> Result<Rechecked, NoBundle> {
    let entries = bundle.entries();
    let mut problems = Vec::new();
    let Some(evidence) = read::document(bundle, entries.get(layout::EVIDENCE).copied(), &mut problems)? else {
        let computed = decide(Vec::new(), &Scope::default(), &State::InProgress);
        return Ok(Rechecked { evidence: None, computed, problems });
    };
    let document_holds = problems.is_empty();
    let inventory = bundle::Inventory::at(bundle, entries, &evidence, &mut problems);
    let mut scenarios = Vec::new();
    let mut fires = BTreeMap::new();
    let mut ran = BTreeMap::new();
    let mut uncomputed = BTreeSet::new();
    for name in inventory.names() {
        let Some(recorded) = read::scenario(name, &inventory, &evidence, compile, &mut problems) else {
            uncomputed.insert(name.clone());
            continue;
        };
        scenarios.push(judge_by(&recorded.input(&evidence.scope), &evidence.scope.policy));
        ran.insert(name.clone(), scope::Ran::of(&recorded.plan, &evidence));
        fires.extend(recorded.fires.map(|fires| (name.clone(), fires)));
    }
    let computed = decide(scenarios, &evidence.scope, &evidence.state);
    if evidence.state == State::InProgress {
        // Such a document was written before anything was judged.
        let nothing = decide(Vec::new(), &evidence.scope, &evidence.state);
        compare::judged(&evidence.judged, &nothing, &BTreeSet::new(), &mut problems);
    } else {
        let before = problems.len();
        scope::follows(&evidence, &ran, &uncomputed, &mut problems);
        compare::judged(&evidence.judged, &computed, &uncomputed, &mut problems);
        let whole = fires.len() == inventory.names().len();
        let times = times::of_run(&inventory, &fires, whole, &mut problems);
        policy::follows(&evidence, times.as_ref(), &inventory, &mut problems);
        if let Some(times) = times.filter(|_| document_holds && problems.len() == before) {
            times::pages_follow(&evidence, &times, &inventory, &mut problems);
        }
    }
    Ok(Rechecked { evidence: Some(evidence), computed, problems })
}
