use super::*;

#[test]
fn words_are_quoted_for_a_shell_where_they_need_it() {
    assert_eq!(quoted("a/b-c.toml"), "a/b-c.toml");
    assert_eq!(quoted("it's"), "'it'\\''s'");
    for word in ["", "a b", "~/a", "$HOME", "`a`", "a;b", "a=b/cutover", "honest-*"] {
        assert_eq!(quoted(word), format!("'{word}'"));
    }
}
