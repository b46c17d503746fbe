#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

#[test]
fn an_identity_is_read_in_every_spelling() {
    let digits = "c2".repeat(32);
    for value in [json!(digits), json!(format!("0x{digits}")), json!({ "__identity__": digits }), json!([digits])] {
        assert_eq!(hex_of(&value), Some(digits.clone()), "{value}");
    }
    assert_eq!(hex_of(&json!("nothing")), None);
    assert_eq!(hex_of(&json!("0x1f")), Some(format!("{:0>64}", "1f")));
}

#[test]
fn the_hash_of_a_module_is_read_as_a_server_writes_it() {
    let hash = module_hash(b"module");
    let bytes: Vec<&str> = (0..32).map(|at| &hash[2 * at..2 * at + 2]).collect();
    let number: String = bytes.into_iter().rev().collect();
    let written = format!("0x{}", number.trim_start_matches('0'));
    assert_eq!(hash_of(&json!([written])), Some(hash));
}

#[test]
fn a_plan_is_shown_without_the_escapes_of_a_terminal() {
    assert_eq!(plain("\u{1b}[1;32m▸ Created\u{1b}[0m table:\n  x\u{200b}"), "▸ Created table:\n  x\\u{200b}");
}

#[test]
fn the_surface_of_our_module_is_read() {
    let surface = Schema::surface(include_bytes!("../schema/module.json")).unwrap();
    assert!(surface.tables["active_connection"].public && !surface.tables["sync_append_key"].public);
    assert_eq!(surface.tables["active_connection"].columns, ["connection_id U128", "identity U256"]);
    assert!(surface.reducers["append_sync_event"].starts_with("String, String"), "{:?}", surface.reducers);
    assert!(!surface.reducers.contains_key("client_connected"));
    assert_eq!(surface.row_level_security.len(), 3);
}

#[test]
fn the_bytes_of_a_module_are_read_in_both_forms() {
    let bytes = Some(vec![0, 0x61, 0xff]);
    assert_eq!(bytes_of(&json!("0061ff")), bytes);
    assert_eq!(bytes_of(&json!("0x0061FF")), bytes);
    assert_eq!(bytes_of(&json!([0, 97, 255])), bytes);
    for other in [json!("006"), json!("zz"), json!([256]), json!(["0"]), json!(null), json!(12)] {
        assert_eq!(bytes_of(&other), None, "{other}");
    }
}
