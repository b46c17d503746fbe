#![allow(clippy::unwrap_used)]

use nostr::JsonUtil;

use super::*;

const SECRET: &str = "7f3b34c5f2f5a1d4c3b2a19087766554433221100ffeeddccbbaa99887766554";

fn row() -> Row {
    let word = str::to_owned;
    let payload = word(r#"{"n":1,"text":"a\u0000\"\u2028b"}"#);
    Row {
        key: word("e1"),
        position: 3,
        stream: word("s"),
        payload,
        enqueued_at: 1_700_000_000_999_999,
        sent_as: word(""),
    }
}

fn signer(defects: &[Defect]) -> Signer {
    Signer::new(&Secret::new(SECRET.to_owned()), defects).unwrap()
}

#[test]
fn a_row_gives_the_same_bytes_each_time_and_they_verify() {
    let (first, again) = (signer(&[]).event(&row()).unwrap(), signer(&[]).event(&row()).unwrap());
    assert_eq!(first.as_json(), again.as_json());
    first.verify().unwrap();
    assert_eq!(first.content, row().payload);
    assert_eq!(first.created_at.as_secs(), 1_700_000_000);
    let json: Value = serde_json::from_str(&first.as_json()).unwrap();
    let tags = [KEY_TAG, POSITION_TAG, STREAM_TAG].map(|name| tag_of(&json, name).unwrap());
    assert_eq!(tags, ["e1", "3", "s"]);
}

#[test]
fn its_kind_is_kept_by_a_relay_and_not_replaced() {
    let kind = Kind::Custom(KIND);
    assert!(kind.is_regular());
    assert!(!kind.is_replaceable() && !kind.is_ephemeral() && !kind.is_addressable());
}

#[test]
fn planted_defects_change_the_event() {
    let right = signer(&[]).event(&row()).unwrap();
    assert_ne!(signer(&[Defect::AnotherId]).event(&row()).unwrap().id, right.id);
    assert_ne!(signer(&[Defect::RewritesPayload]).event(&row()).unwrap().content, right.content);
    assert!(signer(&[Defect::WrongSignature]).event(&row()).unwrap().verify().is_err());
}

#[test]
fn a_key_that_is_none_is_told() {
    assert_eq!(Signer::new(&Secret::new("no".to_owned()), &[]).unwrap_err(), SignerError::SecretKey);
}
