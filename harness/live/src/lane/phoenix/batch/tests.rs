#![allow(clippy::unwrap_used)]
use super::*;
use sha2::{Digest, Sha256};

fn profile() -> PhoenixProfile {
    PhoenixProfile::of_url("ws://lane").unwrap()
}

#[test]
fn numbers_of_a_payload_stay_as_they_were_written() {
    let batch = r#"{"updates":[{"topic":"t","watermark":3,"payload":{"n":1.0e2,"big":12345678901234567890123},
            "payload_hash":"K/0U9D0X/HzqJOCReoh5tLL4gLi67sG52Q+6rWVecb0="}]}"#;
    let update = read_batch(&profile(), "sync:v1", batch).unwrap().remove(0).unwrap();
    assert_eq!(update.payload, r#"{"n":1.0e2,"big":12345678901234567890123}"#);
    let declared = update.declared.unwrap();
    assert_eq!(declared, "sha256:2bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd");
}

#[test]
fn a_null_payload_is_the_text_null_and_a_null_hash_is_none() {
    let batch = r#"{"updates":[{"topic":"t","watermark":3,"payload":null,"payload_hash":null}]}"#;
    let update = read_batch(&profile(), "sync:v1", batch).unwrap().remove(0).unwrap();
    assert_eq!((update.payload.as_str(), update.declared), ("null", None));
}

#[test]
fn an_event_that_can_not_be_read_does_not_hide_the_others() {
    let batch = r#"{"updates":[{"topic":"t","watermark":-1,"payload":1},{"topic":"t","watermark":2,"payload":2}]}"#;
    let updates = read_batch(&profile(), "sync:v1", batch).unwrap();
    assert!(updates[0].as_ref().is_err_and(|what| what.contains("watermark")));
    assert!(updates[1].is_ok());
}

/// What is held against the client's own hash of an event `1.0` that declares the hash of this text.
fn held_against(kind: HashKind, hashed: &str) -> Option<String> {
    let declared = STANDARD.encode(Sha256::digest(hashed));
    let batch = format!(r#"{{"updates":[{{"topic":"t","watermark":1,"payload":1.0,"payload_hash":"{declared}"}}]}}"#);
    let profile = PhoenixProfile { payload_hash: kind, ..profile() };
    read_batch(&profile, "sync:v1", &batch).unwrap().remove(0).unwrap().declared
}

#[test]
fn a_lane_may_hash_what_it_sends_unless_the_profile_says_otherwise() {
    assert_eq!(held_against(HashKind::Either, "1.0"), None);
    assert_eq!(held_against(HashKind::Either, "1"), Some(sha256(b"1")));
    assert_eq!(held_against(HashKind::Either, "2"), Some(sha256(b"2")));
    assert_eq!(held_against(HashKind::Canonical, "1.0"), Some(sha256(b"1.0")));
    assert_eq!(held_against(HashKind::None, "2"), None);
}

#[test]
fn a_hash_may_be_hex_where_the_service_has_other_names() {
    let profile = PhoenixProfile { every_field: Some(false), ..profile() };
    let hex = "2bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd";
    for raw in [format!("\"{hex}\""), format!("\"sha256:{hex}\""), format!("\"{}\"", hex.to_uppercase())] {
        assert_eq!(declared_hash(&profile, &raw), Some(format!("sha256:{hex}")));
    }
}

#[test]
fn a_hash_of_another_shape_stands_as_the_lane_wrote_it() {
    assert_eq!(declared_hash(&profile(), "\"AAAA\"").as_deref(), Some("AAAA"));
    assert_eq!(declared_hash(&profile(), "17").as_deref(), Some("17"));
}

#[test]
fn a_frame_of_an_unknown_kind_is_passed_over_and_told_as_unknown() {
    let unknown = "a frame of the unknown kind `NEW`".to_owned();
    assert_eq!(read_frame(&profile(), r#"{"kind":"NEW"}"#), Ok(FrameCopy::Ignored(unknown)));
    let mut passes = profile();
    passes.frame_kinds.ignored.push("NEW".to_owned());
    let known = "a frame of the kind `NEW`".to_owned();
    assert_eq!(read_frame(&passes, r#"{"kind":"NEW"}"#), Ok(FrameCopy::Ignored(known)));
}

#[test]
fn a_frame_that_is_garbage_is_not_passed_over() {
    for garbage in ["[]", "{}", r#"{"kind":7}"#, "nothing"] {
        assert!(read_frame(&profile(), garbage).is_err(), "{garbage}");
    }
    assert!(read_frame(&profile(), r#"{"kind":"KHALA_FRAME_KIND_UPDATE_BATCH","payload_bytes":"*"}"#).is_err());
}
