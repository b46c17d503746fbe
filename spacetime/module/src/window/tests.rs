use super::{Client, check_client};
use crate::refusal::{Refusal, Window};

fn window() -> Window {
    Window {
        protocol_version: "spacetime.sync.v1".to_owned(),
        min_schema_version: 1,
        max_schema_version: 2,
        min_client_build_id: "20260101T000000Z".to_owned(),
        max_client_build_id: Some("20260301T000000Z".to_owned()),
    }
}

fn client(build: &str, protocol: &str, schema: u64) -> Client {
    Client { client_build_id: build.to_owned(), protocol_version: protocol.to_owned(), schema_version: schema }
}

fn misfit(build: &str, protocol: &str, schema: u64) -> Option<&'static str> {
    match check_client(&window(), &client(build, protocol, schema)) {
        Err(Refusal::Incompatible { code, .. }) => Some(code),
        _ => None,
    }
}

#[test]
fn clients_at_each_bound_are_served() {
    assert_eq!(misfit("20260101T000000Z", "spacetime.sync.v1", 1), None);
    assert_eq!(misfit("20260301T000000Z", "spacetime.sync.v1", 2), None);
}

#[test]
fn the_first_check_that_fails_names_the_refusal() {
    assert_eq!(misfit(" ", "khala.ws.v1", 3), Some("invalid_client_build"));
    assert_eq!(misfit("2025", "khala.ws.v1", 3), Some("unsupported_protocol_version"));
    assert_eq!(misfit("2025", "spacetime.sync.v1", 3), Some("unsupported_schema_version"));
    assert_eq!(misfit("2025", "spacetime.sync.v1", 0), Some("unsupported_schema_version"));
    assert_eq!(misfit("20251231T235959Z", "spacetime.sync.v1", 1), Some("upgrade_required"));
    assert_eq!(misfit("20260301T000001Z", "spacetime.sync.v1", 1), Some("unsupported_client_build"));
}

#[test]
fn without_a_newest_build_every_later_build_is_served() {
    let open = Window { max_client_build_id: None, ..window() };
    let client =
        Client { client_build_id: "9".to_owned(), protocol_version: "spacetime.sync.v1".to_owned(), schema_version: 1 };
    assert_eq!(check_client(&open, &client), Ok(()));
}

#[test]
fn a_refusal_names_the_whole_window() {
    let newest = Window { max_client_build_id: None, ..window() };
    let refusal = check_client(&newest, &client("2025", "spacetime.sync.v1", 1)).expect_err("the build is too old");
    assert_eq!(
        refusal.to_json(),
        concat!(
            r#"{"code":"upgrade_required","message":"client_build_id is older than the oldest supported build","#,
            r#""upgrade_required":true,"retryable":false,"min_client_build_id":"20260101T000000Z","#,
            r#""max_client_build_id":null,"min_schema_version":1,"max_schema_version":2,"#,
            r#""protocol_version":"spacetime.sync.v1"}"#
        )
    );
}
