#![allow(clippy::unwrap_used)]

use super::*;
use crate::check::tests::notation::World;

fn normaliser(pointer: &str, streams: Option<&str>) -> Normaliser {
    Normaliser {
        pointer: pointer.to_owned(),
        streams: streams.map(str::to_owned),
        reason: "the lane has its own clock".to_owned(),
        owner: "sync team".to_owned(),
        expires: "2027-01-01".to_owned(),
    }
}

/// What each delivery's hash stands for, `-` for none of the published payloads, and what was touched.
fn compared(published: [&str; 2], delivered: [&str; 2], normalisers: &[Normaliser]) -> (String, Touched) {
    let World { mut plan, candidate: mut history, .. } = World::read("pub a1..2; c1 sub a; c1 a1 a2").unwrap();
    let mut texts = published.into_iter();
    for step in plan.cases.iter_mut().flat_map(|case| &mut case.steps) {
        if let Step::Publish { payload, hash, .. } = step {
            *payload = texts.next().unwrap().to_owned();
            *hash = payload_hash(payload.as_bytes()).unwrap();
        }
    }
    let mut texts = delivered.into_iter();
    for record in &mut history.records {
        if let Record::Delivered { hash, payload, .. } = record {
            let text = texts.next().unwrap();
            *hash = payload_hash(text.as_bytes()).ok();
            *payload = Some(text.to_owned());
        }
    }
    let (history, touched) = normalised(&plan, &history, normalisers);
    let hashes = published.map(|text| payload_hash(text.as_bytes()).unwrap());
    let stands_for = history.records.iter().filter_map(|record| match record {
        Record::Delivered { hash, .. } => {
            let place = hashes.iter().position(|published| Some(published) == hash.as_ref());
            Some(place.map_or("-".to_owned(), |place| (place + 1).to_string()))
        }
        _ => None,
    });
    (stands_for.collect(), touched)
}

fn touched(name: &str, count: u64) -> Touched {
    Touched::from([(name.to_owned(), count)])
}

#[test]
fn a_field_that_may_differ_is_not_compared_and_counted() {
    let by = [normaliser("/at", None)];
    let found = compared([r#"{"at":1,"b":1}"#, r#"{"at":2,"b":2}"#], [r#"{"b":1,"at":"x"}"#, r#"{"b":2}"#], &by);
    assert_eq!(found, ("12".to_owned(), touched("/at", 2)));
}

#[test]
fn any_other_difference_stays_one() {
    let by = [normaliser("/at", None)];
    let found = compared([r#"{"at":1,"b":1}"#, r#"{"b":2}"#], [r#"{"at":2,"b":3}"#, r#"{"b":2,"c":{"at":1}}"#], &by);
    assert_eq!(found, ("--".to_owned(), Touched::new()));
}

#[test]
fn a_pointer_leads_through_lists_and_escaped_names_and_numbers_keep_their_digits() {
    let sent = r#"{"a/b":[{"t":1},{"t":9007199254740993}],"n":12345678901234567890}"#;
    let got = r#"{"a/b":[{"t":1},{"t":9007199254740992}],"n":12345678901234567890}"#;
    let by = [normaliser("/a~1b/1/t", None)];
    assert_eq!(compared([sent, "1"], [got, "1"], &by), ("12".to_owned(), touched("/a~1b/1/t", 1)));
    let other = got.replace("67890}", "67891}");
    assert_eq!(compared([sent, "1"], [&other, "1"], &by).0, "-2");
}

#[test]
fn a_normaliser_is_for_the_streams_that_its_pattern_names() {
    let texts = ([r#"{"at":1}"#, "1"], [r#"{"at":2}"#, "1"]);
    assert_eq!(compared(texts.0, texts.1, &[normaliser("/at", Some("a*"))]).0, "12");
    assert_eq!(compared(texts.0, texts.1, &[normaliser("/at", Some("run:*"))]).0, "-2");
}

#[test]
fn the_payload_of_another_event_is_that_of_another_event() {
    let by = [normaliser("/at", None)];
    // The two differ in the field alone, and each came in the other's place.
    let found = compared([r#"{"at":1}"#, r#"{"at":2}"#], [r#"{"at":2}"#, r#"{"at":1}"#], &by);
    assert_eq!(found, ("21".to_owned(), Touched::new()));
    // With another field, the one of the same seq goes first.
    let found = compared([r#"{"at":1}"#, r#"{"at":2}"#], [r#"{"at":3}"#, r#"{"at":4}"#], &by);
    assert_eq!(found, ("12".to_owned(), touched("/at", 2)));
    let found = compared([r#"{"b":1}"#, r#"{"b":2}"#], [r#"{"b":2,"at":1}"#, r#"{"b":1,"at":1}"#], &by);
    assert_eq!(found, ("21".to_owned(), touched("/at", 2)));
}

#[test]
fn a_stored_payload_may_differ_like_a_delivered_one_and_its_hash_must_be_its_own() {
    let World { plan, legacy: mut history, .. } = World::read("pub a1; c1 sub a; c1 a1").unwrap();
    let (sent, got) = (r#"{"at":1}"#, r#"{"at":2}"#);
    let hash = |text: &str| payload_hash(text.as_bytes()).unwrap().to_string();
    let differs = |field: &str, expected: &str, got: &str| (Some(1), Differs::new(field, expected, got));
    let of = |hash_of_got: &str| Record::Stored {
        stream: StreamId::new("a"),
        stored: Stored {
            differs: vec![differs("payload", sent, got), differs("payload_hash", &hash(sent), hash_of_got)],
            ..Stored::default()
        },
    };
    history.records = vec![of(&hash(got)), of("sha256:another")];
    let (compared, counts) = normalised(&plan, &history, &[normaliser("/at", None)]);
    let left = compared.records.iter().map(|record| match record {
        Record::Stored { stored, .. } => stored.differs.iter().map(|(_, differs)| differs.field.as_str()).collect(),
        _ => Vec::new(),
    });
    assert_eq!(left.collect::<Vec<_>>(), [vec![], vec!["payload_hash"]]);
    assert_eq!(counts, touched("/at", 2));
}
