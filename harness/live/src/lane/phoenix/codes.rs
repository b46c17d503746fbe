//! What a service calls the contract's codes and reasons.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The codes and reasons of the contract that a service may call otherwise.
const WORDS: [&str; 23] = [
    "bad_request",
    "bad_subscription",
    "forbidden",
    "forbidden_topic",
    "frame_payload_too_large",
    "idempotency_conflict",
    "insufficient_scope",
    "invalid_client_build",
    "invalid_payload",
    "rate_limited",
    "reauth_required",
    "replay_budget_exceeded",
    "retention_floor_breach",
    "sequence_conflict",
    "slow_consumer",
    "stale_cursor",
    "token_expired",
    "token_revoked",
    "unauthorized",
    "unknown_topic",
    "unsupported_protocol_version",
    "unsupported_schema_version",
    "upgrade_required",
];

/// The words of the service for each of the contract's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, OneOrMore>")]
pub struct Codes(BTreeMap<String, String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl TryFrom<BTreeMap<String, OneOrMore>> for Codes {
    type Error = String;

    fn try_from(table: BTreeMap<String, OneOrMore>) -> Result<Self, String> {
        let mut codes = BTreeMap::new();
        for (word, own) in table {
            if !WORDS.contains(&word.as_str()) {
                return Err(format!("the contract has no code `{word}`; it has {}", WORDS.join(", ")));
            }
            let own = match own {
                OneOrMore::One(own) => vec![own],
                OneOrMore::More(own) => own,
            };
            for own in own {
                if let Some(other) = codes.insert(own.clone(), word.clone()) {
                    return Err(format!("`{own}` stands for `{other}` and for `{word}`; name it once"));
                }
            }
        }
        Ok(Codes(codes))
    }
}

impl Codes {
    pub(super) fn is_usual(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_contracts(&self, code: &str) -> bool {
        WORDS.contains(&code)
    }

    /// The contract's word for one of the service's.
    pub(super) fn word<'a>(&'a self, own: &'a str) -> &'a str {
        self.0.get(own).map_or(own, String::as_str)
    }
}
