#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn the_topic_after_the_limit_is_a_strike_and_the_third_strike_the_last() {
    let mut queue = OutboundQueue::new(64, 3);
    for n in 0..64 {
        queue.push(format!("t{n}")).unwrap();
    }
    assert_eq!(queue.push("t3".to_owned()), Ok(()), "a topic that waits already takes no second place");
    let strike = |is_last| Err(Overflow { queue_depth: 65, is_last });
    assert_eq!(queue.push("more".to_owned()), strike(false));
    assert_eq!(queue.push("more".to_owned()), strike(false));
    assert_eq!(queue.push("other".to_owned()), strike(true));
}

#[test]
fn what_was_turned_away_comes_in_when_there_is_a_place() {
    let mut queue = OutboundQueue::new(1, 3);
    queue.push("a".to_owned()).unwrap();
    assert!(queue.push("b".to_owned()).is_err());
    assert_eq!(queue.pop().as_deref(), Some("a"));
    assert_eq!(queue.pop().as_deref(), Some("b"));
    assert_eq!(queue.pop(), None);
}
