//! Vector files: what is written reads back, and what is not a vector file is refused with its line.

use cutover_core::hash::PayloadHash;
use cutover_core::hash::vector::{Entry, HashVector};
use cutover_core::ids::{ClientId, Seq, StreamId};
use proptest::prelude::*;

use crate::json::{json, spell, text};

pub fn read(text: &str) -> HashVector {
    HashVector::read("vector", text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub fn write(vector: &HashVector) -> String {
    let mut out = Vec::new();
    vector.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The vector of `stream/client/seq payload` lines.
pub fn vector(events: &str) -> HashVector {
    let mut vector = HashVector::new();
    for line in events.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (place, payload) = line.split_once(' ').unwrap();
        let [stream, client, seq] = place.split('/').collect::<Vec<_>>().try_into().unwrap();
        let entry = Entry::with_canonical(payload);
        vector.insert(&stream.into(), &client.into(), Seq(seq.parse().unwrap()), entry);
    }
    vector
}

pub fn vectors() -> impl Strategy<Value = HashVector> {
    let event = (text(), text(), 0u64..6, json(), any::<bool>());
    prop::collection::vec(event, 0..40).prop_map(|events| {
        let mut vector = HashVector::new();
        for (stream, client, seq, payload, keep) in events {
            let mut canonical = Vec::new();
            cutover_core::hash::canonicalize(spell(&payload, &[]).as_bytes(), &mut canonical).unwrap();
            let mut entry = Entry::with_canonical(&String::from_utf8(canonical).unwrap());
            if !keep {
                entry.payload = None;
            }
            vector.insert(&StreamId::new(stream), &ClientId::new(client), Seq(seq), entry);
        }
        vector
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_vector_that_is_written_reads_back(vector in vectors()) {
        let text = write(&vector);
        prop_assert_eq!(text.lines().count(), vector.len() + 1);
        prop_assert_eq!(read(&text), vector);
    }

    #[test]
    fn a_file_that_was_cut_anywhere_is_refused(vector in vectors(), at: prop::sample::Index) {
        let text = write(&vector);
        prop_assume!(!vector.is_empty());
        let cut = &text.as_bytes()[..at.index(text.len() - 1)];
        prop_assert!(HashVector::read("cut", cut).is_err());
    }
}

#[test]
fn the_recorded_file_is_written_as_it_was_read() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/hash/vector.jsonl")).unwrap();
    assert_eq!(write(&read(&text)), text);
}

#[test]
fn the_first_payload_of_a_seq_stays() {
    let mut vector = vector("s/c/1 {}");
    let (stream, client) = (StreamId::new("s"), ClientId::new("c"));
    assert!(!vector.insert(&stream, &client, Seq(1), Entry::with_canonical("{}")));
    assert!(!vector.insert(&stream, &client, Seq(1), Entry::with_canonical("[]")));
    assert_eq!(vector.get(&stream, &client, Seq(1)), Some(&Entry::with_canonical("{}")));
    assert_eq!(vector.len(), 1);
}

#[test]
fn files_that_are_no_vectors_are_refused_with_line_and_mend() {
    let header = r#"{"schema":"cutover.vectors/1"}"#;
    let hash = PayloadHash::of_canonical(b"{}");
    let event = |place: &str| format!(r#"{{{place},"hash":"{hash}"}}"#);
    let first = event(r#""client":"c","stream":"s","seq":2"#);
    let mut messages = String::new();
    for (name, text) in [
        ("an empty file", String::new()),
        ("no header", format!("{first}\n")),
        ("no JSON", "<!doctype html>\n".to_owned()),
        ("another schema", r#"{"schema":"cutover.vectors/2"}"#.to_owned() + "\n"),
        ("an unknown field of the header", r#"{"schema":"cutover.vectors/1","entrys":2}"#.to_owned() + "\n"),
        ("an unknown field", format!("{header}\n{}\n", event(r#""client":"c","stream":"s","seq":2,"sub":1"#))),
        ("a field twice", format!("{header}\n{}\n", event(r#""client":"c","stream":"s","seq":2,"seq":3"#))),
        ("no seq", format!("{header}\n{}\n", event(r#""client":"c","stream":"s""#))),
        ("a negative seq", format!("{header}\n{}\n", event(r#""client":"c","stream":"s","seq":-1"#))),
        ("a bad hash", format!("{header}\n{}\n", first.replace("sha256:", "sha1:"))),
        ("a blank line", format!("{header}\n{first}\n\n")),
        ("a line cut short", format!("{header}\n{first}\n{}", &first[..30])),
        ("fewer entries than promised", format!("{{\"schema\":\"cutover.vectors/1\",\"entries\":3}}\n{first}\n")),
        ("more entries than promised", format!("{{\"schema\":\"cutover.vectors/1\",\"entries\":0}}\n{first}\n")),
        ("an event twice", format!("{header}\n{first}\n{first}\n")),
        ("seqs out of order", format!("{header}\n{first}\n{}\n", event(r#""client":"c","stream":"s","seq":1"#))),
        ("streams out of order", format!("{header}\n{first}\n{}\n", event(r#""client":"c","stream":"r","seq":9"#))),
        ("a payload of another hash", format!("{header}\n{}\n", first.replace("\"hash\"", "\"payload\":[],\"hash\""))),
        (
            "a payload with a duplicate name",
            format!("{header}\n{}\n", first.replace("\"hash\"", "\"payload\":{\"a\":1,\"a\":1},\"hash\"")),
        ),
    ] {
        let error = HashVector::read("a.jsonl", text.as_bytes()).err().unwrap_or_else(|| panic!("{name} was taken"));
        messages.push_str(&format!("{name}: {error}\n"));
    }
    insta::assert_snapshot!("vector_errors", messages);
}
