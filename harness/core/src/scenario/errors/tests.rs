use super::*;

#[test]
fn columns_count_characters_and_lines_count_from_one() {
    let mut lines = Lines::of("a\nüb");
    assert_eq!(lines.at(0), (1, 1));
    assert_eq!(lines.at(3), (2, 1), "inside a character");
    assert_eq!(lines.at(4), (2, 2));
    assert_eq!(lines.at(99), (2, 3), "past the end");
}

#[test]
fn a_near_miss_is_named_and_anything_else_gets_the_list() {
    let known = ["publish", "policy"];
    assert_eq!(did_you_mean("publsh", &known).as_deref(), Some("did you mean `publish`?"));
    assert_eq!(did_you_mean("zzz", &known).as_deref(), Some("known are: publish, policy"));
}
