//! Causes in the words that every renderer uses alike.

use super::words;
use crate::evidence::causes::Cause;
use crate::evidence::document::Evidence;
use crate::evidence::judged::{JudgedFinding, JudgedScenario};

/// So many names stand in a line; the others are counted.
const MAX_NAMES: usize = 8;

/// What the lane did, as a heading.
pub fn title(cause: &Cause) -> String {
    let mut letters = cause.says.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// How far it reaches: `gap skipped, one cause in 42 scenarios, 118 findings`.
pub fn extent(cause: &Cause) -> String {
    let scenarios = words::counted(cause.scenarios.len(), "scenario", "scenarios");
    let findings = words::counted(usize::try_from(cause.findings).unwrap_or(usize::MAX), "finding", "findings");
    format!("{} {}, one cause in {scenarios}, {findings}", cause.checker, cause.reason)
}

/// The scenarios that show it, the smallest first.
pub fn scenarios(cause: &Cause) -> String {
    names(&cause.scenarios)
}

/// What only follows from it, as `unseen ×147, convergence ×119`; empty where nothing does.
pub fn consequences(cause: &Cause) -> String {
    let each = cause.consequences.iter().map(|(checker, count)| match count {
        1 => checker.clone(),
        _ => format!("{checker} ×{count}"),
    });
    each.collect::<Vec<_>>().join(", ")
}

/// The known-bad scenarios that could not be judged because of it; empty where there is none.
pub fn not_judged(cause: &Cause) -> String {
    if cause.not_judged.is_empty() {
        return String::new();
    }
    let count = words::counted(cause.not_judged.len(), "known-bad scenario", "known-bad scenarios");
    format!("{count} that found this beside their own: {}", names(&cause.not_judged))
}

/// The finding that shows it best, with its scenario.
pub fn witness<'a>(evidence: &'a Evidence, cause: &Cause) -> Option<(&'a JudgedScenario, &'a JudgedFinding)> {
    let smallest = cause.scenarios.first()?;
    let scenario = evidence.judged.scenarios.iter().find(|scenario| scenario.name == *smallest)?;
    Some((scenario, scenario.findings.get(cause.witness)?))
}

/// The cause that a scenario's outcome is told under.
pub fn of_scenario<'a>(evidence: &'a Evidence, scenario: &JudgedScenario) -> Option<&'a Cause> {
    let named = |names: &[String]| names.contains(&scenario.name);
    evidence.judged.causes.iter().find(|cause| named(&cause.scenarios) || named(&cause.not_judged))
}

fn names(names: &[String]) -> String {
    let shown = names.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}
