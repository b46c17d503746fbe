use super::*;

#[test]
fn other_stands_only_where_nothing_else_does() {
    let other = Kinds::from(MessageKind::Other);
    assert!(other.and(other).has(MessageKind::Other));
    let both = other.and(MessageKind::Delivery).and(MessageKind::ResumeReply);
    assert!(both.has(MessageKind::Delivery) && both.has(MessageKind::ResumeReply) && !both.has(MessageKind::Other));
    assert_eq!(both.to_string(), "resume-reply+delivery");
}
