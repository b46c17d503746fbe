//! Words of the old dialect, which must not come back.

use super::none;
use super::sources::{ALL, Source, is_word};

/// A word that was given up, and the one to use.
const GONE: &[(&str, &str)] = &[
    ("can't be had", "is unavailable"),
    ("Deaths", "ExitWatcher"),
    ("Desk", "Interceptor"),
    ("Door", "Listener"),
    ("house server", "managed server"),
    ("Outlet", "Egress"),
    ("Passage", "Route"),
    ("Staged", "PreparedScenario"),
    ("StageError", "EnvironmentError"),
    ("Strike", "Effect"),
    ("Strikes", "FaultLog"),
    ("Teller", "Decoder"),
    ("Troupe", "Runner"),
    ("Victim", "Target"),
];

#[test]
fn no_word_of_the_old_dialect_is_back() {
    let mut places = Vec::new();
    for source in ALL.iter().filter(|source| !source.path.ends_with("tidy/words.rs")) {
        for (old, new) in GONE {
            places.extend(places_of(source, old).map(|place| format!("{place}: say `{new}` for `{old}`")));
        }
    }
    none(&places, "Use the term of the field. `docs/GLOSSARY.md` has one word for each thing.");
}

/// The lines that hold a word as a whole.
fn places_of(source: &Source, word: &str) -> impl Iterator<Item = String> {
    source.lines().filter(move |(_, line)| holds(line, word)).map(|(number, _)| source.at(number))
}

fn holds(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_word) && !line[at + word.len()..].starts_with(is_word))
}

#[test]
fn a_word_is_found_as_a_whole() {
    assert!(holds("the Troupe, which", "Troupe"));
    assert!(!holds("the Troupes", "Troupe"));
}
