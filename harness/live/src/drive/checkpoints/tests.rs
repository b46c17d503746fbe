#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn a_client_that_died_finds_what_it_wrote_last() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = CheckpointFile::of(dir.path(), "desk");
    for (stream, cursor) in [("a", Some(3)), ("b", Some(1)), ("c", Some(7)), ("a", Some(4)), ("b", None)] {
        file.store(&stream.into(), cursor.map(Cursor)).unwrap();
    }
    let cursors = CheckpointFile::of(dir.path(), "desk").load().unwrap();
    assert_eq!(cursors, [("a".into(), Cursor(4)), ("c".into(), Cursor(7))].into());
    let other = CheckpointFile::of(dir.path(), "other").load().unwrap();
    assert!(other.is_empty());
}

#[test]
fn a_client_that_died_while_it_wrote_finds_what_it_wrote_before() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = CheckpointFile::of(dir.path(), "desk");
    file.store(&"a".into(), Some(Cursor(3))).unwrap();
    let path = dir.path().join("desk.checkpoint.jsonl");
    let whole = std::fs::read(&path).unwrap();
    for torn in 0..whole.len() {
        std::fs::write(&path, [&whole[..], &whole[..torn]].concat()).unwrap();
        assert_eq!(file.load().unwrap(), [("a".into(), Cursor(3))].into(), "{torn} bytes");
    }
}

#[test]
fn a_damaged_checkpoint_is_named_by_its_path_and_line() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("desk.checkpoint.jsonl"), "[\"a\",1]\n{\n").unwrap();
    let error = CheckpointFile::of(dir.path(), "desk").load().unwrap_err().to_string();
    assert!(error.contains("desk.checkpoint.jsonl, line 2"), "{error}");
}
