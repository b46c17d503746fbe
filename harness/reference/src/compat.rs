//! The compatibility check at the join, and its refusals.

use serde_json::{Map, Value, json};

use crate::config::Compat;
use crate::defects::{Defect, Defects};

/// What a client reports of itself: the join parameters, which take precedence over the connect query's.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientInfo {
    /// Its name, by which it is counted.
    pub(crate) client: Option<String>,
    client_build_id: Option<String>,
    protocol_version: Option<String>,
    schema_version: Option<String>,
}

impl ClientInfo {
    pub(crate) fn new(join: &Map<String, Value>, query: &[(String, String)]) -> Self {
        let text = |name: &str| match join.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) | None => query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone()),
            Some(other) => Some(other.to_string()),
        };
        Self {
            client: text("client"),
            client_build_id: text("client_build_id"),
            protocol_version: text("protocol_version"),
            schema_version: text("schema_version"),
        }
    }
}

pub(crate) fn check(client: &ClientInfo, window: &Compat, defects: &Defects) -> Result<(), Value> {
    let build = client.client_build_id.as_deref().map(str::trim).unwrap_or_default();
    let refused = |code, message| Err(refusal(window, code, message, defects));
    if build.is_empty() {
        return refused("invalid_client_build", "client_build_id is required".to_owned());
    }
    let schema: Option<u64> = client.schema_version.as_deref().and_then(|text| text.trim().parse().ok());
    let (min, max) = (window.min_schema_version, window.max_schema_version);
    let highest = max + u64::from(defects.has(Defect::CompatSchemaOffByOne));
    let other_schema = !schema.is_some_and(|version| (min..=highest).contains(&version));
    let schema_refused = || refused("unsupported_schema_version", format!("outside {min}..{max}"));
    if other_schema && defects.has(Defect::CompatSchemaFirst) {
        return schema_refused();
    }
    if client.protocol_version.as_deref() != Some(window.protocol_version.as_str()) {
        return refused("unsupported_protocol_version", format!("expected {}", window.protocol_version));
    }
    if other_schema {
        return schema_refused();
    }
    let oldest = window.min_client_build_id.as_str();
    if build < oldest || (build == oldest && defects.has(Defect::CompatBuildOffByOne)) {
        return refused("upgrade_required", format!("older than {oldest}"));
    }
    match &window.max_client_build_id {
        Some(max) if build > max.as_str() => refused("unsupported_client_build", format!("newer than {max}")),
        _ => Ok(()),
    }
}

fn refusal(window: &Compat, code: &str, message: String, defects: &Defects) -> Value {
    let newest = window.max_client_build_id.as_ref().filter(|_| !defects.has(Defect::CompatWithoutMax));
    json!({
        "code": code,
        "message": message,
        "upgrade_required": true,
        "retryable": false,
        "min_client_build_id": window.min_client_build_id,
        "max_client_build_id": newest,
        "min_schema_version": window.min_schema_version,
        "max_schema_version": window.max_schema_version,
        "protocol_version": window.protocol_version,
    })
}

#[cfg(test)]
mod tests;
