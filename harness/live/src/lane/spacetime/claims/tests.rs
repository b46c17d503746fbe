#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn token(claims: &Value) -> Secret {
    Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string())))
}

#[test]
fn claims_are_read_with_one_audience_and_with_several() {
    let read = |aud: Value| Claims::of(&token(&json!({"iss": "i", "sub": "s", "aud": aud, "exp": 12}))).unwrap();
    assert_eq!(read(json!("a")).audience, ["a"]);
    assert_eq!(read(json!(["a", "b"])).audience, ["a", "b"]);
    assert_eq!(read(json!(null)).audience, Vec::<String>::new());
    assert_eq!(read(json!("a")).expires, Some(12));
    assert!(read(json!("a")).identity().unwrap().starts_with("c200"));
}

#[test]
fn what_is_no_token_is_told_without_showing_it() {
    for (text, word) in [("not-to-be-seen", "three parts"), ("a.!.c", "base64url"), ("a.e30x.c", "JSON")] {
        let why = Claims::of(&Secret::new(text)).unwrap_err();
        assert!(why.contains(word) && !why.contains(text), "{text}: {why}");
    }
    let why = Claims::of(&token(&json!({"exp": "soon"}))).unwrap_err();
    assert!(why.contains("exp"), "{why}");
    assert_eq!(Claims::of(&token(&json!({"iss": "i"}))).unwrap().identity(), None);
}
