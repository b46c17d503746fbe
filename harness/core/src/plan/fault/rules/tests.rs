use super::*;

#[test]
fn reserved_close_codes_are_none() {
    let sent = |from: u64, to: u64| (from..=to).all(is_close_code);
    assert!(sent(1000, 1003) && sent(1007, 1014) && sent(3000, 4999));
    let none = |from: u64, to: u64| !(from..=to).any(is_close_code);
    assert!(none(0, 999) && none(1004, 1006) && none(1015, 2999) && none(5000, 70_000));
}

#[test]
fn a_tilde_in_a_pointer_is_followed_by_0_or_1() {
    for (text, is) in
        [("", true), ("/", true), ("/a/b~0c~1d", true), ("a", false), ("/a~", false), ("/a~9", false), ("/a/~é", false)]
    {
        assert_eq!(is_pointer(text), is, "{text}");
    }
    assert_eq!(pointer_key("~01").as_deref(), Some("~1"));
}
