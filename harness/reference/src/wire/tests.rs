#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn refs() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), any::<u32>().prop_map(Value::from), "\\PC{0,8}".prop_map(Value::from)]
}

fn payloads() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,6}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn what_v2_writes_v2_reads(join_ref in refs(), reference in refs(), topic in "\\PC{0,12}", event in "\\PC{0,12}",
                               payload in payloads()) {
        let text = Vsn::V2.encode(&Outbound {
            join_ref: &join_ref, reference: &reference, topic: &json!(topic), event: &event, payload: &raw(&payload),
        });
        let expected = Inbound { join_ref, reference, topic: json!(topic), event, payload: Payload::Json(payload) };
        prop_assert_eq!(Vsn::V2.decode_text(&text), Ok(expected));
    }

    #[test]
    fn what_v1_writes_v1_reads_without_the_join_ref(join_ref in refs(), reference in refs(), topic in "\\PC{0,12}",
                                                    event in "\\PC{0,12}", payload in payloads()) {
        let text = Vsn::V1.encode(&Outbound {
            join_ref: &join_ref, reference: &reference, topic: &json!(topic), event: &event, payload: &raw(&payload),
        });
        let payload = Payload::Json(payload);
        let expected = Inbound { join_ref: Value::Null, reference, topic: json!(topic), event, payload };
        prop_assert_eq!(Vsn::V1.decode_text(&text), Ok(expected));
    }

    #[test]
    fn any_text_and_any_bytes_are_read_or_refused(text in "\\PC*", bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for vsn in [Vsn::V1, Vsn::V2] {
            let _ = vsn.decode_text(&text);
            let _ = vsn.decode_binary(&bytes);
        }
    }

    #[test]
    fn a_binary_push_is_read(join_ref in "[a-z0-9]{0,9}", reference in "\\PC{0,9}", topic in "\\PC{0,9}",
                             event in "\\PC{0,9}", data in prop::collection::vec(any::<u8>(), 0..32)) {
        let parts = [&join_ref, &reference, &topic, &event];
        let mut bytes = vec![0];
        bytes.extend(parts.iter().map(|part| part.len() as u8));
        parts.iter().for_each(|part| bytes.extend(part.as_bytes()));
        bytes.extend(&data);
        let read = Vsn::V2.decode_binary(&bytes).unwrap();
        prop_assert_eq!((read.topic, read.event, read.payload), (json!(topic), event, Payload::Binary(data)));
    }
}

#[test]
fn the_version_decides_the_serializer() {
    for (vsn, expected) in [
        (None, Some(Vsn::V1)),
        (Some("1.0.0"), Some(Vsn::V1)),
        (Some("1.0.7"), Some(Vsn::V1)),
        (Some("1.0.0+b"), Some(Vsn::V1)),
        (Some("1.0.0-rc"), None),
        (Some("1.2.1"), None),
        (Some("1.5.0"), None),
        (Some("2.0.0"), Some(Vsn::V2)),
        (Some("2.0.5"), Some(Vsn::V2)),
        (Some("2.0.1-rc"), Some(Vsn::V2)),
        (Some("2.1.0"), None),
        (Some("3"), None),
        (Some("3.0.0"), None),
        (Some("2.0"), None),
        (Some("2.0.0-rc.1"), None),
        (Some("02.0.0"), None),
        (Some(""), None),
        (Some("abc"), None),
    ] {
        assert_eq!(Vsn::negotiate(vsn), expected, "{vsn:?}");
    }
}

#[test]
fn frames_of_the_wrong_shape_are_malformed() {
    for text in [r#"["1","1","t","e"]"#, r#"{"topic":"t"}"#, "7", ""] {
        assert!(Vsn::V2.decode_text(text).is_err(), "{text}");
    }
    for text in [r#"["1","1","t","e",{}]"#, r#"{"topic":"t","event":"e","payload":{}}"#, "null"] {
        assert!(Vsn::V1.decode_text(text).is_err(), "{text}");
    }
    assert!(Vsn::V1.decode_binary(&[0, 0, 0, 0, 0]).is_err());
}

#[test]
fn topics_and_events_are_of_any_type() {
    let v2 = Vsn::V2.decode_text(r#"["1","1",{"a":1},7,{}]"#).unwrap();
    assert_eq!((v2.topic, v2.event), (json!({"a": 1}), String::new()));
    let v1 = Vsn::V1.decode_text(r#"{"topic":7,"event":null,"payload":{},"ref":"1"}"#).unwrap();
    assert_eq!((v1.topic, v1.event), (json!(7), String::new()));
}

#[test]
fn elements_beyond_the_fifth_are_ignored_and_refs_keep_their_type() {
    let read = Vsn::V2.decode_text(r#"[1,"1","t","e",{},"more"]"#).unwrap();
    assert_eq!((read.join_ref, read.reference), (json!(1), json!("1")));
}
