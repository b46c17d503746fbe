use super::*;

fn heads(head: u64) -> BTreeMap<StreamId, Seq> {
    [(StreamId::from("a"), Seq(head))].into()
}

fn at(cursor: u64, subscribed: bool) -> Status {
    Status { subscribed, cursors: [(StreamId::from("a"), Cursor(cursor))].into(), ..Status::default() }
}

#[test]
fn a_client_is_settled_at_the_head_and_not_before() {
    assert!(at(5, true).is_settled(&heads(5)));
    assert!(!at(4, true).is_settled(&heads(5)));
}

#[test]
fn a_client_that_is_reconnecting_is_not_settled() {
    assert!(!at(5, false).is_settled(&heads(5)));
}

#[test]
fn a_stuck_stream_and_a_client_that_gave_up_are_not_waited_for() {
    let mut stuck = at(4, true);
    stuck.stuck.insert("a".into());
    assert!(stuck.is_settled(&heads(5)));
    assert!(Status { gave_up: Some("refused".to_owned()), ..Status::default() }.is_settled(&heads(5)));
}
