use super::{Standing, check_state, check_update, may_update};
use crate::refusal::Refusal;

const STATES: [&str; 6] = ["open", "assigned", "running", "completed", "failed", "cancelled"];

fn standing(state: &str) -> Standing<'_> {
    let provider_id = if state == "open" { "" } else { "p" };
    Standing { state, requester_id: "r", provider_id }
}

fn update(from: &str, to: &str) -> Result<(), Refusal> {
    let provider_id = if from == "open" && to != "assigned" { "" } else { "p" };
    check_update(&standing(from), to, provider_id)
}

#[test]
fn only_these_transitions_are_legal() {
    let legal: Vec<_> = STATES
        .iter()
        .flat_map(|from| STATES.iter().map(move |to| (*from, *to)))
        .filter(|(from, to)| update(from, to).is_ok())
        .collect();
    let expected = [
        ("open", "assigned"),
        ("open", "cancelled"),
        ("assigned", "running"),
        ("assigned", "cancelled"),
        ("running", "completed"),
        ("running", "failed"),
        ("running", "cancelled"),
    ];
    assert_eq!(legal, expected);
    let (from, to) = ("completed".to_owned(), "running".to_owned());
    assert_eq!(update("completed", "running"), Err(Refusal::IllegalTransition { from, to }));
}

#[test]
fn an_assignment_keeps_its_provider() {
    assert_eq!(check_update(&standing("assigned"), "running", "q"), Err(Refusal::AssignmentConflict));
    assert!(matches!(check_update(&standing("open"), "assigned", " "), Err(Refusal::BadArgument { .. })));
}

#[test]
fn a_provider_goes_on_and_the_requester_cancels() {
    assert_eq!(may_update(&standing("open"), "assigned", "q"), "q");
    assert_eq!(may_update(&standing("assigned"), "running", "q"), "p");
    assert_eq!(may_update(&standing("assigned"), "cancelled", "q"), "r");
}

#[test]
fn an_unknown_state_is_refused() {
    assert!(matches!(check_state("done"), Err(Refusal::BadArgument { argument: "state", .. })));
}
