use super::*;

#[test]
fn confirmed_reads_came_with_version_2() {
    assert!(lacks_confirmed_reads("1.2.0"));
    assert!(!lacks_confirmed_reads("2.8.3"));
    assert!(!lacks_confirmed_reads("of unknown version"));
}
