use super::decide_sent;
use crate::refusal::Refusal;

#[test]
fn an_event_is_sent_once() {
    assert_eq!(decide_sent("", "r1"), Ok(true));
    assert_eq!(decide_sent("r1", "r1"), Ok(false));
    assert_eq!(decide_sent("r1", "r2"), Err(Refusal::KeyConflict));
}
