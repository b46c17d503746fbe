//! One damaged, missing or added file is one problem, which names it.

use super::*;
use crate::evidence::recheck::bundle::files_of;

/// A directory in which something else lies under some names than the files do.
struct With(Files, BTreeMap<String, Entry>);

impl Bundle for With {
    fn entries(&self) -> BTreeMap<String, Entry> {
        let mut entries = self.0.entries();
        entries.extend(self.1.clone());
        entries
    }

    fn read(&self, path: &str, bytes: u64) -> Result<Vec<u8>, String> {
        assert!(!self.1.contains_key(path), "{path} is read");
        self.0.read(path, bytes)
    }
}

fn with(files: &Files, path: &str, entry: Entry) -> Vec<String> {
    let bundle = With(files.clone(), BTreeMap::from([(path.to_owned(), entry)]));
    let rechecked = recheck(&bundle, &compile).unwrap();
    rechecked.problems.iter().map(|problem| format!("{}: {}", problem.file, problem.what)).collect()
}

#[test]
fn each_file_that_is_missing_is_one_problem() {
    let whole = bundle(&TWO, State::Complete);
    for path in whole.keys().filter(|path| *path != layout::EVIDENCE) {
        let mut files = whole.clone();
        files.remove(path);
        assert_eq!(problems(&files), [format!("{path}: is missing")]);
    }
}

#[test]
fn each_digested_file_that_was_edited_is_one_problem() {
    let whole = bundle(&TWO, State::Complete);
    for path in whole.keys().filter(|path| is_digested(path)) {
        let mut files = whole.clone();
        let content = files.get_mut(path).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        assert_eq!(problems(&files), [format!("{path}: was edited: its digest differs")]);
        files.get_mut(path).unwrap().truncate(middle);
        assert_eq!(problems(&files), [format!("{path}: was edited or cut short: its length differs")]);
    }
}

#[test]
fn a_file_of_another_length_than_is_listed_is_not_read() {
    let files = bundle(&ALLOWED, State::Complete);
    let path = layout::history("equal", LaneId::Legacy);
    let told = with(&files, &path, Entry::File(1 << 40));
    assert_eq!(told, [format!("{path}: was edited or cut short: its length differs")]);
}

#[test]
fn a_file_that_is_longer_than_any_of_a_bundle_is_not_read_though_it_is_listed_so() {
    let mut files = bundle(&ALLOWED, State::Complete);
    let path = layout::history("equal", LaneId::Legacy);
    forge(&mut files, |evidence| evidence.files.get_mut(&path).unwrap().bytes = MAX_FILE_BYTES + 1);
    let told = with(&files, &path, Entry::File(MAX_FILE_BYTES + 1));
    assert_eq!(told, [format!("{path}: is longer than any file of a bundle")]);
    let told = with(&files, layout::EVIDENCE, Entry::File(MAX_FILE_BYTES + 1));
    assert_eq!(told, ["evidence.json: is longer than any file of a bundle"]);
}

#[test]
fn links_pipes_and_folders_are_no_files_and_are_not_read() {
    let files = bundle(&ALLOWED, State::Complete);
    for (entry, what) in [
        (Entry::Link, "is a symbolic link; a bundle has none"),
        (Entry::Special, "is no plain file; a bundle has no pipes, sockets or devices"),
        (Entry::Folder, "is a folder where a file should be"),
    ] {
        for path in files.keys() {
            assert_eq!(with(&files, path, entry), [format!("{path}: {what}")]);
        }
    }
    for path in ["mine", "plans/mine", "times/mine.legacy.jsonl"] {
        assert_eq!(with(&files, path, Entry::Link), [format!("{path}: is a symbolic link; a bundle has none")]);
        let what = "is no plain file; a bundle has no pipes, sockets or devices";
        assert_eq!(with(&files, path, Entry::Special), [format!("{path}: {what}")]);
        let what = "is a folder that is no part of this bundle: it was added later";
        assert_eq!(with(&files, path, Entry::Folder), [format!("{path}: {what}")]);
    }
}

