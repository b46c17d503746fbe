#![allow(clippy::unwrap_used)]
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;

fn mint(key: &str, claims: &Value) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

const NOW: u64 = 1_800_000_000;

fn rules() -> Tokens {
    Tokens {
        key: Some("new".to_owned()),
        fallback_keys: vec!["old".to_owned()],
        issuer: Some("iss".to_owned()),
        audience: Some("aud".to_owned()),
        max_age_s: Some(300),
        ..Tokens::default()
    }
}

fn claims() -> Value {
    json!({"iss": "iss", "aud": "aud", "sub": "u", "exp": NOW + 60, "nbf": NOW, "iat": NOW, "jti": "j",
               "oa_sync_topics": ["run:r1:events"], "oa_sync_scopes": ["sync:read"]})
}

fn outcome(change: Value) -> Result<Verified, Deny> {
    let mut claims = claims();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    verify(Some(&mint("new", &claims)), &rules(), NOW, false)
}

#[test]
fn a_good_token_gives_its_jti_and_grants() {
    let verified = outcome(json!({})).unwrap();
    assert_eq!(verified.jti, "j");
    assert_eq!(verified.grants, ["run:r1:events", "sync:read"]);
}

#[test]
fn a_token_of_a_fallback_key_is_good_and_one_of_another_key_is_not() {
    let token = |key| mint(key, &claims());
    assert!(verify(Some(&token("old")), &rules(), NOW, false).is_ok());
    assert_eq!(verify(Some(&token("other")), &rules(), NOW, false), Err(Deny::InvalidToken));
    assert_eq!(verify(Some("garbage"), &rules(), NOW, false), Err(Deny::InvalidToken));
    assert_eq!(verify(None, &rules(), NOW, false), Err(Deny::MissingAuthorization));
    assert_eq!(verify(Some(" "), &rules(), NOW, false), Err(Deny::MissingAuthorization));
}

#[test]
fn each_claim_that_is_wrong_has_its_code() {
    let cases = [
        (json!({"exp": NOW - 29}), None),
        (json!({"exp": NOW - 30}), Some(Deny::TokenExpired)),
        (json!({"exp": null}), Some(Deny::InvalidToken)),
        (json!({"nbf": NOW + 30}), None),
        (json!({"nbf": NOW + 31}), Some(Deny::InvalidToken)),
        (json!({"iss": "x"}), Some(Deny::InvalidToken)),
        (json!({"aud": ["x", "aud"]}), None),
        (json!({"aud": "x"}), Some(Deny::InvalidToken)),
        (json!({"jti": null}), Some(Deny::MissingJti)),
        (json!({"jti": " "}), Some(Deny::MissingJti)),
        (json!({"iat": null}), Some(Deny::MissingIat)),
        (json!({"iat": NOW - 330}), None),
        (json!({"iat": NOW - 331}), Some(Deny::TokenTooOld)),
    ];
    for (change, expected) in cases {
        assert_eq!(outcome(change.clone()).err(), expected, "{change}");
    }
}

#[test]
fn an_unsigned_token_is_refused() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.", part(&json!({"alg": "none", "typ": "JWT"})), part(&claims()));
    assert_eq!(verify(Some(&token), &rules(), NOW, false), Err(Deny::InvalidToken));
}
