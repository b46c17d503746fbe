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

fn verified(token: Option<&str>) -> Result<Verified, Deny> {
    verify(token, Rules { tokens: &rules(), fallback: true, defects: &Defects::default() }, NOW)
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
    verified(Some(&mint("new", &claims)))
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
    assert!(verified(Some(&token("old"))).is_ok());
    assert_eq!(verified(Some(&token("other"))), Err(Deny::InvalidToken));
    assert_eq!(verified(Some("garbage")), Err(Deny::InvalidToken));
    assert_eq!(verified(None), Err(Deny::MissingAuthorization));
    assert_eq!(verified(Some(" ")), Err(Deny::MissingAuthorization));
}

#[test]
fn a_token_of_a_fallback_key_ends_with_it() {
    let (rules, defects) = (rules(), Defects::default());
    let ended = Rules { tokens: &rules, fallback: false, defects: &defects };
    assert_eq!(verify(Some(&mint("old", &claims())), ended, NOW), Err(Deny::InvalidToken));
    assert!(verify(Some(&mint("new", &claims())), ended, NOW).is_ok());
}

#[test]
fn each_claim_that_is_wrong_has_its_code() {
    let cases = [
        (json!({"exp": NOW - 29}), None),
        (json!({"exp": NOW - 30}), Some(Deny::TokenExpired)),
        (json!({"exp": null}), Some(Deny::InvalidToken)),
        (json!({"nbf": NOW + 30}), None),
        (json!({"nbf": NOW + 31}), Some(Deny::TokenNotYetValid)),
        (json!({"nbf": NOW + 31, "iss": "x"}), Some(Deny::TokenNotYetValid)),
        (json!({"jti": null, "iat": NOW - 331}), Some(Deny::TokenTooOld)),
        (json!({"jti": null, "iat": null}), Some(Deny::MissingIat)),
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
    assert_eq!(verified(Some(&token)), Err(Deny::InvalidToken));
}
