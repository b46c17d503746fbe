use super::*;

#[test]
fn composed_and_decomposed_letters_are_told_apart() {
    assert_eq!(code_points("caf\u{e9}s", "cafe\u{301}s"), Some("at character 4: U+00E9 and U+0065 U+0301".to_owned()));
}

#[test]
fn blanks_letters_and_marks_that_look_alike_are_told_apart() {
    assert_eq!(code_points("a b", "a\u{a0}b").as_deref(), Some("at character 2: U+0020 and U+00A0"));
    assert_eq!(code_points("pay", "p\u{430}y").as_deref(), Some("at character 2: U+0061 and U+0430"));
    assert_eq!(code_points("ab", "a\u{202e}b").as_deref(), Some("at character 2: nothing and U+202E"));
    assert_eq!(code_points("ab", "a\u{200b}b").as_deref(), Some("at character 2: nothing and U+200B"));
}

#[test]
fn plain_letters_need_no_code_points() {
    assert_eq!(code_points("3795ba95", "3795ba90"), None);
    assert_eq!(code_points("same", "same"), None);
}

#[test]
fn what_can_not_be_seen_is_written_out_and_letters_of_all_scripts_stay() {
    assert_eq!(visible("a\u{1b}[1mb\u{202e}\u{a0}"), "a\\u{1b}[1mb\\u{202e}\\u{a0}");
    assert_eq!(visible("café 東京 \u{1f600}"), "café 東京 \u{1f600}");
}

#[test]
fn the_part_that_differs_is_shown_however_long_the_texts_are() {
    let (one, other) =
        (format!("{}x{}", "a".repeat(500), "b".repeat(500)), format!("{}y{}", "a".repeat(500), "b".repeat(500)));
    let (one, other) = around_difference(&one, &other);
    assert!(one.contains('x') && other.contains('y'), "{one} {other}");
    assert!(one.chars().count() <= 2 * AROUND + 2, "{one}");
}

#[test]
fn short_texts_are_shown_whole() {
    assert_eq!(around_difference("one", "two"), ("one".to_owned(), "two".to_owned()));
}
