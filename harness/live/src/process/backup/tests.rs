#![allow(clippy::unwrap_used)]
use super::*;

/// A data directory as SpacetimeDB has it, with a log of three events, and a lock.
fn data_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("replicas/1/clog");
    std::fs::create_dir_all(&log).unwrap();
    std::fs::write(log.join("0.stdb.log"), b"..k-1..k-2..k-3..").unwrap();
    std::fs::write(dir.path().join("id_ecdsa"), b"key").unwrap();
    std::fs::write(dir.path().join("spacetime.pid"), b"7").unwrap();
    std::os::unix::fs::symlink("/nowhere", dir.path().join("cache")).unwrap();
    dir
}

fn copied(from: &tempfile::TempDir) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    copy(from.path(), to.path(), Part::Rest).unwrap();
    copy(from.path(), to.path(), Part::Logs).unwrap();
    to
}

fn paths(files: &[BackupFile]) -> Vec<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn a_backup_has_logs_and_keys_but_no_lock_and_no_link() {
    let backup = copied(&data_dir());
    assert_eq!(paths(&list(backup.path()).unwrap()), ["id_ecdsa", "replicas/1/clog/0.stdb.log"]);
}

#[test]
fn all_but_the_logs_can_be_copied_first() {
    let (from, to) = (data_dir(), tempfile::tempdir().unwrap());
    copy(from.path(), to.path(), Part::Rest).unwrap();
    assert_eq!(paths(&list(to.path()).unwrap()), ["id_ecdsa"]);
}

#[test]
fn a_copy_is_as_its_list_has_it_until_it_is_damaged() {
    let backup = copied(&data_dir());
    let listed = list(backup.path()).unwrap();
    assert_eq!(compare(&listed, backup.path()).unwrap(), []);
    damage(backup.path(), &Damage::TornTail, Some("k-2")).unwrap();
    let log = "replicas/1/clog/0.stdb.log".to_owned();
    let torn = FileDiffers { path: log.clone(), bytes: 17, now: Some(7) };
    assert_eq!(compare(&listed, backup.path()).unwrap(), [torn]);
    assert_eq!(std::fs::read(backup.path().join(&log)).unwrap(), b"..k-1..");
    damage(backup.path(), &Damage::MissingSegment, None).unwrap();
    assert_eq!(compare(&listed, backup.path()).unwrap(), [FileDiffers { path: log, bytes: 17, now: None }]);
}

#[test]
fn a_key_is_found_in_a_journal_where_its_quotes_are_escaped() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("journal.log"), br#"{"key":"a\"b"}"#).unwrap();
    damage(dir.path(), &Damage::TornTail, Some("a\"b")).unwrap();
    assert_eq!(std::fs::read(dir.path().join("journal.log")).unwrap(), br#"{"key":""#);
}

#[test]
fn a_tail_that_can_not_be_torn_is_an_error() {
    assert!(damage(data_dir().path(), &Damage::TornTail, Some("k-9")).is_err());
}
