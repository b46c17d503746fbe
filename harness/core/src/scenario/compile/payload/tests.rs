#![allow(clippy::unwrap_used)]
use super::edges::{BARE, EQUAL, LOOKALIKES, NAMES};
use super::invalid::INVALID;
use super::*;
use crate::hash::payload_hash;
use crate::ids::Seed;
use crate::scenario::words::PAYLOADS;
use std::collections::BTreeSet;

fn draw(chance: &mut Chance, decks: &mut Decks, family: Payload, mark: &str, nth: u64) -> String {
    payload(chance, decks, family, Place { mark, stream: 0, nth })
}

/// Calls for some payloads of each family; the heavy ones are few.
fn each(seed: u64, mut seen: impl FnMut(&mut Chance, &str, Payload, &str, &str)) {
    let (mut chance, mut decks) = (Chance::new(Seed(seed), "payloads"), Decks::default());
    for (name, family) in PAYLOADS {
        let count = if matches!(family, Payload::Mebibyte | Payload::Large) { 2 } else { 40 };
        for nth in 1..=count {
            let mark = format!("{name}:{nth}:ab0");
            let text = draw(&mut chance, &mut decks, *family, &mark, nth);
            seen(&mut chance, name, *family, &mark, &text);
        }
    }
}

#[test]
fn every_payload_has_a_canonical_form_and_is_alone_of_its_kind() {
    let mut hashes = BTreeSet::new();
    each(3, |_, name, _, mark, text| {
        let hash = payload_hash(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        if !comes_again(text) {
            assert!(canonical(text).contains(mark), "{name}: {text}");
            assert!(hashes.insert(hash), "{name} comes twice");
        }
    });
}

#[test]
fn a_large_payload_is_within_its_bounds() {
    let (mut chance, mut decks) = (Chance::new(Seed(3), "large"), Decks::default());
    for nth in 0..20 {
        let len = draw(&mut chance, &mut decks, Payload::Large, "k", nth).len() as u64;
        let (least, most) = drawn::LARGE_BYTES;
        assert!((least..most + 200).contains(&len), "{len}");
    }
}

#[test]
fn an_altered_payload_is_json_and_another_one() {
    each(4, |_, _, _, mark, text| {
        let other = payload_hash(altered(text, mark).as_bytes()).unwrap();
        assert_ne!(other, payload_hash(text.as_bytes()).unwrap());
    });
}

#[test]
fn a_respelled_payload_is_the_same_in_another_text() {
    for seed in 0..4 {
        each(seed, |chance, name, _, _, text| {
            let other = respelled(chance, text);
            assert_ne!(other, text, "{name}");
            let same = payload_hash(other.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}\n{other}"));
            assert_eq!(same, payload_hash(text.as_bytes()).unwrap(), "{name}: {text}\n{other}");
        });
    }
}

#[test]
fn a_payload_that_is_nearly_the_same_is_another_one() {
    let mut decks = Decks::default();
    each(5, |chance, name, _, _, text| {
        let other = nearly(chance, &mut decks, 0, text).unwrap_or_else(|| panic!("{name}: nothing is near {text}"));
        assert_ne!(payload_hash(other.as_bytes()).unwrap(), payload_hash(text.as_bytes()).unwrap(), "{name}");
        let apart = other.len().abs_diff(canonical(text).len());
        assert!(apart < 200, "{name}: {apart} bytes apart");
    });
}

#[test]
fn every_small_change_applies_to_some_payload() {
    let mut chance = Chance::new(Seed(1), "changes");
    let text = draw(&mut chance, &mut Decks::default(), Payload::Lookalikes, "k", 1);
    let tokens = nearly::tokens(&canonical(&text)).into_iter().map(|token| canonical(&text)[token].to_owned());
    let tokens: Vec<_> = tokens.collect();
    for (name, change) in nearly::CHANGES {
        assert!(tokens.iter().any(|token| change(token).is_some()), "{name}");
    }
}

#[test]
fn no_invalid_text_has_a_canonical_form() {
    let mut texts = BTreeSet::new();
    for text in INVALID {
        assert!(payload_hash(text.as_bytes()).is_err(), "{text}");
        assert!(texts.insert(text), "{text} comes twice");
    }
}

#[test]
fn the_entries_of_a_table_are_valid_and_differ() {
    let names: BTreeSet<_> = NAMES.iter().map(|name| canonical(&format!("\"{name}\""))).collect();
    assert_eq!(names.len(), NAMES.len());
    let values = LOOKALIKES.iter().map(|(_, value)| *value).chain(BARE.iter().copied()).chain([EQUAL]);
    for value in values.chain(drawn::NUMBERS.iter().copied()) {
        assert!(payload_hash(value.as_bytes()).is_ok(), "{value}");
    }
}

#[test]
fn each_edge_of_a_table_comes_before_any_comes_again() {
    let (mut chance, mut decks) = (Chance::new(Seed(7), "decks"), Decks::default());
    for _ in 0..3 {
        let bare = BARE.iter().map(|_| draw(&mut chance, &mut decks, Payload::Bare, "k", 1));
        assert_eq!(bare.map(|text| text.trim().to_owned()).collect::<BTreeSet<_>>().len(), BARE.len());
    }
}

#[test]
fn sizes_are_exact() {
    let mut chance = Chance::new(Seed(8), "sizes");
    for levels in sizes::DEPTHS {
        let (mut depth, mut deepest) = (0usize, 0);
        for byte in sizes::deep(&mut chance, "k", *levels).bytes() {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        assert_eq!(deepest, *levels);
    }
    for count in sizes::MEMBERS {
        let text = sizes::members(&mut chance, "k", *count);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let found = value.as_array().map_or_else(|| value.as_object().unwrap().len(), Vec::len);
        assert_eq!(found, count.0);
    }
    for length in sizes::LENGTHS.iter().chain(&sizes::MEBIBYTE) {
        let text = sizes::length(&mut chance, "k", *length);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let members = value.as_object().unwrap();
        let texts = members.iter().flat_map(|(name, value)| [Some(name.as_str()), value.as_str()]).flatten();
        let longest = texts.max_by_key(|text| text.len()).unwrap();
        let size = if length.made == sizes::Made::Wide { longest.chars().count() } else { longest.len() };
        assert_eq!(size, length.edge.saturating_add_signed(length.off), "{length:?}");
    }
}
