#![allow(clippy::unwrap_used)]

use super::*;

fn profile(toml: &str) -> PhoenixProfile {
    PhoenixProfile::of_toml(&format!("kind = \"phoenix\"\nsocket_url = \"ws://lane\"\n{toml}"), "a.toml").unwrap()
}

fn mistakes(toml: &str) -> String {
    let text = format!("kind = \"phoenix\"\nsocket_url = \"ws://lane\"\n{toml}");
    PhoenixProfile::of_toml(&text, "a.toml").unwrap_err().to_string()
}

#[test]
fn a_request_stands_in_its_envelope() {
    let plain = profile("");
    assert_eq!(plain.request("{\"a\":1}".to_owned()), "{\"a\":1}");
    let deep = profile("[envelope]\nrequest = \"/msg/data\"\nwith = { v = 1 }");
    let request = deep.request("{\"a\":1}".to_owned());
    assert_eq!(request, r#"{"v":1,"msg":{"data":{"a":1}}}"#);
    assert_eq!(deep.requested(&request), "{\"a\":1}");
}

#[test]
fn one_event_is_a_batch_of_one() {
    let named = profile("[fields]\nupdates = \"event\"");
    assert_eq!(named.events_in(r#"{"event":{"a":1}}"#), Some(vec![r#"{"a":1}"#]));
    assert_eq!(named.events_in(r#"{"event":[{"a":1},{"b":2}]}"#), Some(vec![r#"{"a":1}"#, r#"{"b":2}"#]));
    assert_eq!(named.events_in(r#"{"event":1}"#), None);
    let bare = profile("[fields]\nupdates = \"\"");
    assert_eq!(bare.events_in(r#"{"a":1}"#), Some(vec![r#"{"a":1}"#]));
    // A service of the contract's forms sends a list.
    assert_eq!(profile("").events_in(r#"{"updates":{"a":1}}"#), None);
}

#[test]
fn watermarks_are_read_from_a_list_an_object_or_alone() {
    let plain = profile("");
    let marks = vec![("a".to_owned(), 1), ("b".to_owned(), 2)];
    assert_eq!(plain.marks("sync:v1", r#"[{"topic":"a","watermark":1},{"topic":"b","watermark":2}]"#), marks);
    assert_eq!(plain.marks("sync:v1", r#"{"a":1,"b":2}"#), marks);
    assert_eq!(plain.marks("sync:v1", "7"), []);
    let own = profile("channel = \"feed:{topic}\"\n[forms]\nwatermark = '{\"n\": {seq}}'");
    assert_eq!(own.marks("feed:a", r#"{"n":7}"#), [("a".to_owned(), 7)]);
    assert_eq!(own.marks("feed:a", r#"{"a":{"n":7}}"#), [("a".to_owned(), 7)]);
}

#[test]
fn cursors_are_written_in_the_form_of_the_service() {
    let cursors = [("a", 1), ("b", 2)];
    assert_eq!(profile("").cursors(&cursors), r#"{"a":1,"b":2}"#);
    let list = profile("[forms]\nresume_after = \"list\"\nwatermark = '\"{seq}\"'");
    assert_eq!(list.cursors(&cursors), r#"[{"topic":"a","watermark":"1"},{"topic":"b","watermark":"2"}]"#);
    let one = profile("channel = \"{topic}\"\n[forms]\nresume_after = \"one\"");
    assert_eq!(one.cursors(&cursors[..1]), "1");
    for profile in [profile(""), list] {
        let read = profile.marks("sync:v1", &profile.cursors(&cursors));
        assert_eq!(read, [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    }
}

#[test]
fn a_field_may_be_named_by_a_pointer() {
    let profile = profile("[fields]\nwatermark = \"/meta/offset\"\ntopic = \"/meta/stream\"");
    let event = r#"{"meta":{"stream":"a","offset":3},"payload":1}"#;
    assert_eq!((profile.topic_of("sync:v1", event), profile.seq_of(event)), (Some("a".to_owned()), Some(3)));
}

#[test]
fn a_channel_of_its_own_names_its_topic() {
    let own = profile("channel = \"feed:{topic}:events\"");
    assert!(own.is_channel("feed:run:a:events") && !own.is_channel("feed::events") && !own.is_channel("sync:v1"));
    assert_eq!(own.topic_of_channel("feed:run:a:events"), Some("run:a"));
    assert_eq!(own.channel_of("run:a"), "feed:run:a:events");
    assert_eq!(profile("").topic_of_channel("sync:v1"), None);
}

#[test]
fn what_only_a_channel_of_its_own_can_leave_out_is_told() {
    for (toml, key) in [
        ("[fields]\ntopic = \"\"", "fields.topic"),
        ("[fields]\ntopics = \"\"", "fields.topics"),
        ("[events]\nsubscribe = \"\"", "events.subscribe"),
        ("[forms]\nresume_after = \"one\"", "forms.resume_after"),
    ] {
        assert!(mistakes(toml).contains(key), "{toml}");
        profile(&format!("channel = \"feed:{{topic}}\"\n{toml}"));
    }
    assert!(mistakes("[forms]\nwatermark = \"seq\"").contains("no form of a watermark"));
    assert!(mistakes("[envelope]\npush = \"data\"").contains("no JSON pointer"));
    assert!(mistakes("[envelope]\nwith = { v = 1 }").contains("no envelope"));
    assert!(mistakes("every_field = true\n[envelope]\npush = \"/data\"").contains("contract's forms"));
}
