use super::{content_hash, decide_call};
use crate::refusal::Refusal;

#[test]
fn a_key_counts_once_and_only_for_the_same_content() {
    assert_eq!(decide_call(None, "a"), Ok(true));
    assert_eq!(decide_call(Some("a"), "a"), Ok(false));
    assert_eq!(decide_call(Some("a"), "b"), Err(Refusal::KeyConflict));
}

#[test]
fn contents_that_only_look_alike_have_different_hashes() {
    assert_eq!(content_hash(&["a", "b"]), content_hash(&["a", "b"]));
    assert_ne!(content_hash(&["a", "b"]), content_hash(&["a\",\"b"]));
    assert_ne!(content_hash(&["a", ""]), content_hash(&["", "a"]));
}
