//! Tests of the window.

#![allow(clippy::unwrap_used)]

use super::*;

fn window() -> Window {
    Window {
        min_client_build_id: "20260201T000000Z".to_owned(),
        max_client_build_id: Some("20261231T235959Z".to_owned()),
        min_schema_version: 2,
        max_schema_version: 3,
    }
}

fn client(build: &str, protocol: SaidProtocol, schema: u64) -> JoinParams {
    JoinParams { build: Some(build.to_owned()), protocol: Some(protocol), schema: Some(schema) }
}

#[test]
fn a_client_is_refused_by_the_first_check_that_it_fails() {
    use SaidProtocol::{Another, Own};
    let good = "20260701T000000Z";
    for (join, code) in [
        (JoinParams::default(), Some("invalid_client_build")),
        (client(" ", Another, 9), Some("invalid_client_build")),
        (client(good, Another, 9), Some("unsupported_protocol_version")),
        (client("2025", Own, 9), Some("unsupported_schema_version")),
        (JoinParams { schema: None, ..client(good, Own, 0) }, Some("unsupported_schema_version")),
        (client("20260131T235959Z", Own, 2), Some("upgrade_required")),
        (client("20270101T000000Z", Own, 3), Some("unsupported_client_build")),
        (client("20260201T000000Z", Own, 2), None),
        (client("20261231T235959Z", Own, 3), None),
    ] {
        assert_eq!(window().refuses(&join), code, "{join:?}");
    }
}

#[test]
fn a_refusal_tells_the_whole_window() {
    let told = Window::default().told();
    assert_eq!(told["max_client_build_id"], "null");
    assert_eq!(told["min_client_build_id"], "\"20260101T000000Z\"");
    assert_eq!(told.len(), 7);
}
