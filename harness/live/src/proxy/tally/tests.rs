use super::*;

#[test]
fn a_reply_belongs_to_the_oldest_unanswered_resume_of_its_connection() {
    let mut tally = Tally::default();
    let resume = FrameTag::Resume { cursors: vec![], opens: true };
    assert_eq!(tally.count(1, Direction::ToLane, &resume), 1);
    assert_eq!(tally.count(2, Direction::ToLane, &resume), 2, "the first connection was cut before its reply");
    assert_eq!(tally.count(2, Direction::ToLane, &resume), 3);
    assert_eq!(tally.count(2, Direction::ToClient, &FrameTag::ResumeReply), 2);
    assert_eq!(tally.count(2, Direction::ToClient, &FrameTag::ResumeReply), 3);
    assert_eq!(tally.count(2, Direction::ToClient, &FrameTag::ResumeReply), 0, "nothing was asked");
}

#[test]
fn a_connection_is_settled_once_all_that_it_asked_for_is_answered() {
    let mut tally = Tally::default();
    assert!(tally.settled(1));
    tally.count(1, Direction::ToLane, &FrameTag::Publish);
    tally.count(1, Direction::ToLane, &FrameTag::Heartbeat);
    tally.count(2, Direction::ToClient, &FrameTag::Ack);
    tally.count(1, Direction::ToClient, &FrameTag::Ack);
    assert!(!tally.settled(1), "the heartbeat is open");
    tally.count(1, Direction::ToClient, &FrameTag::HeartbeatReply);
    assert!(tally.settled(1));
    tally.count(1, Direction::ToLane, &FrameTag::Publish);
    tally.forget(1);
    assert!(tally.settled(1) && tally.unanswered.is_empty());
}
