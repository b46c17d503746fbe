//! Recheck: computes plans, vectors, findings and decision anew from what a bundle recorded, and names every difference.
//!
//! Nothing is run, and nothing in the bundle is believed: what it says was judged must come out of its histories byte for
//! byte. What can't be computed from a bundle (who ran it, on which commit) is not checked, only bound by nothing: it is
//! the bundle's word.

mod compare;
mod read;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::document::{Evidence, State};
use super::judge::{JudgeInput, judge};
use super::judged::Judged;
use super::layout::{self, Files};
use crate::gate::Scope;
use crate::ids::Seed;
use crate::plan::Plan;

/// Something about a bundle that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, relative to the bundle.
    pub file: String,
    /// What is wrong.
    pub what: String,
    /// What was expected, where there are two sides.
    pub expected: Option<String>,
    /// What was found instead.
    pub found: Option<String>,
}

impl Problem {
    /// A problem without two sides.
    pub fn new(file: &str, what: impl Into<String>) -> Problem {
        Problem {
            file: file.to_owned(),
            what: what.into(),
            expected: None,
            found: None,
        }
    }

    /// A problem with two sides.
    pub fn between(file: &str, what: &str, expected: impl Into<String>, found: impl Into<String>) -> Problem {
        let (expected, found) = (Some(expected.into()), Some(found.into()));
        Problem {
            file: file.to_owned(),
            what: what.to_owned(),
            expected,
            found,
        }
    }
}

/// Why a bundle can't be rechecked at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoBundle {
    /// There is no document.
    #[error(
        "there is no {} in it; give the directory that `cutover gate` wrote",
        layout::EVIDENCE
    )]
    NoDocument,
    /// The document is of another schema version.
    #[error(
        "its schema is `{found}`, but this tool reads `{}`; recheck it with the version that wrote it",
        super::EVIDENCE_SCHEMA
    )]
    Schema {
        /// The version found.
        found: String,
    },
}

/// What came of a recheck.
#[derive(Debug, Clone, PartialEq)]
pub struct Rechecked {
    /// The document, where it could be read.
    pub evidence: Option<Evidence>,
    /// What was computed anew.
    pub computed: Judged,
    /// Everything that does not hold, in order of files; empty where the bundle holds.
    pub problems: Vec<Problem>,
}

impl Rechecked {
    /// Whether the bundle is what was recorded, and its decision follows from it.
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }

    /// The exit code: as of the decision where the bundle holds, else 1. An interrupted run's decision is unknown, 2.
    pub fn exit_code(&self) -> u8 {
        if self.holds() {
            self.computed.decision.exit_code
        } else {
            1
        }
    }
}

/// Compiles a scenario file, by its path and bytes; the error is what is wrong with the file.
pub type Compile<'a> = &'a dyn Fn(&str, &[u8], Build) -> Result<Plan, String>;

/// What a plan is compiled with, beside its scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    /// The seed.
    pub seed: Seed,
    /// Whether faults and toxics are left out.
    pub no_faults: bool,
}

/// Rechecks a bundle.
///
/// # Errors
/// There is no bundle, or it is of another schema version.
pub fn recheck(files: &Files, compile: Compile<'_>) -> Result<Rechecked, NoBundle> {
    let bytes = files.get(layout::EVIDENCE).ok_or(NoBundle::NoDocument)?;
    let mut problems = Vec::new();
    let evidence = match read::document(bytes)? {
        Ok(evidence) => evidence,
        Err(problem) => {
            let computed = judge(&[], &Scope::default(), &State::InProgress);
            return Ok(Rechecked {
                evidence: None,
                computed,
                problems: vec![problem],
            });
        }
    };
    read::is_written_by_this_tool(bytes, &evidence, &mut problems);
    compare::digests(files, &evidence, &mut problems);
    compare::left_out(files, &evidence, &mut problems);
    let scenarios = read::scenarios(files, &evidence, compile, &mut problems);
    let inputs: Vec<_> = scenarios
        .iter()
        .map(|scenario| JudgeInput {
            plan: &scenario.plan,
            legacy: &scenario.legacy,
            candidate: &scenario.candidate,
        })
        .collect();
    let computed = judge(&inputs, &evidence.scope, &evidence.state);
    compare::judged(&evidence.judged, &computed, &mut problems);
    problems.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(Rechecked {
        evidence: Some(evidence),
        computed,
        problems,
    })
}
