#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn text(text: &str) -> Body {
    Body::Text(Bytes::copy_from_slice(text.as_bytes()))
}

fn read(serializer: Serializer, body: &Body) -> Result<Message, CodecError> {
    decode(serializer, Direction::Downstream, body)
}

#[test]
fn a_ref_that_is_a_number_keeps_its_type() {
    let message = read(Serializer::V2, &text(r#"[null,1,"t","e",{}]"#)).unwrap();
    assert_eq!(message.msg_ref, json!(1));
    assert_ne!(message.msg_ref, json!("1"));
}

#[test]
fn a_sixth_element_is_ignored_and_a_missing_fifth_is_an_error() {
    assert!(read(Serializer::V2, &text(r#"[null,null,"t","e",{},"more"]"#)).is_ok());
    let error = read(Serializer::V2, &text(r#"[null,null,"t","e"]"#)).err().unwrap();
    assert!(error.to_string().contains("4 elements"), "{error}");
}

#[test]
fn a_v1_message_of_the_server_has_no_join_ref() {
    let message = read(Serializer::V1, &text(r#"{"topic":"t","event":"e","payload":{"n":1.0},"ref":null}"#)).unwrap();
    assert_eq!((message.join_ref, message.payload.as_str()), (Value::Null, r#"{"n":1.0}"#));
}

#[test]
fn a_binary_push_and_a_binary_reply_are_read() {
    let push = Bytes::from_static(b"\x00\x01\x01\x013te{\"n\":1}");
    let push = read(Serializer::V2, &Body::Binary(push)).unwrap();
    assert_eq!((push.join_ref, push.topic.as_str(), push.payload.as_str()), (json!("3"), "t", r#"{"n":1}"#));
    let reply = Bytes::from_static(b"\x01\x01\x01\x01\x0234tok{}");
    let reply = read(Serializer::V2, &Body::Binary(reply)).unwrap();
    assert_eq!(reply.payload, r#"{"status":"ok","response":{}}"#);
    assert_eq!((reply.msg_ref, reply.event.as_str()), (json!("4"), "phx_reply"));
}

#[test]
fn a_binary_frame_that_is_cut_short_says_where() {
    for bytes in [&b""[..], b"\x00", b"\x00\x05\x01\x01abc", b"\x07\x00", b"\x02\x01\x01\xffe{}", b"\x02\x01\x02te"] {
        assert!(read(Serializer::V2, &Body::Binary(Bytes::copy_from_slice(bytes))).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_binary_frame_of_anything_is_told_by_topic_and_event() {
    let frame = Bytes::from_static(b"\x02\x06\x05room:1photo\xff\xd8\x00");
    let message = read(Serializer::V2, &Body::Binary(frame)).unwrap();
    assert_eq!((message.topic.as_str(), message.event.as_str(), message.payload.as_str()), ("room:1", "photo", ""));
}

fn any_ref() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), any::<u32>().prop_map(Value::from), any::<String>().prop_map(Value::from)]
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        join_ref in any_ref(), msg_ref in any_ref(), topic: String, event: String, payload: String, v1: bool,
    ) {
        let serializer = if v1 { Serializer::V1 } else { Serializer::V2 };
        let payload = format!(r#"{{"text":{}}}"#, quoted(&payload));
        let message = Message { join_ref, msg_ref, topic, event, payload };
        prop_assert_eq!(read(serializer, &frame_body(serializer, &message)), Ok(message));
    }

    #[test]
    fn no_bytes_make_the_codec_panic(bytes: Vec<u8>, to_lane: bool, v1: bool, as_text: bool) {
        let serializer = if v1 { Serializer::V1 } else { Serializer::V2 };
        let direction = if to_lane { Direction::Upstream } else { Direction::Downstream };
        let bytes = Bytes::from(bytes);
        let _ = decode(serializer, direction, &if as_text { Body::Text(bytes) } else { Body::Binary(bytes) });
    }
}
