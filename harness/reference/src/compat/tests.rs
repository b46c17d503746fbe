#![allow(clippy::unwrap_used)]
use super::*;

fn code(join: &Value, query: &[(&str, &str)], window: &Compat) -> Option<String> {
    let query: Vec<_> = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let refusal = check(&ClientInfo::new(join.as_object().unwrap(), &query), window, &Defects::default()).err()?;
    Some(refusal["code"].as_str().unwrap().to_owned())
}

fn client(build: &str, protocol: &str, schema: Value) -> Value {
    json!({"client_build_id": build, "protocol_version": protocol, "schema_version": schema})
}

#[test]
fn the_checks_come_in_the_order_of_the_table() {
    let window = Compat { max_client_build_id: Some("20261231T235959Z".to_owned()), ..Compat::default() };
    let cases = [
        (client(" ", "x", json!(9)), Some("invalid_client_build")),
        (client("20200101T000000Z", "x", json!(9)), Some("unsupported_protocol_version")),
        (client("20200101T000000Z", "khala.ws.v1", json!(2)), Some("unsupported_schema_version")),
        (client("20251231T235959Z", "khala.ws.v1", json!(1)), Some("upgrade_required")),
        (client("20270101T000000Z", "khala.ws.v1", json!(1)), Some("unsupported_client_build")),
        (client("20260101T000000Z", "khala.ws.v1", json!(1)), None),
        (client("20261231T235959Z", "khala.ws.v1", json!("1")), None),
        (json!({}), Some("invalid_client_build")),
    ];
    for (join, expected) in cases {
        assert_eq!(code(&join, &[], &window).as_deref(), expected, "{join}");
    }
}

#[test]
fn the_query_counts_where_the_join_is_silent_and_the_join_wins() {
    let window = Compat::default();
    let query = [("client_build_id", "20260225T190000Z"), ("protocol_version", "khala.ws.v1"), ("schema_version", "1")];
    assert_eq!(code(&json!({}), &query, &window), None);
    assert_eq!(
        code(&json!({"protocol_version": "x"}), &query, &window).as_deref(),
        Some("unsupported_protocol_version")
    );
}

#[test]
fn a_window_without_a_newest_build_says_null() {
    let refusal = check(&ClientInfo::default(), &Compat::default(), &Defects::default()).unwrap_err();
    assert_eq!(refusal["max_client_build_id"], Value::Null);
    assert_eq!(refusal["retryable"], json!(false));
}
