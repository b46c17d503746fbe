#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;
use crate::lane::phoenix::PhoenixProfile;

const MARKER: &str = "trial-7";

fn batch() -> Value {
    json!({
        "updates": [{"topic": "t", "doc_version": 1, "payload": {"trial": MARKER}, "payload_hash": null, "watermark": 1}],
        "replay_complete": true,
        "head_watermarks": [{"topic": "t", "watermark": 1}],
    })
}

fn frame(batch: &Value) -> Value {
    json!({"topic": "t", "seq": 1, "kind": "KHALA_FRAME_KIND_UPDATE_BATCH", "payload_bytes": STANDARD.encode(batch.to_string())})
}

fn message(event: &str, payload: &Value) -> Message {
    Message {
        join_ref: Value::Null,
        msg_ref: Value::Null,
        topic: "sync:v1".to_owned(),
        event: event.to_owned(),
        payload: payload.to_string(),
    }
}

/// What a profile with these lines makes of the event in both kinds of message.
fn compared(lines: &str, batch: &Value) -> Result<bool, String> {
    let text = format!("kind = \"phoenix\"\nsocket_url = \"ws://lane\"\n{lines}");
    let profile = PhoenixProfile::of_toml(&text, "lane.toml").unwrap();
    let heard = [
        message("presence_state", &json!({"x": 1})),
        message("sync:update_batch", batch),
        message("sync:frame", &frame(batch)),
    ];
    compare(&profile, MARKER, &heard).map_err(|mismatch| mismatch.to_string())
}

#[test]
fn what_the_contract_says_fits_the_contract() {
    assert_eq!(compared("", &batch()), Ok(true));
    let other = json!({"updates": [{"topic": "t", "payload": 1, "watermark": 1}]});
    assert_eq!(compared("", &other), Ok(false));
}

#[test]
fn a_name_that_stands_for_nothing_is_told_with_what_is_there() {
    for (lines, told) in [
        ("[fields]\nwatermark = \"seqno\"", ["`fields.watermark = \"seqno\"`", "doc_version (a number)"]),
        ("[fields]\nwatermark = \"topic\"", ["this is text, and a whole number", "topic (text)"]),
        ("[fields]\ntopic = \"watermark\"", ["`fields.topic = \"watermark\"`", "and text is looked for"]),
        ("[fields]\npayload = \"doc_version\"", ["`fields.payload", "not what was published"]),
        ("[fields]\nupdates = \"events\"", ["`fields.updates = \"events\"`", "updates (a list)"]),
        ("[fields]\nupdates = \"head_watermarks\"", ["`fields.updates", "the event is not in this list"]),
        ("[fields]\npayload_hash = \"digest\"", ["`fields.payload_hash = \"digest\"`", "payload_hash (null)"]),
        ("[fields]\nreplay_complete = \"done\"", ["`fields.replay_complete = \"done\"`", "a batch has"]),
        ("[fields]\nhead_watermarks = \"heads\"", ["`fields.head_watermarks", "head_watermarks (a list)"]),
        ("[fields]\nkind = \"type\"", ["`fields.kind = \"type\"`", "a frame has kind (text), payload_bytes (text)"]),
        ("[fields]\npayload_bytes = \"topic\"", ["`fields.payload_bytes", "not the base64 of a batch"]),
        ("[fields]\nseq = \"n\"", ["`fields.seq = \"n\"`", "a frame has no such field"]),
        ("[events]\nupdate_batch = \"sync:batch\"", ["`events.update_batch", "events seen: sync:update_batch"]),
        ("[events]\nframe = \"frame\"", ["`events.frame = \"frame\"`", "events seen: sync:frame"]),
    ] {
        let error = compared(lines, &batch()).unwrap_err();
        assert!(told.iter().all(|word| error.contains(word)), "{lines}: {error}");
    }
}

#[test]
fn what_the_lane_can_do_without_may_be_missing() {
    let least = json!({"updates": [{"topic": "t", "payload": {"trial": MARKER}, "watermark": 1}]});
    assert_eq!(compared("", &least), Ok(true));
    let profile = PhoenixProfile::default();
    let only_batches = [message("sync:update_batch", &least)];
    assert_eq!(compare(&profile, MARKER, &only_batches), Ok(true));
    assert_eq!(compare(&profile, MARKER, &[]), Ok(false));
}

#[test]
fn the_answers_to_a_publish_a_policy_and_a_subscribe_are_read() {
    let profile = PhoenixProfile::default();
    let told = |checked: Result<(), Mismatch>| checked.err().map(|mismatch| mismatch.to_string());
    assert_eq!(told(check_published(&profile, r#"{"seq":1,"duplicate":false}"#)), None);
    assert_eq!(told(check_published(&profile, r#"{"seq":1}"#)), None);
    let number = told(check_published(&profile, r#"{"number":1,"duplicate":false}"#)).unwrap();
    assert!(number.contains("`publish.seq = \"seq\"`") && number.contains("number (a number)"), "{number}");
    assert!(told(check_published(&profile, r#"{"seq":"1"}"#)).unwrap().contains("this is text"));
    let mut of_text = profile.clone();
    of_text.forms.watermark = "\"s-{seq}\"".to_owned().try_into().unwrap();
    for seq in ["\"s-1\"", "\"1\"", "1"] {
        assert_eq!(told(check_published(&of_text, &format!("{{\"seq\":{seq}}}"))), None, "{seq}");
    }
    assert!(told(check_published(&of_text, r#"{"seq":"one"}"#)).unwrap().contains("this is text"));
    assert!(told(check_published(&profile, r#"{"seq":1,"duplicate":0}"#)).unwrap().contains("true or false"));
    assert!(told(check_published(&profile, "ok")).unwrap().contains("no JSON object"));
    assert_eq!(told(check_policy(&profile, "{}")), None);
    assert_eq!(told(check_policy(&profile, r#"{"retention_events":5}"#)), None);
    assert_eq!(told(subscribed(&profile, "{}")), None);
    assert!(told(subscribed(&profile, r#"{"current_watermarks":{}}"#)).unwrap().contains("an object"));
    let mut own = profile;
    own.policy.retention_events = "keep".to_owned();
    own.fields.current_watermarks = "heads".to_owned();
    assert!(told(check_policy(&own, r#"{"retention_events":5}"#)).unwrap().contains("`policy.retention_events"));
    assert!(told(subscribed(&own, r#"{"current_watermarks":[]}"#)).unwrap().contains("\"heads\""));
}

fn subscribed(profile: &PhoenixProfile, response: &str) -> Result<(), Mismatch> {
    check_subscribed(profile, "sync:v1", response)
}
