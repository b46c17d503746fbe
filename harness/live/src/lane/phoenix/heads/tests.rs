#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::super::batch::read_batch;
use super::*;

fn profile() -> PhoenixProfile {
    PhoenixProfile::default()
}

fn check(batch: &str, expect: Option<&[(&str, u64)]>) {
    let owned = |events: &[(&str, u64)]| events.iter().map(|(topic, seq)| ((*topic).to_owned(), *seq)).collect();
    let expect: Option<Vec<(String, u64)>> = expect.map(owned);
    assert_eq!(of_batch(&profile(), "sync:v1", batch), expect, "{batch}");
    let read = |event: &str| format!(r#"[null,"1","{}","{event}",{batch}]"#, profile().channel);
    assert_eq!(of_v2(&profile(), &read(&profile().events.update_batch)), expect, "{batch}");
    assert_eq!(of_v2(&profile(), &read("another")), None);
}

#[test]
fn a_batch_names_its_events_in_order() {
    let batch = r#"{"a":[{"topic":"x"}],"updates":[{"payload":{"topic":"no"},"watermark":3,"topic":"t\u0041"},
            {"topic":"u","payload":null,"watermark":4}],"b":1}"#;
    check(batch, Some(&[("tA", 3), ("u", 4)]));
    check(r#"{"updates":[]}"#, Some(&[]));
}

#[test]
fn an_event_that_can_not_be_read_is_left_out_and_what_is_no_batch_is_none() {
    check(
        r#"{"updates":[{"topic":"t","watermark":-1,"payload":1},{"topic":"t","watermark":2},
                {"topic":7,"watermark":2,"payload":1},{"topic":"t","watermark":3,"payload":1}]}"#,
        Some(&[("t", 3)]),
    );
    for no_batch in ["{}", "[]", r#"{"updates":{}}"#, "7"] {
        check(no_batch, None);
    }
    assert_eq!(of_batch(&profile(), "sync:v1", r#"{"updates":[]"#), None);
}

fn value() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("1"),
        Just("-1"),
        Just("7.0"),
        Just("\"t\""),
        Just("\"\\u0074\""),
        Just("null"),
        Just("{\"topic\":\"x\"}"),
        Just("[1]"),
    ]
}

/// Batches that are right, nearly right, and wrong.
fn batches() -> impl Strategy<Value = String> {
    let key = prop_oneof![Just("topic"), Just("watermark"), Just("payload"), Just("other")];
    let event = proptest::collection::vec((key, value()), 0..5).prop_map(|fields| {
        let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    });
    let event = prop_oneof![4 => event, 1 => value().prop_map(str::to_owned)];
    proptest::collection::vec(event, 0..4).prop_map(|events| format!("{{\"updates\":[{}]}}", events.join(",")))
}

proptest! {
    #[test]
    fn one_pass_names_the_events_that_the_whole_reading_finds(batch in batches()) {
        let whole = read_batch(&profile(), "sync:v1", &batch).ok().map(|updates| {
            let named = updates.into_iter().flatten().map(|update| (update.topic, update.seq));
            named.collect::<Vec<_>>()
        });
        prop_assert_eq!(of_batch(&profile(), "sync:v1", &batch), whole);
    }

    #[test]
    fn any_text_is_survived(text in ".*") {
        let _ = of_v2(&profile(), &text);
        let _ = of_batch(&profile(), "sync:v1", &text);
    }
}
