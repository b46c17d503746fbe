use super::pair_key;

#[test]
fn pairs_that_only_look_alike_have_different_keys() {
    assert_ne!(pair_key("a", "bc"), pair_key("ab", "c"));
    assert_ne!(pair_key("1:a", "b"), pair_key("1", ":ab"));
}
