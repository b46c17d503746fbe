//! Compatibility at the join: which clients may, and what the others are told.

use serde_json::{Map, Value, json};

use crate::config::Compat;

/// What a client says of itself: join parameters, and below them the connect query's.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientInfo {
    client_build_id: Option<String>,
    protocol_version: Option<String>,
    schema_version: Option<String>,
}

impl ClientInfo {
    /// Puts `join` over `query`.
    pub(crate) fn new(join: &Map<String, Value>, query: &[(String, String)]) -> Self {
        let text = |name: &str| match join.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) | None => query
                .iter()
                .rev()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone()),
            Some(other) => Some(other.to_string()),
        };
        Self {
            client_build_id: text("client_build_id"),
            protocol_version: text("protocol_version"),
            schema_version: text("schema_version"),
        }
    }
}

/// Checks in the contract's order; the refusal is the whole response.
pub(crate) fn check(client: &ClientInfo, window: &Compat) -> Result<(), Value> {
    let build = client.client_build_id.as_deref().map(str::trim).unwrap_or_default();
    if build.is_empty() {
        return Err(refusal(
            window,
            "invalid_client_build",
            "client_build_id is required".to_owned(),
        ));
    }
    if client.protocol_version.as_deref() != Some(window.protocol_version.as_str()) {
        let message = format!("expected {}", window.protocol_version);
        return Err(refusal(window, "unsupported_protocol_version", message));
    }
    let schema: Option<u64> = client
        .schema_version
        .as_deref()
        .and_then(|text| text.trim().parse().ok());
    let (min, max) = (window.min_schema_version, window.max_schema_version);
    if !schema.is_some_and(|version| (min..=max).contains(&version)) {
        return Err(refusal(
            window,
            "unsupported_schema_version",
            format!("outside {min}..{max}"),
        ));
    }
    if build < window.min_client_build_id.as_str() {
        return Err(refusal(
            window,
            "upgrade_required",
            format!("older than {}", window.min_client_build_id),
        ));
    }
    match &window.max_client_build_id {
        Some(max) if build > max.as_str() => {
            Err(refusal(window, "unsupported_client_build", format!("newer than {max}")))
        }
        _ => Ok(()),
    }
}

fn refusal(window: &Compat, code: &str, message: String) -> Value {
    json!({
        "code": code,
        "message": message,
        "upgrade_required": true,
        "retryable": false,
        "min_client_build_id": window.min_client_build_id,
        "max_client_build_id": window.max_client_build_id,
        "min_schema_version": window.min_schema_version,
        "max_schema_version": window.max_schema_version,
        "protocol_version": window.protocol_version,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn code(join: &Value, query: &[(&str, &str)], window: &Compat) -> Option<String> {
        let query: Vec<_> = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let refusal = check(&ClientInfo::new(join.as_object().unwrap(), &query), window).err()?;
        Some(refusal["code"].as_str().unwrap().to_owned())
    }

    #[test]
    fn the_checks_come_in_the_order_of_the_table() {
        let window = Compat {
            max_client_build_id: Some("20261231T235959Z".to_owned()),
            ..Compat::default()
        };
        let client = |build: &str, protocol: &str, schema: Value| json!({"client_build_id": build, "protocol_version": protocol, "schema_version": schema});
        let cases = [
            (client(" ", "x", json!(9)), Some("invalid_client_build")),
            (
                client("20200101T000000Z", "x", json!(9)),
                Some("unsupported_protocol_version"),
            ),
            (
                client("20200101T000000Z", "khala.ws.v1", json!(2)),
                Some("unsupported_schema_version"),
            ),
            (
                client("20251231T235959Z", "khala.ws.v1", json!(1)),
                Some("upgrade_required"),
            ),
            (
                client("20270101T000000Z", "khala.ws.v1", json!(1)),
                Some("unsupported_client_build"),
            ),
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
        let query = [
            ("client_build_id", "20260225T190000Z"),
            ("protocol_version", "khala.ws.v1"),
            ("schema_version", "1"),
        ];
        assert_eq!(code(&json!({}), &query, &window), None);
        assert_eq!(
            code(&json!({"protocol_version": "x"}), &query, &window).as_deref(),
            Some("unsupported_protocol_version")
        );
    }

    #[test]
    fn a_window_without_a_newest_build_says_null() {
        let refusal = check(&ClientInfo::default(), &Compat::default()).unwrap_err();
        assert_eq!(refusal["max_client_build_id"], Value::Null);
        assert_eq!(refusal["retryable"], json!(false));
    }
}
