//! Every vector in `golden/hash` against the canonicalizer.

use std::path::PathBuf;

use cutover_core::hash::canonical::MAX_DEPTH;
use cutover_core::hash::{CanonicalErrorKind, Canonicalizer, PayloadHash, canonicalize, payload_hash};
use serde::Deserialize;

fn golden(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/hash")).join(path)
}

fn canonical(input: &[u8]) -> String {
    let mut out = Vec::new();
    let result = canonicalize(input, &mut out);
    result.unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(input)));
    String::from_utf8(out).unwrap()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    input: Option<String>,
    input_hex: Option<String>,
    canonical: Option<String>,
    hash: Option<PayloadHash>,
    unsafe_integers: Option<u64>,
    kind: Option<String>,
    offset: Option<usize>,
    line: Option<usize>,
    column: Option<usize>,
    path: Option<String>,
}

impl Case {
    fn all(file: &str) -> Vec<Case> {
        let text = std::fs::read_to_string(golden(file)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn bytes(&self) -> Vec<u8> {
        match (&self.input, &self.input_hex) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(hex)) => {
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
            }
            _ => panic!("{}: give input or input_hex", self.name),
        }
    }
}

#[test]
fn the_published_documents_have_the_published_canonical_text() {
    let mut names: Vec<_> =
        std::fs::read_dir(golden("rfc8785/input")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let input = std::fs::read(golden("rfc8785/input").join(&name)).unwrap();
        let output = std::fs::read_to_string(golden("rfc8785/output").join(&name)).unwrap();
        assert_eq!(canonical(&input), output.trim_end_matches('\n'), "{name:?}");
        assert_eq!(payload_hash(&input).unwrap(), PayloadHash::of_canonical(output.trim_end_matches('\n').as_bytes()));
    }
}

#[test]
fn the_published_doubles_have_the_published_spelling() {
    let table = std::fs::read_to_string(golden("rfc8785/numbers.csv")).unwrap();
    assert!(table.lines().count() >= 24);
    for line in table.lines() {
        let (bits, expected) = line.split_once(',').unwrap();
        let value = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        // The exponent makes it a double, where a bare integer would keep its digits.
        assert_eq!(canonical(format!("{value:e}").as_bytes()), expected, "{bits}");
        assert_eq!(canonical(format!("[ {value:.1100} ]").as_bytes()), format!("[{expected}]"), "{bits}");
    }
}

#[test]
fn our_own_documents_have_the_recorded_text_hash_and_warnings() {
    let mut canonicalizer = Canonicalizer::new();
    for case in Case::all("canonical.jsonl") {
        let (text, hash, told) = canonicalizer.canonical_and_hash(&case.bytes()).unwrap();
        assert_eq!(std::str::from_utf8(text).ok(), case.canonical.as_deref(), "{}", case.name);
        assert_eq!(Some(hash), case.hash, "{}", case.name);
        assert_eq!(Some(told.unsafe_integers), case.unsafe_integers, "{}", case.name);
    }
}

#[test]
fn texts_without_a_canonical_form_are_refused_with_their_place() {
    let mut messages = String::new();
    for case in Case::all("errors.jsonl") {
        let error = payload_hash(&case.bytes()).err().unwrap_or_else(|| panic!("{} was taken", case.name));
        messages.push_str(&format!("{}: {error}\n", case.name));
        let kind = serde_json::to_value(&error.kind).unwrap()["kind"].clone();
        let got = (kind.as_str().unwrap(), error.offset, error.line, error.column, error.path.as_str());
        let expected = (case.kind.as_deref(), case.offset, case.line, case.column, case.path.as_deref());
        let expected = match expected {
            (Some(kind), Some(offset), Some(line), Some(column), Some(path)) => (kind, offset, line, column, path),
            _ => panic!("{}: incomplete", case.name),
        };
        assert_eq!(got, expected, "{}: {error}", case.name);
    }
    insta::assert_snapshot!("canonical_errors", messages);
}

#[test]
fn nesting_is_limited_by_a_clear_error_and_not_by_the_stack() {
    let nest = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(canonical(nest(MAX_DEPTH).as_bytes()), nest(MAX_DEPTH));
    let error = payload_hash(nest(MAX_DEPTH + 1).as_bytes()).unwrap_err();
    assert_eq!(error.kind, CanonicalErrorKind::TooDeep { limit: MAX_DEPTH });
    assert_eq!(error.offset, MAX_DEPTH);
    assert!(error.to_string().len() < 500, "{error}");
}

#[test]
fn objects_nested_out_of_order_are_sorted_at_every_depth() {
    let depth = 10_000;
    let unsorted = r#"{"b":"#.repeat(depth) + "0" + &r#","a":1}"#.repeat(depth);
    let sorted = r#"{"a":1,"b":"#.repeat(depth) + "0" + &"}".repeat(depth);
    assert_eq!(canonical(unsorted.as_bytes()), sorted);
}

#[test]
fn a_canonicalizer_is_none_the_worse_for_an_error() {
    let mut canonicalizer = Canonicalizer::new();
    assert!(canonicalizer.payload_hash(br#"{"b":{"d":1,"c":[{"z":1,"y":tru"#).is_err());
    assert_eq!(canonicalizer.payload_hash(b"{}").unwrap(), payload_hash(b"{}").unwrap());
    let mut out = b"old".to_vec();
    assert!(canonicalizer.canonicalize(b"[1,", &mut out).is_err());
    assert!(out.is_empty());
}
