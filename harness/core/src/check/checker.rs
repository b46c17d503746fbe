//! What a checker is. Each is declared in a file of its own.
#![allow(missing_docs, reason = "the names say it")]

use super::finding::{Finding, Report};
use super::index::Index;
use super::reason::Reason;

/// A property that a run must have. Each checker's file has one, and [`ALL`](super::ALL) lists them.
pub struct Checker {
    /// The property's name, as it stands in scenarios and findings.
    pub name: &'static str,
    pub anomaly: &'static str,
    pub source: &'static str,
    /// The rows of the verification matrix that it looks at.
    pub rows: &'static [&'static str],
    pub reasons: &'static [&'static Reason],
    /// What its findings account for, in words; empty where that is nothing.
    pub accounts_for: &'static str,
    /// Whether the first finding, which is of this checker, accounts for the second, which is of a later one on the
    /// same lane and stream.
    pub(super) explains: fn(&Finding, &Finding) -> bool,
    /// Judges. Pure and total: the same index gives the same report, and no history makes it fail.
    pub(super) check: fn(&Index<'_>, &mut Report),
}

/// The `explains` of a checker whose findings account for nothing.
pub(super) fn nothing(_cause: &Finding, _effect: &Finding) -> bool {
    false
}
