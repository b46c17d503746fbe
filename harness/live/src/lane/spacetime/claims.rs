//! The claims of a token, read without a check of its signature. Whether a server takes the token, a call shows.

#![allow(missing_docs, reason = "the names say it")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cutover_core::text::Secret;
use serde_json::Value;

use super::operate::identity;

/// What a token says of itself. Times are seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    pub issuer: String,
    pub subject: String,
    pub audience: Vec<String>,
    pub expires: Option<i64>,
}

impl Claims {
    /// # Errors
    /// What keeps the token from being read. It shows nothing of the token.
    pub fn of(token: &Secret) -> Result<Claims, String> {
        let mut parts = token.reveal().split('.');
        let (Some(_), Some(body), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err("it is no JWT: it has not three parts with dots between them".to_owned());
        };
        let bytes = URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).map_err(|_| "its claims are no base64url")?;
        let claims: Value = serde_json::from_slice(&bytes).map_err(|_| "its claims are no JSON")?;
        let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
        let audience = match &claims["aud"] {
            Value::String(one) => vec![one.clone()],
            Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let expires = match &claims["exp"] {
            Value::Null => None,
            number => Some(number.as_i64().ok_or("its `exp` is no whole number")?),
        };
        Ok(Claims { issuer: text("iss"), subject: text("sub"), audience, expires })
    }

    /// The identity that its bearer has, in hexadecimal digits; `None` without an issuer or a subject.
    pub fn identity(&self) -> Option<String> {
        let has_both = !self.issuer.is_empty() && !self.subject.is_empty();
        has_both.then(|| identity(&self.issuer, &self.subject))
    }
}

#[cfg(test)]
mod tests;
