#![allow(clippy::unwrap_used)]
use super::*;

fn written(bodies: &[&[u8]]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.log");
    let mut journal = Journal::open(&path, false).unwrap().journal;
    for body in bodies {
        journal.append(body);
    }
    journal.commit().unwrap();
    (dir, path)
}

fn bodies(path: &Path) -> Vec<Vec<u8>> {
    Journal::open(path, false).unwrap().records.into_iter().map(|(_, body)| body).collect()
}

#[test]
fn what_was_committed_is_read_again() {
    let (_dir, path) = written(&[b"one", b"", b"three"]);
    assert_eq!(bodies(&path), [b"one".to_vec(), b"".to_vec(), b"three".to_vec()]);
}

#[test]
fn a_record_torn_at_any_byte_is_cut_off_and_the_journal_goes_on() {
    let (_dir, path) = written(&[b"first", b"second"]);
    let whole = std::fs::read(&path).unwrap();
    let first_end = MAGIC.len() + HEADER_BYTES + 5;
    for cut in first_end + 1..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let opened = Journal::open(&path, false).unwrap();
        assert_eq!(opened.records.len(), 1, "cut at {cut}");
        assert_eq!(opened.torn_bytes, (cut - first_end) as u64);
        let mut journal = opened.journal;
        journal.append(b"third");
        journal.commit().unwrap();
        assert_eq!(bodies(&path), [b"first".to_vec(), b"third".to_vec()]);
    }
}

#[test]
fn damage_in_the_middle_is_refused_at_every_byte_and_says_where() {
    let (_dir, path) = written(&[b"first", b"second"]);
    let whole = std::fs::read(&path).unwrap();
    for at in MAGIC.len()..MAGIC.len() + HEADER_BYTES + 5 {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        std::fs::write(&path, &damaged).unwrap();
        let error = Journal::open(&path, false).unwrap_err();
        assert!(matches!(error, JournalError::Corrupt { offset: 18, .. }), "{error}");
    }
}

#[test]
fn a_tail_of_zeros_is_torn_not_corrupt() {
    let (_dir, path) = written(&[b"first"]);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(&[0; 100]);
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(Journal::open(&path, false).unwrap().torn_bytes, 100);
}

#[test]
fn a_file_that_is_no_journal_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.log");
    std::fs::write(&path, "something else, longer than the magic").unwrap();
    assert!(matches!(Journal::open(&path, false), Err(JournalError::NotAJournal { .. })));
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("something else"));
}

#[test]
fn the_planted_defect_writes_only_on_a_clean_stop() {
    let (_dir, path) = written(&[]);
    let mut journal = Journal::open(&path, true).unwrap().journal;
    journal.append(b"acknowledged");
    journal.commit().unwrap();
    assert!(bodies(&path).is_empty());
    journal.close().unwrap();
    assert_eq!(bodies(&path).len(), 1);
}