#[test]
fn a_folder_that_is_missing_or_a_link_is_one_problem() {
    let mut files = bundle(&ALLOWED, State::Complete);
    files.retain(|path, _| !path.starts_with("plans/"));
    assert_eq!(problems(&files), ["plans: is missing, with 2 files in it"]);
    assert_eq!(with(&files, "plans", Entry::Link), ["plans: is a symbolic link; a bundle has none"]);
}

#[test]
fn a_folder_that_a_bundle_may_have_but_holds_nothing_was_added() {
    let mut files = bundle(&[("equal", HONEST, None)], State::Complete);
    let what = "is a folder that is no part of this bundle: it was added later";
    assert_eq!(with(&files, "scenarios/known-bad", Entry::Folder), [format!("scenarios/known-bad: {what}")]);
    files.insert("mine/notes.txt".to_owned(), b"mine".to_vec());
    assert!(problems(&files).contains(&format!("mine: {what}")));
}

#[test]
fn each_file_that_was_added_is_named() {
    let whole = bundle(&ALLOWED, State::Complete);
    for path in [
        "notes.txt",
        "evidence.json.unfinished",
        "scenarios/notes.txt",
        "times/equal.legacy.jsonl.unfinished",
        "times/notes.jsonl",
    ] {
        let mut files = whole.clone();
        files.insert(path.to_owned(), b"{}\n".to_vec());
        assert_eq!(problems(&files), [format!("{path}: is not listed in evidence.json: it was added later")]);
    }
    for path in ["histories/other.legacy.jsonl", "plans/other.json", "times/other.legacy.jsonl"] {
        let mut files = whole.clone();
        files.insert(path.to_owned(), b"{}\n".to_vec());
        let told = problems(&files);
        let added = format!("{path}: is not listed in evidence.json: it was added later");
        assert!(told.contains(&added), "{told:#?}");
    }
}

#[test]
fn a_damaged_history_leaves_the_other_scenarios_compared() {
    let mut files = bundle(&TWO, State::Complete);
    let path = layout::history("equal", LaneId::Candidate);
    files.get_mut(&path).unwrap().push(b'\n');
    edit(&mut files, layout::EVIDENCE, "\"outcome\": \"failed\"", "\"outcome\": \"passed\"");
    let told = problems(&files);
    assert_eq!(
        told,
        [
            "evidence.json: was edited: its digest of itself differs".to_owned(),
            format!("{path}: was edited or cut short: its length differs"),
            "evidence.json: `judged.scenarios.losing.outcome` does not follow from the histories".to_owned(),
        ]
    );
}

#[test]
fn times_that_do_not_fit_the_records_are_named() {
    let whole = bundle(&ALLOWED, State::Complete);
    let path = layout::times("equal", LaneId::Legacy);
    let mut files = whole.clone();
    files.get_mut(&path).unwrap().extend(b"77\n");
    assert_eq!(problems(&files), [format!("{path}: has not one time for each record")]);
    for (from, to) in
        [("\"after_us\": ", "\"after_us\": 1"), ("\"line\": ", "\"line\": 1"), ("\"equal\": 5", "\"equql\": 5")]
    {
        let mut files = whole.clone();
        edit(&mut files, layout::TIMES, from, to);
        let told = problems(&files);
        assert!(told.len() == 1 && told[0].starts_with("times.json: does not follow from"), "{told:?}");
    }
    let mut files = whole;
    edit(&mut files, layout::TIMES, "{\n", "{\n\n");
    let told = problems(&files);
    assert!(told.len() == 1 && told[0].starts_with("times.json: is not as this tool writes it"), "{told:?}");
}

#[test]
fn a_scenario_that_is_judged_and_has_no_file_is_one_problem() {
    let mut files = bundle(&TWO, State::Complete);
    let gone = files_of("losing", &Scope::default()).into_iter().chain(layout::scenario_places("losing"));
    gone.for_each(|path| drop(files.remove(&path)));
    forge(&mut files, |_| {});
    let told = problems(&files);
    assert_eq!(told, ["plans/losing.json: is missing, and so is every other file of the scenario losing"]);
}
