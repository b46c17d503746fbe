#![allow(clippy::unwrap_used)]
use super::*;

fn shown_json(text: &str) -> String {
    shown(&serde_json::from_str(text).unwrap())
}

#[test]
fn a_delivery_reads_as_a_sentence_and_its_payload_is_left_out() {
    let text = r#"{"at":"delivered","client":"desk","conn":1,"sub":2,"stream":"run:alpha:events","seq":6,
            "hash":"sha256:8df45e023909bda6bb70e049089a492b57687aace8cf4a554d5a31dfe21d40d1","via":"update-batch",
            "verdict":"out_of_order","payload":"{\"a\":1}"}"#;
    assert_eq!(
        shown_json(text),
        "desk delivered run:alpha:events seq 6 (conn 1, hash sha256:8df45e02390…, sub 2, verdict out_of_order, via \
             update-batch)"
    );
}

#[test]
fn what_lies_within_a_field_stands_beside_it() {
    let text = r#"{"at":"complete","op":5,"attempt":1,"completion":{"type":"ok","outcome":{"kind":"published","seq":5,
            "duplicate":null}}}"#;
    assert_eq!(shown_json(text), "complete (attempt 1, kind published, seq 5, type ok, op 5)");
}

#[test]
fn what_a_lane_said_can_not_write_to_the_terminal() {
    let text = r#"{"at":"closed","client":"desk","conn":1,"why":{"how":"lost","why":"\u001b[31mred\u202e"}}"#;
    assert_eq!(shown_json(text), "desk closed (conn 1, how lost, why \\u{1b}[31mred\\u{202e})");
}
