//! The search over smaller scenarios, with an oracle that only reads: what fails, stays, and nothing else.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::scenario::stock;

fn origin(name: &str) -> Origin {
    let wanted = Wanted { lane: Some(LaneId::Legacy), checker: "gap", reason: "not-live" };
    Origin { name: name.to_owned(), seed: Seed(7), wanted, planted: Default::default() }
}

fn honest() -> Vec<(&'static str, &'static str)> {
    stock().iter().copied().filter(|(path, _)| !path.contains("known-bad")).collect()
}

/// Shrinks with an oracle, and returns the search once it has ended.
fn shrunk(path: &str, text: &str, at_once: usize, limit: usize, fails: impl Fn(&Tree) -> bool) -> Shrink {
    let mut shrink = Shrink::new(path, text, &origin("found"), limit).unwrap();
    assert!(fails(&shrink.best.tree), "the whole scenario fails");
    loop {
        let proposed = shrink.propose(at_once);
        if proposed.is_empty() {
            return shrink;
        }
        let failed: Vec<bool> = proposed.iter().map(|proposal| fails(&proposal.tree)).collect();
        shrink.answer(&failed);
    }
}

/// How many entries of a list do this.
fn count(tree: &Tree, list: &str, key: &str, word: &str) -> usize {
    let members = tree.get(list).and_then(Tree::list).unwrap_or_default();
    members.iter().filter(|member| member.get(key).and_then(Tree::text) == Some(word)).count()
}

fn published(tree: &Tree) -> i64 {
    let steps = tree.get("steps").and_then(Tree::list).unwrap_or_default();
    let counts = steps.iter().filter_map(|step| match step.get("count") {
        Some(Tree::Whole(count)) => Some(*count),
        _ => None,
    });
    counts.max().unwrap_or(0)
}

fn text_of(name: &str) -> (&'static str, &'static str) {
    honest().into_iter().find(|(path, _)| path.ends_with(&format!("/{name}.toml"))).unwrap()
}

#[test]
fn what_a_finding_does_not_need_goes() {
    let (path, text) = text_of("policy-changed");
    let shrink = shrunk(path, text, 1, 10_000, |tree| count(tree, "steps", "do", "policy") > 0 && published(tree) >= 7);
    insta::assert_snapshot!(shrink.file("3 of 3"));
}

#[test]
fn an_expanded_scenario_shrinks_to_one_case() {
    let (path, text) = text_of("resume-after-cut");
    let shrink = shrunk(path, text, 4, 10_000, |tree| count(tree, "faults", "do", "cut") > 0);
    insta::assert_snapshot!(shrink.file("2 of 3"));
}

#[test]
fn a_file_keeps_its_meaning_when_it_is_printed() {
    for (path, text) in honest() {
        let tree = Tree::parse(text).unwrap();
        let printed = print(&tree).text;
        assert_eq!(Tree::parse(&printed).unwrap().size(), tree.size(), "{path}");
        let again = Scenario::parse(path, &printed).unwrap();
        let before = Scenario::parse(path, text).unwrap();
        assert_eq!(format!("{:?}", again.at_least), format!("{:?}", before.at_least), "{path}");
    }
}

#[test]
fn a_known_bad_scenario_is_refused() {
    let (path, text) = stock().iter().copied().find(|(path, _)| path.contains("known-bad")).unwrap();
    assert!(Shrink::new(path, text, &origin("found"), 10).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// The result still fails, no entry of it can go alone, the bound holds, and the search is deterministic.
    #[test]
    fn the_result_fails_and_is_minimal(
        which in 0usize..1_000, first in 0usize..1_000, second in 0usize..1_000, at_once in 1usize..5
    ) {
        let all = honest();
        let (path, text) = all[which % all.len()];
        let whole = Tree::parse(text).unwrap();
        let steps = whole.get("steps").and_then(Tree::list).unwrap();
        let word = |at: usize| steps[at % steps.len()].get("do").and_then(Tree::text).unwrap().to_owned();
        let (first, second) = (word(first), word(second));
        let fails = |tree: &Tree| count(tree, "steps", "do", &first) > 0 && count(tree, "steps", "do", &second) > 0;
        let shrink = shrunk(path, text, at_once, 100_000, fails);
        prop_assert!(fails(&shrink.best.tree));
        for one in moves(&shrink.best.tree) {
            if !matches!(one, Move::Drop { .. }) { continue }
            let Some(tree) = one.applied(&shrink.best.tree) else { continue };
            let is_scenario = Scenario::parse(&path_of("found"), &print(&tree).text).is_ok();
            prop_assert!(!(is_scenario && fails(&tree)), "{one:?} is left\n{}", shrink.best.text);
        }
        let again = shrunk(path, text, at_once, 100_000, fails);
        prop_assert_eq!((&again.best.text, again.trials), (&shrink.best.text, shrink.trials));
        let bounded = shrunk(path, text, at_once, 5, fails);
        prop_assert!(bounded.trials <= 5);
    }
}
