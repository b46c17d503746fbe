#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn each_defect_of_payloads_changes_what_it_says_and_nothing_else() {
    let long = |letters: usize| format!("\"{}\"", "a".repeat(letters));
    let list = |elements: usize| format!("[{}]", vec!["1"; elements].join(","));
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    for (name, wrong, right) in [
        ("cut-text-at-255", long(256), long(255)),
        ("cut-text-at-65535", long(65_536), long(65_535)),
        ("trim-text", "\"a \"".into(), "\" a\"".into()),
        ("crlf-to-lf", "\"\\r\\n\"".into(), "\"\\r\"".into()),
        ("drop-nul", "\"\\u0000\"".into(), "\"0\"".into()),
        ("drop-bom", "\"\u{feff}a\"".into(), "\"a\"".into()),
        ("date-to-utc", "\"2026-01-02T03:04:05+02:00\"".into(), "\"2026-01-02T03:04:05Z\"".into()),
        ("number-from-text", "\"1e5\"".into(), "\"e5\"".into()),
        ("true-from-text", "\"true\"".into(), "true".into()),
        ("empty-text-to-null", "\"\"".into(), "\" \"".into()),
        ("round-big-integers", "9007199254740993".into(), "9007199254740991".into()),
        ("minus-zero", "-0.0".into(), "0.0".into()),
        ("drop-null-members", "{\"a\":null}".into(), "{\"a\":0}".into()),
        ("lower-case-members", "{\"A\":1}".into(), "{\"a\":\"A\"}".into()),
        ("snake-case-members", "{\"aB\":1}".into(), "{\"a_b\":1}".into()),
        ("split-dotted-members", "{\"a.b\":1}".into(), "{\"a\":\"a.b\"}".into()),
        ("drop-proto-member", "{\"__proto__\":1}".into(), "{\"proto\":1}".into()),
        ("elements-from-257", list(257), list(256)),
        ("depth-beyond-64", deep(65), deep(64)),
    ] {
        let defects = Defects::parse(name).unwrap();
        assert!(altered(&wrong, &defects).is_some(), "{name}");
        assert_eq!(altered(&right, &defects), None, "{name}");
        assert_eq!(altered(&wrong, &Defects::default()), None, "{name}");
    }
}
