#![allow(clippy::unwrap_used)]
use super::*;
use crate::toxics::Toxics;

fn toxic(name: &str) -> Entry {
    let mut toxics = Toxics::default();
    let body = format!(r#"{{"name":"{name}","type":"ws_drop"}}"#);
    toxics.add(body.as_bytes()).unwrap().clone()
}

fn fire(ledger: &Ledger, name: &str, frame: u64) {
    let fire = Fire { conn: 1, frame, hit: "delivery a:b:c 1".to_owned(), rewrote: None };
    ledger.fired(&name.into(), &"p".into(), fire);
}

#[test]
fn fires_beyond_the_bound_are_counted() {
    let ledger = Ledger::default();
    ledger.armed(&toxic("a"));
    for frame in 0..300 {
        fire(&ledger, "a", frame);
    }
    let said: serde_json::Value = serde_json::from_str(&ledger.json("p")).unwrap();
    let line = &said["toxics"][0];
    assert_eq!((&line["strikes"], &line["beyond"]), (&300.into(), &44.into()));
    assert_eq!(line["struck"].as_array().unwrap().len(), KEPT_FIRES);
}

#[test]
fn a_name_that_is_used_again_is_another_line_and_old_lines_go() {
    let ledger = Ledger::default();
    for _ in 0..400 {
        ledger.armed(&toxic("a"));
        fire(&ledger, "a", 1);
        ledger.disarmed("a");
    }
    ledger.armed(&toxic("a"));
    assert_eq!(ledger.fires(), [("a".to_owned(), "ws_drop", 0)]);
    assert_eq!(ledger.lines().lines.len(), KEPT_TOXICS + 1);
}
