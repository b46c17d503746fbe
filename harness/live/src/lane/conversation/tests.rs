use super::*;

#[test]
fn the_end_comes_after_what_was_queued_and_then_again_and_again() {
    let mut inbox = Inbox::default();
    inbox.unreadable("first");
    inbox.end(Closed::Silent);
    inbox.unreadable("too late");
    inbox.end(Closed::ByClient);
    assert_eq!(inbox.pop(), Some(Arrival::Unreadable("first".to_owned())));
    assert_eq!(inbox.pop(), Some(Arrival::Closed(Closed::Silent)));
    assert_eq!(inbox.pop(), Some(Arrival::Closed(Closed::Silent)));
}
