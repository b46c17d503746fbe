use super::*;

#[test]
fn a_reply_belongs_to_the_oldest_unanswered_resume_of_its_connection() {
    let mut tally = Tally::default();
    let resume = FrameTag::Resume { cursors: vec![], opens: true };
    assert_eq!(tally.count(1, Direction::Upstream, &resume), 1);
    assert_eq!(tally.count(2, Direction::Upstream, &resume), 2, "the first connection was cut before its reply");
    assert_eq!(tally.count(2, Direction::Upstream, &resume), 3);
    assert_eq!(tally.count(2, Direction::Downstream, &FrameTag::ResumeReply), 2);
    assert_eq!(tally.count(2, Direction::Downstream, &FrameTag::ResumeReply), 3);
    assert_eq!(tally.count(2, Direction::Downstream, &FrameTag::ResumeReply), 0, "nothing was asked");
}

#[test]
fn a_connection_is_settled_once_all_that_it_asked_for_is_answered() {
    let mut tally = Tally::default();
    assert!(tally.settled(1));
    tally.count(1, Direction::Upstream, &FrameTag::Publish);
    tally.count(1, Direction::Upstream, &FrameTag::Heartbeat);
    tally.count(2, Direction::Downstream, &FrameTag::Ack);
    tally.count(1, Direction::Downstream, &FrameTag::Ack);
    assert!(!tally.settled(1), "the heartbeat is open");
    tally.count(1, Direction::Downstream, &FrameTag::HeartbeatReply);
    assert!(tally.settled(1));
    tally.count(1, Direction::Upstream, &FrameTag::Publish);
    tally.forget(1);
    assert!(tally.settled(1) && tally.unanswered.is_empty());
}
