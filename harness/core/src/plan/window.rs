//! Which clients a lane lets in, by what they say of themselves as they join (contract, "Join").
#![allow(missing_docs, reason = "the names say it")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

/// The builds and schemas that are let in, while a lane checks them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Window {
    /// Builds are compared as texts: they are timestamps.
    pub min_client_build_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_client_build_id: Option<String>,
    pub min_schema_version: u64,
    pub max_schema_version: u64,
}

impl Default for Window {
    fn default() -> Window {
        Window {
            min_client_build_id: "20260101T000000Z".to_owned(),
            max_client_build_id: None,
            min_schema_version: 1,
            max_schema_version: 1,
        }
    }
}

/// What a client says of itself as it joins. What is `None` it leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct JoinParams {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<SaidProtocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<u64>,
}

/// Each lane has a protocol version of its own, so a plan names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SaidProtocol {
    Own,
    Another,
}

/// The protocol version of a refusal, where it is the lane's own.
pub const OWN_PROTOCOL: &str = "own";

impl Window {
    /// The code by which a client is refused: the first of the checks that it fails.
    pub fn refuses(&self, join: &JoinParams) -> Option<&'static str> {
        let build = join.build.as_deref().map(str::trim).unwrap_or_default();
        let schemas = self.min_schema_version..=self.max_schema_version;
        let checks = [
            (build.is_empty(), "invalid_client_build"),
            (join.protocol != Some(SaidProtocol::Own), "unsupported_protocol_version"),
            (!join.schema.is_some_and(|schema| schemas.contains(&schema)), "unsupported_schema_version"),
            (build < self.min_client_build_id.as_str(), "upgrade_required"),
            (self.max_client_build_id.as_deref().is_some_and(|max| build > max), "unsupported_client_build"),
        ];
        checks.into_iter().find(|(fails, _)| *fails).map(|(_, code)| code)
    }

    /// The fields of a refusal that tell a client what would be let in, each with its value as JSON.
    pub fn told(&self) -> BTreeMap<String, String> {
        let fields = [
            ("upgrade_required", json!(true)),
            ("retryable", json!(false)),
            ("min_client_build_id", json!(self.min_client_build_id)),
            ("max_client_build_id", json!(self.max_client_build_id)),
            ("min_schema_version", json!(self.min_schema_version)),
            ("max_schema_version", json!(self.max_schema_version)),
        ];
        let told = fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_string()));
        told.chain([("protocol_version".to_owned(), OWN_PROTOCOL.to_owned())]).collect()
    }
}

#[cfg(test)]
mod tests;
