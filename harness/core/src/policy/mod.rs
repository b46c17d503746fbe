//! The policy of a cutover: which rows of the matrix a run must show in a phase, what only warns, by how much a lane
//! may be slower, and which fields of payloads may differ.
//!
//! A [`Policy`] is a file. Its [`Terms`] are what one run is judged by, and stand in the evidence.
#![allow(missing_docs, reason = "the names say it")]

mod budget;
mod normalise;
mod read;
mod rollout;
#[cfg(test)]
mod tests;

pub use normalise::{Normaliser, Touched, normalised};
pub use rollout::{RolloutTerms, Slo, Stage};

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::check::{ALL, Finding};
use crate::matrix::ROWS;
use crate::plan::Plan;
use crate::scenario::ScenarioErrors;
use crate::stats::Budgets;

/// The policy of a run that was given none.
pub const DEFAULT: &str = include_str!("default.toml");

pub const PHASES: RangeInclusive<u8> = 1..=5;

/// The largest policy file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The terms of a run without a phase.
    base: Terms,
    phases: BTreeMap<u8, Phase>,
    /// What a rollout is decided by, where the policy says so.
    pub rollout: Option<RolloutTerms>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Phase {
    rows: Rows,
    candidate_alone: Vec<String>,
    baseline: bool,
}

/// The rows that a run must show.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// Of each row, the parts that the lanes of the run can show.
    #[default]
    CanShow,
    /// Each row in full.
    All,
    /// These rows in full.
    These(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    #[default]
    Blocking,
    /// The decision is written, and the exit code of a complete run is 0.
    Advisory,
}

/// What a run is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// `sha256:` of the policy file; empty in a bundle of a version without policies.
    pub digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<u8>,
    /// Every row was asked for on the command line, whatever the policy says.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enforced: bool,
    pub mode: Mode,
    pub rows: Rows,
    /// Rows of which only the candidate has to show its parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidate_alone: Vec<String>,
    /// The run must be against baselines.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub baseline: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warn_rows: Vec<String>,
    /// `checker` or `checker/reason`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warn_findings: Vec<String>,
    /// By how much a lane may be slower; `None` is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Budgets>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub normalise: Vec<Normaliser>,
    /// The day of the run in UTC, where it has normalisers, which expire by it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub day: String,
}

impl Policy {
    /// # Errors
    /// Every mistake of the file, in the order of their positions.
    pub fn parse(path: &str, text: &str) -> Result<Policy, ScenarioErrors> {
        read::policy(path, text)
    }

    /// The phases that it has.
    pub fn phases(&self) -> Vec<u8> {
        self.phases.keys().copied().collect()
    }

    /// The terms of a run in a phase, on a day; `None` where the policy does not have this phase. `enforced` asks for
    /// every row, whatever the policy says.
    pub fn terms(&self, phase: Option<u8>, enforced: bool, day: &str) -> Option<Terms> {
        let mut terms = self.base.clone();
        if let Some(number) = phase {
            let Phase { rows, candidate_alone, baseline } = self.phases.get(&number)?.clone();
            terms = Terms { phase, rows, candidate_alone, baseline, ..terms };
        }
        if enforced {
            terms = Terms { rows: Rows::All, warn_rows: Vec::new(), enforced, ..terms };
        }
        if !terms.normalise.is_empty() {
            day.clone_into(&mut terms.day);
        }
        Some(terms)
    }
}

impl Terms {
    /// Whether the bundle is of a version without policies.
    pub fn is_none(&self) -> bool {
        self.digest.is_empty()
    }

    pub fn is_advisory(&self) -> bool {
        self.mode == Mode::Advisory
    }

    /// The plan as a run by these terms drives and judges it.
    pub fn plan(&self, plan: Plan) -> Plan {
        budget::budgeted(plan, self.budgets)
    }

    /// By how much more a lane may be slower than by default, a sentence each.
    pub fn wider_budgets(&self) -> Vec<String> {
        self.budgets.as_ref().map(budget::wider).unwrap_or_default()
    }

    /// The rows that a run must show in full.
    pub fn required_in_full(&self) -> Vec<String> {
        match &self.rows {
            Rows::CanShow => Vec::new(),
            Rows::All => ROWS.iter().map(|row| row.name.to_owned()).filter(|row| !self.warns_of_row(row)).collect(),
            Rows::These(rows) => rows.clone(),
        }
    }

    pub fn warns_of_row(&self, row: &str) -> bool {
        self.warn_rows.iter().any(|warned| warned == row)
    }

    /// Whether a finding only warns. A checker that panicked has found out nothing, so that this is never one.
    pub fn warns_of(&self, finding: &Finding) -> bool {
        let name = name_of(finding);
        let named = self.warn_findings.iter().any(|warned| *warned == name || warned == finding.checker);
        let of_checker = ALL.iter().filter(|checker| checker.name == finding.checker);
        named && of_checker.flat_map(|checker| checker.reasons).any(|reason| reason.word == finding.reason.word)
    }
}

/// How a policy names a finding.
pub fn name_of(finding: &Finding) -> String {
    format!("{}/{}", finding.checker, finding.reason)
}
