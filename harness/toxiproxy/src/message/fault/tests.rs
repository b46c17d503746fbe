#![allow(clippy::unwrap_used)]
use cutover_core::plan::fault::FAULTS;

use super::*;
use crate::go::decode::Raw;

#[test]
fn every_type_makes_its_fault() {
    let made: Vec<String> = FAULTS
        .iter()
        .filter_map(|of| Some((of.toxic?, of)))
        .map(|(name, of)| {
            let given = match name {
                "ws_cut" => r#"{"how":"reset","when":"before","nth":2,"per":"proxy"}"#,
                "ws_delay" => r#"{"ms":5,"kind":"ack","event":"phx_reply"}"#,
                "ws_rewrite_cursor" => r#"{"topic":"run:a:events","to":7}"#,
                "ws_set_json" => r#"{"set_pointer":"/a","set_value":null,"topic":"t:x:e","seq":4}"#,
                "ws_set_column" => r#"{"column":"seq","value":"9","pointer":"/p","equals":true}"#,
                _ => "{}",
            };
            let given = Raw::first_of(given.as_bytes()).unwrap();
            let attributes = Attributes::read(of, Some(given)).unwrap();
            let fault = attributes.fault("f", "p", Direction::Downstream);
            serde_json::to_string(&fault).unwrap()
        })
        .collect();
    insta::assert_snapshot!(made.join("\n"));
}
