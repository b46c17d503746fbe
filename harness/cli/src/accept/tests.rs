#![allow(clippy::unwrap_used)]

use std::path::Path;

use cutover_core::ids::{LaneId, Seed};
use cutover_core::plan::Plan;
use cutover_core::scenario::{Scenario, compile, stock};

use super::*;
use crate::baseline::{About, Baselines, write_baseline};

fn plans() -> Vec<Plan> {
    let scenarios = stock().iter().filter(|(path, _)| !path.contains("known-bad")).take(3);
    scenarios.map(|(path, text)| compile(&Scenario::parse(path, text).unwrap(), Seed(1))).collect()
}

fn vector(hash: char) -> Vec<u8> {
    let hash = hash.to_string().repeat(64);
    let line = format!(r#"{{"client":"desk","stream":"run:a:events","seq":1,"hash":"sha256:{hash}"}}"#);
    format!("{{\"schema\":\"cutover.vectors/1\",\"entries\":1}}\n{line}\n").into_bytes()
}

/// Three baselines, each with a change that waits for a review.
fn changed(dir: &Path) -> Vec<Plan> {
    let plans = plans();
    for plan in &plans {
        write_baseline(dir, &About::of(plan, LaneId::Legacy, "a server"), &vector('a')).unwrap();
    }
    let baselines = Baselines::of(dir, &plans.iter().collect::<Vec<_>>(), Seed(1)).unwrap();
    for plan in &plans {
        baselines.propose(&About::of(plan, LaneId::Candidate, "another"), &vector('b')).unwrap();
    }
    plans
}

fn reviewed(dir: &Path, chosen: Option<Choice>, answers: &str) -> String {
    let mut said = String::new();
    let pending = baseline::pending(dir).unwrap();
    review(&pending, chosen, &mut answers.as_bytes(), &mut |text| {
        said += &format!("{text}\n");
        Ok(())
    })
    .unwrap();
    said
}

fn holds(dir: &Path, plan: &Plan) -> Vec<u8> {
    std::fs::read(dir.join(&plan.scenario).join(baseline::VECTOR)).unwrap()
}

#[test]
fn each_change_is_shown_and_done_as_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let plans = changed(dir.path());
    let said = reviewed(dir.path(), None, "a\nwhat?\nr\ns\n");
    assert!(said.contains("(1 of 3)") && said.contains("run:a:events"), "{said}");
    assert!(said.ends_with("1 accepted, 1 rejected, 1 still to be reviewed\n"), "{said}");
    let now: Vec<_> = plans.iter().map(|plan| holds(dir.path(), plan)).collect();
    assert_eq!(now, [vector('b'), vector('a'), vector('a')]);
    assert_eq!(baseline::pending(dir.path()).unwrap().len(), 1);
}

#[test]
fn an_end_of_the_answers_changes_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    changed(dir.path());
    assert!(reviewed(dir.path(), None, "a\n").ends_with("1 accepted, 0 rejected, 2 still to be reviewed\n"));
    assert!(reviewed(dir.path(), None, "q\n").ends_with("0 accepted, 0 rejected, 2 still to be reviewed\n"));
}

#[test]
fn all_changes_are_accepted_or_rejected_at_once() {
    for (choice, hash) in [(Choice::Accept, 'b'), (Choice::Reject, 'a')] {
        let dir = tempfile::tempdir().unwrap();
        let plans = changed(dir.path());
        reviewed(dir.path(), Some(choice), "");
        assert!(plans.iter().all(|plan| holds(dir.path(), plan) == vector(hash)));
        assert!(baseline::pending(dir.path()).unwrap().is_empty());
    }
}

#[test]
fn a_baseline_of_another_plan_or_none_is_refused_with_the_command_that_records_it() {
    let dir = tempfile::tempdir().unwrap();
    let plans = changed(dir.path());
    let seed = Seed(2);
    let other = Plan { seed, ..plans[0].clone() };
    let refused = Baselines::of(dir.path(), &[&other], seed).unwrap_err();
    assert!(refused.message.contains("are of other plans"), "{refused}");
    let command = format!("cutover record --seed 2 --scenario {}", other.scenario);
    assert!(refused.hint.as_ref().is_some_and(|hint| hint.contains(&command)), "{refused}");
    let none = Plan { scenario: "not-recorded".to_owned(), ..plans[0].clone() };
    let refused = Baselines::of(dir.path(), &[&plans[0], &none], Seed(1)).unwrap_err();
    assert!(refused.message.contains("has no baseline of: not-recorded"), "{refused}");
}
