//! What was judged of a run: the part of the evidence that recheck computes again.
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

use super::causes::Cause;
use crate::gate::{Decision, RowVerdict};
pub use crate::gate::{JudgedFinding, JudgedScenario, LedgerEntry, ScenarioOutcome, Seen, ShownBy};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Each scenario, honest ones first, in order of their names.
    pub scenarios: Vec<JudgedScenario>,
    /// What the findings of all scenarios have in common, worst first; not there where nothing is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    pub matrix: Vec<RowVerdict>,
    pub decision: Decided,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub allow: bool,
    pub decision: Decision,
    pub reasons: Vec<String>,
    /// 0 where the policy is advisory and the run complete, whatever was decided.
    pub exit_code: u8,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub advisory: bool,
    /// What the policy let pass, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<String>,
}
