//! Whether what a document says had to run follows from the built-in scenarios, from the lanes and from the files.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use crate::draw::{DrawnScenario, draws};
use crate::evidence::document::{Evidence, State};
use crate::evidence::layout;
use crate::gate::fit::{ServerKind, unfit};
use crate::gate::{Asked, suite_digest};
use crate::plan::{Expectation, Plan};
use crate::scenario::compile;

pub struct Ran {
    asked: Asked,
    unfit: Option<String>,
}

impl Ran {
    pub fn of(plan: &Plan, evidence: &Evidence) -> Ran {
        let asked =
            Asked { digest: plan.scenario_digest.clone(), known_bad: matches!(plan.expect, Expectation::Block { .. }) };
        let unfit = unfit(plan, &evidence.scope.lanes, evidence.scope.aa);
        Ran { asked, unfit }
    }
}

/// Names each part of the scope that does not follow. Scenarios that can't be read are left out.
pub fn follows(
    evidence: &Evidence,
    ran: &BTreeMap<String, Ran>,
    unread: &BTreeSet<String>,
    problems: &mut Vec<Problem>,
) {
    let scope = &evidence.scope;
    let mut report = |what: String| problems.push(Problem::new(layout::EVIDENCE, what));
    for (name, ran) in ran {
        if scope.left_out.contains_key(name) {
            report(format!("`scope.left_out.{name}` names a scenario whose files are there"));
        } else if let Some(why) = &ran.unfit {
            report(format!("`scope.lanes` does not fit {name}, which was driven, although {why}"));
        }
        if scope.scenarios.get(name) != Some(&ran.asked) {
            report(format!("`scope.scenarios.{name}` does not follow from the scenario's files"));
        }
    }
    for name in scope.left_out.keys().filter(|name| !scope.scenarios.contains_key(*name)) {
        report(format!("`scope.left_out.{name}` names a scenario that did not have to run"));
    }
    for name in scope.unfounded() {
        report(format!("`scope.left_out.{name}` does not follow from the scenario and `scope.lanes`"));
    }
    for name in scope.misasked() {
        report(format!(
            "`scope.scenarios.{name}` does not follow from the built-in scenarios and the choice among them"
        ));
    }
    not_as_drawn(evidence, ran).into_iter().for_each(&mut report);
    let accounted =
        |name: &String| ran.contains_key(name) || unread.contains(name) || scope.left_out.contains_key(name);
    if evidence.state == State::Complete {
        for name in scope.scenarios.keys().filter(|name| !accounted(name)) {
            report(format!(
                "`state` says that the run came to its end, but {name} had to run and there is no file of it"
            ));
        }
    }
    for (role, server) in &evidence.lanes {
        let lane = scope.aa.unwrap_or(*role);
        let built_in = scope.lanes.get(&lane).map(|means| means.server == ServerKind::BuiltIn);
        if built_in != Some(server.what == BUILT_IN) {
            report(format!("`scope.lanes.{lane}` does not follow from `lanes.{role}`"));
        }
    }
}

/// What does not follow of the drawn scenarios from the seed. Another suite is another tool, which draws otherwise.
fn not_as_drawn(evidence: &Evidence, ran: &BTreeMap<String, Ran>) -> Vec<String> {
    let scope = &evidence.scope;
    if scope.drawn == 0 || scope.suite != suite_digest() || scope.lanes.is_empty() {
        return Vec::new();
    }
    let wrong = |DrawnScenario { name, scenario, .. }: &DrawnScenario| {
        if let Some(reason) = scope.left_out.get(name) {
            let why = unfit(&compile(scenario, evidence.seed), &scope.lanes, scope.aa);
            let what = format!("`scope.left_out.{name}` does not follow from the scenario and `scope.lanes`");
            return (why.as_ref() != Some(reason)).then_some(what);
        }
        let differs = ran.get(name).is_some_and(|ran| ran.asked.digest != scenario.digest);
        let what = "it was edited, or another version drew it";
        differs.then(|| format!("{name} is not what this tool draws from the seed for these lanes: {what}"))
    };
    draws(evidence.seed, scope.drawn, &scope.lanes, scope.aa).iter().filter_map(wrong).collect()
}

/// What a document calls a server that is part of this tool.
const BUILT_IN: &str = "built-in";
