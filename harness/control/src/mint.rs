//! Mints tokens.

#![allow(missing_docs, reason = "the names say it")]

use cutover_core::topic::stream_id_of;
use jsonwebtoken::Header;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::keys::{Key, Signer};
use crate::rights::{Lease, Rights};

/// What a token says, where that is not usual. Times are seconds from now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Claims {
    pub issued_in_s: i64,
    pub starts_in_s: i64,
    /// [`LIFETIME_S`] where it is left out.
    pub expires_in_s: Option<i64>,
    pub audience: Option<String>,
    pub issuer: Option<String>,
    pub without_jti: bool,
    pub without_iat: bool,
    /// The key in force where it is left out.
    pub key: Option<Key>,
}

/// The body of `POST /v1/tokens`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mint {
    pub subject: String,
    #[serde(default)]
    pub tenant: String,
    /// The name of the client that will present it; the subject where it is empty.
    #[serde(default)]
    pub client: String,
    /// By the names of the legacy lane.
    #[serde(default)]
    pub rights: Rights,
    #[serde(default)]
    pub claims: Claims,
}

/// How long a token is good where nothing else is asked for.
pub const LIFETIME_S: i64 = 600;

/// The scope of a token that may publish to a topic.
const PUBLISH_SCOPE: &str = "sync:publish";
/// Stands for all topics that may be published to.
pub(crate) const ALL_TOPICS: &str = "*";

pub(crate) struct Minted {
    pub(crate) token: String,
    pub(crate) lease: Lease,
    /// From when on its holder should ask for another one, in seconds from now.
    pub(crate) refresh_after_in: i64,
}

/// Signs a token. `word` is one that no other service has, so that no `jti` of this one was revoked before; `nth`
/// distinguishes a holder's tokens, each of which has a subject and a lease of its own.
pub(crate) fn mint(
    asked: &Mint,
    signer: &Signer,
    (issuer, audience): (&str, &str),
    (word, nth, now): (&str, u64, i64),
) -> Result<Minted, jsonwebtoken::errors::Error> {
    let claims = &asked.claims;
    let expires_in = claims.expires_in_s.unwrap_or(LIFETIME_S);
    let lease = Lease {
        issuer: claims.issuer.clone().unwrap_or_else(|| issuer.to_owned()),
        subject: format!("{}/{}/{nth}", asked.tenant, asked.subject),
        holder: asked.subject.clone(),
        client: if asked.client.is_empty() { asked.subject.clone() } else { asked.client.clone() },
        jti: if claims.without_jti { String::new() } else { format!("{word}-{nth}") },
        key_id: signer.id.to_owned(),
        audience: claims.audience.clone().unwrap_or_else(|| audience.to_owned()),
        issued_at: now + claims.issued_in_s,
        starts_at: now + claims.starts_in_s,
        expires_at: now + expires_in,
        rights: asked.rights.clone(),
    };
    let mut header = Header::new(signer.algorithm);
    header.kid = Some(signer.id.to_owned());
    let token = jsonwebtoken::encode(&header, &body(&lease, claims.without_iat), &signer.key)?;
    Ok(Minted { token, lease, refresh_after_in: (expires_in * 4 / 5).max(0) })
}

fn body(lease: &Lease, without_iat: bool) -> Value {
    let scope = |topic: &String| match topic.as_str() {
        ALL_TOPICS => PUBLISH_SCOPE.to_owned(),
        topic => format!("{PUBLISH_SCOPE}:{topic}"),
    };
    let scopes: Vec<String> = lease.rights.writes.iter().map(scope).collect();
    let streams: Vec<String> = lease.rights.reads.iter().map(|topic| stream_id_of(topic)).collect();
    let mut body = json!({
        "iss": lease.issuer,
        "aud": lease.audience,
        "sub": lease.subject,
        "exp": lease.expires_at,
        "nbf": lease.starts_at,
        "oa_sync_scopes": scopes,
        "oa_sync_streams": streams,
        "oa_sync_topics": lease.rights.reads,
    });
    if !lease.jti.is_empty() {
        body["jti"] = lease.jti.clone().into();
    }
    if !without_iat {
        body["iat"] = lease.issued_at.into();
    }
    body
}
