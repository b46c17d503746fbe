#![allow(clippy::unwrap_used)]
use super::*;
use crate::hash::payload_hash;
use crate::ids::Seed;
use crate::scenario::words::PAYLOADS;
use std::collections::BTreeSet;

#[test]
fn every_payload_has_a_canonical_form_and_is_alone_of_its_kind() {
    let mut hashes = BTreeSet::new();
    let mut chance = Chance::new(Seed(3), "payloads");
    for (name, kind) in PAYLOADS {
        for nth in 1..=60 {
            let key = format!("{name}:{nth}");
            let text = payload(&mut chance, *kind, &key, nth);
            let hash = payload_hash(text.as_bytes()).unwrap_or_else(|error| panic!("{name} {nth}: {error}\n{text}"));
            if !EXEMPT.contains(&text.as_str()) {
                assert!(text.contains(&key), "{name} {nth}");
                assert!(hashes.insert(hash), "{name} {nth} comes twice");
            }
        }
    }
}

#[test]
fn a_large_payload_is_within_its_bounds() {
    let mut chance = Chance::new(Seed(3), "large");
    for nth in 0..20 {
        let len = payload(&mut chance, Payload::Large, "k", nth).len() as u64;
        assert!((LARGE_BYTES.0..LARGE_BYTES.1 + 200).contains(&len), "{len}");
    }
}

#[test]
fn an_altered_payload_is_json_and_another_one() {
    let mut chance = Chance::new(Seed(3), "altered");
    for (name, kind) in PAYLOADS {
        for nth in 1..9 {
            let key = format!("{name}:{nth}:ab0");
            let text = payload(&mut chance, *kind, &key, nth);
            let other = payload_hash(altered(&text, &key).as_bytes()).unwrap();
            assert_ne!(other, payload_hash(text.as_bytes()).unwrap());
        }
    }
}
