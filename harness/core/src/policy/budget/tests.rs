#![allow(clippy::unwrap_used)]

use super::*;
use crate::ids::Seed;
use crate::policy::{Policy, Terms};
use crate::scenario::{Scenario, compile};

fn terms(budget: &str) -> Terms {
    let text = format!("schema = 1\n{budget}");
    Policy::parse("policy.toml", &text).unwrap().terms(None, false, "").unwrap()
}

#[test]
fn a_policy_without_budgets_leaves_the_default() {
    assert_eq!(terms("").budgets, None);
    assert_eq!(terms("[budget]").budgets, Some(Budgets::default()));
    assert!(wider(&Budgets::default()).is_empty());
}

#[test]
fn what_a_limit_does_not_say_stays_as_it_is() {
    let read = terms("[budget.latency]\np50 = { ms = 80 }").budgets.unwrap();
    assert_eq!(read.latency.p50, Limit { ms: 80, percent: 50, noise_ms: Some(100) });
    assert_eq!(read.latency.p10, Budgets::default().latency.p10);
    assert_eq!(read.recovery, Budgets::default().recovery);
}

#[test]
fn only_what_is_wider_than_the_default_is_told() {
    let text = "[budget]\nlegacy_may_be_slower = true\n[budget.latency]\np10 = { ms = 5 }\np95 = { noise_ms = 50 }\n\
                [budget.recovery]\np10 = { ms = 400 }\np50 = { noise_ms = 101 }";
    let told = wider(&terms(text).budgets.unwrap());
    let told: Vec<&str> = told.iter().map(|told| told.split(", and by default").next().unwrap()).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    recovery p10: a lane may be slower by 400 ms or 200 % at a noise of up to 25 ms
    recovery p50: a lane may be slower by 25 ms or 200 % at a noise of up to 101 ms
    the legacy lane may be slower by any time
    ");
}

#[test]
fn mistakes_are_told_with_their_places() {
    let text = "schema = 1\n[budget]\nlegacy_may_be_slower = 1\n[budget.latency]\np75 = {}\np50 = { ms = -1, s = 3 }";
    let found = Policy::parse("policy.toml", text).unwrap_err().to_string();
    for place in ["policy.toml:3:24: `legacy_may_be_slower`", "policy.toml:5:1: ", "policy.toml:6:14: `ms`", "`s`"] {
        assert!(found.contains(place), "{place}: {found}");
    }
}

#[test]
fn budgets_are_for_plans_that_are_timed_and_for_none_that_tests_the_gate() {
    let budgets = terms("[budget.latency]\np50 = { ms = 80 }").budgets;
    let of = |rate: &str, expect: &str| {
        let folder = if expect.is_empty() { "scenarios" } else { "known-bad" };
        let text = format!(
            r#"
schema = 1
name = "x"
title = "x"
proves = ["replay-determinism"]
streams = [{{ topic = "run:a:events" }}]
clients = [{{ name = "desk" }}]
steps = [{{ do = "connect" }}, {{ do = "publish", stream = "run:a:events"{rate} }}]
{expect}
at_least = {{ deliveries = 1 }}
"#
        );
        let scenario = Scenario::parse(&format!("{folder}/x.toml"), &text).unwrap_or_else(|errors| panic!("{errors}"));
        budgeted(compile(&scenario, Seed(1)), budgets).budgets
    };
    let rate = ", rate = 125, for_ms = 640, at_most_ms = 640";
    assert_eq!(of(rate, ""), budgets);
    assert_eq!(of(", count = 5", ""), None);
    let known_bad = "legacy_defects = [\"slow-live\"]\n\
                     expect = { decision = \"block\", findings = [\"latency\"], lane = \"legacy\" }";
    assert_eq!(of(rate, known_bad), None);
}
