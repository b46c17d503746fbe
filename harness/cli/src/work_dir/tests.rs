#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn what_a_killed_run_left_is_taken_away_and_what_is_in_use_is_not() {
    let parent = tempfile::tempdir().unwrap();
    let at = |name: &str| parent.path().join(name);
    let used = WorkDir::make_in(parent.path()).unwrap();
    fs::create_dir_all(at("cutover-1-left/servers/data")).unwrap();
    fs::write(at("cutover-1-left/lock"), "").unwrap();
    fs::create_dir_all(at("cutover-1-being-made")).unwrap();
    fs::create_dir_all(at("cutover-notes-of-mine")).unwrap();
    fs::write(at("cutover-notes-of-mine/lock"), "").unwrap();
    std::os::unix::fs::symlink(at("cutover-notes-of-mine"), at("cutover-2-link")).unwrap();
    let next = WorkDir::make_in(parent.path()).unwrap();
    assert_eq!(fs::metadata(used.path()).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(used.path().join(LOCK).is_file() && next.path().join(LOCK).is_file());
    assert!(!at("cutover-1-left").exists());
    assert!(at("cutover-1-being-made").exists());
    assert!(at("cutover-notes-of-mine/lock").exists());
    let gone = used.path().to_owned();
    drop(used);
    assert!(!gone.exists());
}
