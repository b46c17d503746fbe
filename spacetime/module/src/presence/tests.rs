use super::{check_owner, check_state};
use crate::refusal::Refusal;

#[test]
fn a_state_is_one_of_three_words() {
    assert_eq!(check_state("away"), Ok(()));
    assert!(matches!(check_state("Away"), Err(Refusal::BadArgument { argument: "state", .. })));
}

#[test]
fn a_session_keeps_its_client() {
    assert_eq!(check_owner(None, "a"), Ok(()));
    assert_eq!(check_owner(Some("a"), "a"), Ok(()));
    assert_eq!(check_owner(Some("a"), "b"), Err(Refusal::PresenceConflict));
}
