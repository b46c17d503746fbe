use super::*;

#[test]
fn the_limit_is_the_systems_own() {
    let raised = raise_file_limit();
    let limit = getrlimit(Resource::RLIMIT_NOFILE);
    assert_eq!(limit, Ok((raised, raised)));
}

#[test]
fn what_the_system_lacks_is_named_and_nothing_else_is() {
    let dir = std::env::temp_dir();
    let cause = |what: &str| cause(what, &dir).unwrap_or_default();
    assert!(cause("can't accept: Too many open files (os error 24)").contains("EMFILE"));
    assert!(cause("cannot write x: No space left on device (os error 28)").contains("ENOSPC"));
    assert_eq!(cause("connection refused"), "");
    assert_eq!(room(Path::new("/proc/self/no/such")), None);
}
