use super::matches;

#[test]
fn a_star_takes_any_run_and_a_question_mark_one_character() {
    for (glob, name, expect) in [
        ("resume-*", "resume-after-cut", true),
        ("resume-*", "late-resume-x", false),
        ("*cut*", "resume-after-cut", true),
        ("known-bad/*", "known-bad/drop-delivery", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("*a*b", "xxaxxaxb", true),
        ("*a*b", "xxaxxbx", false),
        ("", "", true),
        ("", "a", false),
        ("**", "", true),
    ] {
        assert_eq!(matches(glob, name), expect, "{glob} {name}");
    }
}
