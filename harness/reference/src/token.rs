//! Tokens: who may connect, which topics are granted, and by which code another one is refused.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::config::Tokens;
use crate::defects::{Defect, Defects};

/// Why a connection is refused. The code goes to the log and the metrics, never to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deny {
    MissingAuthorization,
    /// Wrong signature, algorithm, issuer or audience, or no `exp`.
    InvalidToken,
    TokenExpired,
    TokenNotYetValid,
    MissingIat,
    TokenTooOld,
    MissingJti,
    TokenRevoked,
    OriginNotAllowed,
}

impl Deny {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::MissingAuthorization => "missing_authorization",
            Self::InvalidToken => "invalid_token",
            Self::TokenExpired => "token_expired",
            Self::TokenNotYetValid => "token_not_yet_valid",
            Self::MissingIat => "missing_iat",
            Self::TokenTooOld => "token_too_old",
            Self::MissingJti => "missing_jti",
            Self::TokenRevoked => "token_revoked",
            Self::OriginNotAllowed => "origin_not_allowed",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) jti: String,
    /// Scopes, streams and topics, as they stand in the token, topics first.
    pub(crate) grants: Vec<String>,
}

/// What a token is verified by.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) tokens: &'a Tokens,
    /// Whether the fallback keys still verify.
    pub(crate) fallback: bool,
    pub(crate) defects: &'a Defects,
}

/// Verifies a token at `now_s` (seconds since 1970). Whether its `jti` is revoked is for the caller to say.
/// The error is the first check that fails, in the order of [`Deny`].
pub(crate) fn verify(token: Option<&str>, all: Rules<'_>, now_s: u64) -> Result<Verified, Deny> {
    let (rules, ignore_age) = (all.tokens, all.defects.has(Defect::AcceptExpired));
    let token = token.map(str::trim).filter(|token| !token.is_empty()).ok_or(Deny::MissingAuthorization)?;
    let claims = signed_claims(token, all).ok_or(Deny::InvalidToken)?;
    check_times(&claims, all, now_s)?;
    check_parties(&claims, all)?;
    let iat = seconds(&claims, "iat").ok_or(Deny::MissingIat)?;
    if let Some(max_age_s) = rules.max_age_s
        && now_s > iat.saturating_add(max_age_s).saturating_add(rules.leeway_s)
        && !ignore_age
    {
        return Err(Deny::TokenTooOld);
    }
    let jti = claims.get("jti").and_then(Value::as_str).map(str::trim).filter(|jti| !jti.is_empty());
    let jti = jti.ok_or(Deny::MissingJti)?.to_owned();
    let grants = ["oa_sync_topics", "oa_sync_streams", "oa_sync_scopes"];
    let grants = grants.iter().flat_map(|name| strings(claims.get(*name))).collect();
    Ok(Verified { jti, grants })
}

fn signed_claims(token: &str, rules: Rules<'_>) -> Option<Map<String, Value>> {
    // Times and parties are checked here, not by the library, since each refusal has a code of its own.
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let fallback = rules.fallback || rules.defects.has(Defect::KeepOldKeys);
    let keys = rules.tokens.keys().take(if fallback { usize::MAX } else { 1 });
    keys.into_iter().find_map(|key| {
        let key = DecodingKey::from_secret(key.as_bytes());
        jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation).ok().map(|decoded| decoded.claims)
    })
}

fn check_times(claims: &Map<String, Value>, all: Rules<'_>, now_s: u64) -> Result<(), Deny> {
    let (rules, ignore_age) = (all.tokens, all.defects.has(Defect::AcceptExpired));
    let exp = seconds(claims, "exp").ok_or(Deny::InvalidToken)?;
    if now_s >= exp.saturating_add(rules.leeway_s) && !ignore_age {
        return Err(Deny::TokenExpired);
    }
    let not_yet = |name| seconds(claims, name).is_some_and(|at| at > now_s.saturating_add(rules.leeway_s));
    if (not_yet("nbf") || not_yet("iat")) && !all.defects.has(Defect::AcceptEarly) {
        return Err(Deny::TokenNotYetValid);
    }
    Ok(())
}

fn check_parties(claims: &Map<String, Value>, all: Rules<'_>) -> Result<(), Deny> {
    let rules = all.tokens;
    let issuer_fits = match &rules.issuer {
        Some(issuer) => claims.get("iss").and_then(Value::as_str) == Some(issuer),
        None => true,
    };
    let audience_fits = match &rules.audience {
        Some(audience) => strings(claims.get("aud")).contains(audience) || all.defects.has(Defect::AnyAudience),
        None => true,
    };
    if issuer_fits && audience_fits { Ok(()) } else { Err(Deny::InvalidToken) }
}

/// A time of a claim in whole seconds; fractions are allowed in a token.
fn seconds(claims: &Map<String, Value>, name: &str) -> Option<u64> {
    let value = claims.get(name)?;
    value.as_u64().or_else(|| value.as_f64().filter(|at| *at >= 0.0).map(|at| at as u64))
}

/// A claim that is a list of strings, or a string of words.
fn strings(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(words)) => words.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
