//! Bundles of runs that were judged by a policy.

use super::*;

const LENIENT: &str = "schema = 1\nmode = \"advisory\"\n[warn]\nfindings = [\"lost-write\", \"unseen\", \"gap\", \"convergence\"]\n[[normalise]]\n\
                       pointer = \"/at\"\nreason = \"clock\"\nowner = \"me\"\nexpires = 2027-01-01\n";

#[test]
fn what_a_policy_lets_pass_is_computed_again() {
    let files = bundle_by(&TWO, State::Complete, Some(LENIENT));
    let rechecked = rechecked(&files);
    assert_eq!(rechecked.problems, []);
    let decision = &rechecked.computed.decision;
    assert_eq!(decision.decision, Decision::PassedInPart, "{:?}", decision.reasons);
    assert!(decision.waived[0].starts_with("convergence/behind-head only warns"), "{:?}", decision.waived);
}

#[test]
fn an_advisory_policy_sets_the_exit_code_of_a_complete_run_alone() {
    let advisory = "schema = 1\nmode = \"advisory\"\n";
    let rechecked_as = |state| {
        let rechecked = rechecked(&bundle_by(&TWO, state, Some(advisory)));
        assert_eq!(rechecked.problems, []);
        (rechecked.computed.decision.decision, rechecked.exit_code())
    };
    assert_eq!(rechecked_as(State::Complete), (Decision::BlockInvalid, 0));
    assert_eq!(rechecked_as(State::Interrupted { by: "SIGINT".to_owned() }), (Decision::BlockInvalid, 1));
}

/// A bundle by one policy whose document was made again with an edited scope.
fn forged(edit: impl Fn(&mut Evidence)) -> Vec<String> {
    let mut files = bundle_by(&TWO, State::Complete, Some(LENIENT));
    let mut evidence = document(&files);
    edit(&mut evidence);
    evidence.seal();
    files.insert(layout::EVIDENCE.to_owned(), evidence.to_bytes());
    problems(&files)
}

#[test]
fn terms_that_do_not_follow_from_the_policy_do_not_hold() {
    let found = forged(|evidence| evidence.scope.policy.warn_findings.push("gap".to_owned()));
    let what = "evidence.json: `scope.policy` does not follow from policy.toml and the phase";
    assert!(found.iter().any(|found| found == what), "{found:?}");
    let found = forged(|evidence| evidence.scope.enforced_rows.push("multi-device".to_owned()));
    let what = "evidence.json: `scope.enforced_rows` does not follow from `scope.policy`";
    assert!(found.iter().any(|found| found == what), "{found:?}");
    let found = forged(|evidence| evidence.scope.policy.day = "2026-02-24".to_owned());
    let what = "evidence.json: `scope.policy.day` is not the day on which `times.json` says that the run started";
    assert!(found.iter().any(|found| found == what), "{found:?}");
}

#[test]
fn a_policy_that_was_removed_or_edited_is_named() {
    let mut files = bundle_by(&TWO, State::Complete, Some(LENIENT));
    files.remove(layout::POLICY);
    assert_eq!(problems(&files), ["policy.toml: is missing"]);
    let mut files = bundle_by(&TWO, State::Complete, Some(LENIENT));
    edit(&mut files, layout::POLICY, "advisory", "blocking");
    assert_eq!(problems(&files), ["policy.toml: was edited: its digest differs"]);
}
