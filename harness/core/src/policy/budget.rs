//! `[budget]`: by how much a lane may be slower than the other in a run by this policy.

use crate::plan::{Expectation, Plan};
use crate::scenario::{Mistakes, Node, Section, as_truth};
use crate::stats::{Budgets, Limit, Limits, Quantile};

const MOST_MS: u64 = 600_000;
const MOST_PERCENT: u64 = 100_000;

pub(super) fn budgets(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Budgets> {
    let section = Section::of(node, "`budget`", mistakes)?;
    section.only(&["latency", "recovery", "legacy_may_be_slower"], mistakes);
    let mut read = Budgets::default();
    for (key, limits) in [("latency", &mut read.latency), ("recovery", &mut read.recovery)] {
        if let Some(node) = section.get(key) {
            of_time(node, key, limits, mistakes);
        }
    }
    if let Some(node) = section.get("legacy_may_be_slower") {
        read.legacy_may_be_slower = as_truth(node, "legacy_may_be_slower", mistakes);
    }
    Some(read)
}

/// What a file does not say stays as it is in the default, with the noise that leaves a quantile unknown.
fn of_time(node: Node<'_>, key: &str, limits: &mut Limits, mistakes: &mut Mistakes) {
    let Some(section) = Section::of(node, &format!("`budget.{key}`"), mistakes) else { return };
    section.only(&Quantile::ALL.map(Quantile::as_str), mistakes);
    for quantile in Quantile::ALL {
        let Some(node) = section.get(quantile.as_str()) else { continue };
        let Some(section) = Section::of(node, &format!("`budget.{key}.{quantile}`"), mistakes) else { continue };
        section.only(&["ms", "percent", "noise_ms"], mistakes);
        let limit = limits.of_mut(quantile);
        *limit = Limit {
            ms: section.number("ms", 0..=MOST_MS, mistakes).unwrap_or(limit.ms),
            percent: section.number("percent", 0..=MOST_PERCENT, mistakes).unwrap_or(limit.percent),
            noise_ms: section.number("noise_ms", 0..=MOST_MS, mistakes).or(limit.noise_ms),
        };
    }
}

/// The plan with these budgets. A known-bad plan keeps the default: it tests the gate, and not the lanes.
pub(super) fn budgeted(plan: Plan, budgets: Option<Budgets>) -> Plan {
    match plan.takes_turns() && plan.expect == Expectation::Allow {
        true => Plan { budgets, ..plan },
        false => plan,
    }
}

/// What these budgets let pass that the default does not, a sentence each.
pub(super) fn wider(budgets: &Budgets) -> Vec<String> {
    let default = Budgets::default();
    let times = [("latency", &budgets.latency, &default.latency), ("recovery", &budgets.recovery, &default.recovery)];
    let limits = times.into_iter().flat_map(|(time, given, usual)| {
        let each = Quantile::ALL.map(|quantile| (time, quantile, given.of(quantile), usual.of(quantile)));
        each.into_iter()
    });
    let wider = limits.filter_map(|(time, quantile, given, usual)| {
        let noisier = given.noise_ms > usual.noise_ms && usual.noise_ms.is_some();
        (given.ms > usual.ms || given.percent > usual.percent || noisier).then(|| {
            format!("{time} {quantile}: a lane may be slower by {}, and by default by {}", words(given), words(usual))
        })
    });
    let legacy = budgets.legacy_may_be_slower.then(|| "the legacy lane may be slower by any time".to_owned());
    wider.chain(legacy).collect()
}

fn words(limit: Limit) -> String {
    let Limit { ms, percent, noise_ms } = limit;
    let noise = noise_ms.map(|ms| format!(" at a noise of up to {ms} ms")).unwrap_or_default();
    format!("{ms} ms or {percent} %{noise}")
}

#[cfg(test)]
mod tests;
