//! What an identity may do, and the lease that a module gets of a token, since a server checks neither audience nor
//! revocation.

#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    Read,
    Write,
}

impl Right {
    pub fn word(self) -> &'static str {
        match self {
            Right::Read => "read",
            Right::Write => "write",
        }
    }
}

/// Topics by their names on the legacy lane.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    #[serde(default)]
    pub reads: Vec<String>,
    #[serde(default)]
    pub writes: Vec<String>,
}

impl Rights {
    pub fn set(&mut self, topic: &str, right: Right, granted: bool) {
        let topics = match right {
            Right::Read => &mut self.reads,
            Right::Write => &mut self.writes,
        };
        topics.retain(|known| known != topic);
        if granted {
            topics.push(topic.to_owned());
        }
    }
}

/// A token as a module knows it. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub issuer: String,
    /// The token's own subject.
    pub subject: String,
    /// Whose token it is.
    pub holder: String,
    /// The name of the client that presents it.
    pub client: String,
    /// Empty where the token has no `jti`.
    pub jti: String,
    pub key_id: String,
    pub audience: String,
    pub issued_at: i64,
    pub starts_at: i64,
    pub expires_at: i64,
    pub rights: Rights,
}
