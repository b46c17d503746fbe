//! The shape of files: length, width, tests beside the code, comments that say something.

use super::debts::{ECHOES, LONG, WIDE, is_owed};
use super::none;
use super::sources::{ALL, Source, code_of, is_word};

const MAX_LINES: usize = 450;
const MAX_COLUMNS: usize = 120;

#[test]
fn files_are_short() {
    let long = |source: &&Source| source.has_ending(&[".rs"]) && source.text.lines().count() > MAX_LINES;
    let long = ALL.iter().filter(long).filter(|source| !is_owed(LONG, &source.path));
    let places: Vec<String> =
        long.map(|source| format!("{}: {} lines", source.path, source.text.lines().count())).collect();
    none(&places, &format!("Split the file by what it does: at most {MAX_LINES} lines."));
}

#[test]
fn lines_fit_the_screen() {
    let mut places = Vec::new();
    for source in ALL.iter().filter(|source| !is_owed(WIDE, &source.path)) {
        let mut in_block = false;
        for (number, line) in source.lines() {
            if source.has_ending(&[".md"]) && line.trim_start().starts_with("```") {
                in_block = !in_block;
            }
            let is_table = match source.path.rsplit('.').next() {
                Some("md") => line.starts_with('|'),
                Some("toml") => !line.trim_start().starts_with('#'),
                Some("rs") if line.trim_start().starts_with("//") => line.contains("//! | "),
                Some("rs") => !source.is_production() && line.contains('"'),
                _ => false,
            };
            let is_free = in_block || is_table || holds_link(line);
            if line.chars().count() > MAX_COLUMNS && !is_free {
                places.push(source.at(number));
            }
        }
    }
    none(
        &places,
        &format!("Break the line: at most {MAX_COLUMNS} columns. Tables, links and the data of tests are free."),
    );
}

fn holds_link(line: &str) -> bool {
    line.contains("://")
}

#[test]
fn tests_stand_in_files_of_their_own() {
    let production = ALL.iter().filter(|source| source.is_production());
    let mut places = Vec::new();
    for source in production {
        for (index, line) in code_of(&source.text).lines().enumerate() {
            if line.contains("#[test]") || line.contains("mod tests {") {
                places.push(source.at(index + 1));
            }
        }
    }
    none(&places, "Move the tests of `foo.rs` into `foo/tests.rs`, and declare `#[cfg(test)] mod tests;`.");
}

#[test]
fn no_test_is_left_out() {
    let mut places = Vec::new();
    for source in ALL.iter().filter(|source| source.has_ending(&[".rs"])) {
        for (index, line) in code_of(&source.text).lines().enumerate() {
            if line.contains("#[ignore") {
                places.push(source.at(index + 1));
            }
        }
    }
    none(&places, "Mend the test, or delete it and say why in the commit.");
}

#[test]
fn programs_do_not_panic() {
    let macros = ["panic!", "unreachable!", "todo!", "unimplemented!", ".expect("];
    let mut places = Vec::new();
    for source in ALL.iter().filter(|source| source.is_production()) {
        for (index, line) in code_of(&source.text).lines().enumerate() {
            if macros.iter().any(|name| line.contains(name)) {
                places.push(source.at(index + 1));
            }
        }
    }
    none(
        &places,
        "Return an error that says where, what and how to mend it. A fault of the tool itself has exit code 70.",
    );
}

#[test]
fn doc_comments_say_more_than_the_name() {
    let mut places = Vec::new();
    for source in ALL.iter().filter(|source| source.is_production() && !is_owed(ECHOES, &source.path)) {
        let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
        for (index, line) in lines.iter().enumerate() {
            let Some(comment) = line.strip_prefix("/// ") else { continue };
            let is_alone = index.checked_sub(1).is_none_or(|before| !lines[before].starts_with("///"));
            let item = lines[index + 1..].iter().find(|line| !line.starts_with("#["));
            if is_alone && item.is_some_and(|item| repeats(comment, item)) {
                places.push(format!("{}: {line}", source.at(index + 1)));
            }
        }
    }
    none(
        &places,
        "Delete the comment. Where lints then ask for one, put `#[allow(missing_docs, reason = \"the names say it\")]` \
         on the type.",
    );
}

/// Whether a comment has no word that is not in the item's line.
fn repeats(comment: &str, item: &str) -> bool {
    const EMPTY: [&str; 14] =
        ["a", "an", "the", "of", "its", "this", "that", "for", "to", "in", "is", "it", "one", "as"];
    let names = words_of(item);
    let said = words_of(comment);
    !item.starts_with("///")
        && said.iter().filter(|word| !EMPTY.contains(&word.as_str())).all(|word| names.contains(word))
}

/// The words of a line in lower case and singular, with names split at `_` and at capitals.
fn words_of(line: &str) -> Vec<String> {
    let mut spaced = String::new();
    for c in line.chars() {
        if c.is_uppercase() {
            spaced.push(' ');
        }
        spaced.extend(c.to_lowercase());
    }
    let words = spaced.split(|c: char| !is_word(c) || c == '_').filter(|word| !word.is_empty());
    words.map(|word| word.strip_suffix('s').unwrap_or(word).to_owned()).collect()
}

#[test]
fn a_comment_that_repeats_the_name_is_found() {
    assert!(repeats("The seed.", "pub seed: Seed,"));
    assert!(repeats("The retention floor of a stream.", "pub fn retention_floor(stream: &Stream) -> u64 {"));
    assert!(!repeats("The seq before the oldest one that is kept.", "pub retention_floor: u64,"));
}
