//! Whether the terms that a run was judged by follow from the policy in the bundle.

use super::Problem;
use super::bundle::Inventory;
use crate::evidence::document::{Evidence, Times};
use crate::evidence::layout;
use crate::policy::Policy;

/// The policy's file, the phase and the day of the run give the terms and the rows of the scope.
pub fn follows(evidence: &Evidence, times: Option<&Times>, inventory: &Inventory<'_>, problems: &mut Vec<Problem>) {
    let (terms, enforced) = (&evidence.scope.policy, &evidence.scope.enforced_rows);
    // A bundle of a version without policies has no terms.
    if terms.is_none() {
        return;
    }
    let Some(bytes) = inventory.content(layout::POLICY, problems) else { return };
    let read = String::from_utf8(bytes).map_err(|error| error.to_string());
    let read = read.and_then(|text| Policy::parse(layout::POLICY, &text).map_err(|errors| errors.to_string()));
    let policy = match read {
        Ok(policy) => policy,
        Err(error) => return problems.push(Problem::new(layout::POLICY, format!("cannot be read: {error}"))),
    };
    let mut report = |what: &str| problems.push(Problem::new(layout::EVIDENCE, what));
    if policy.terms(terms.phase, terms.enforced, &terms.day).as_ref() != Some(terms) {
        report("`scope.policy` does not follow from policy.toml and the phase");
    } else if *enforced != terms.required_in_full() {
        report("`scope.enforced_rows` does not follow from `scope.policy`");
    }
    let started = times.map(|times| times.started.as_str());
    if started.is_some_and(|started| !terms.day.is_empty() && !started.starts_with(&terms.day)) {
        report("`scope.policy.day` is not the day on which `times.json` says that the run started");
    }
}
