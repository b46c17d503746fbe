#![allow(clippy::unwrap_used)]

use serde_json::json;

use crate::lane::phoenix::PhoenixProfile;

fn profile(toml: &str) -> Result<PhoenixProfile, String> {
    let text = format!("kind = \"phoenix\"\nsocket_url = \"ws://lane\"\n{toml}");
    PhoenixProfile::of_toml(&text, "a.toml").map_err(|error| error.to_string())
}

#[test]
fn a_refusal_is_read_in_the_words_of_the_contract() {
    let profile = profile(
        r#"
        [envelope]
        refusal = "/error"
        [forms]
        watermark = '"s-{seq}"'
        [codes]
        stale_cursor = ["cursor_expired", "cursor_gone"]
        retention_floor_breach = "too_old"
        [refusal]
        code = "type"
        reason_codes = "causes"
        stale_topics = "/detail/streams"
        topic = "stream"
        reason = "why"
        retention_floor = "floor"
        "#,
    )
    .unwrap();
    let response = r#"{"error":{"type":"cursor_gone","causes":["too_old"],
        "detail":{"streams":[{"stream":"a","why":"too_old","floor":"s-4"}]}}}"#;
    let refused = profile.refused(response);
    assert_eq!(refused["code"], "stale_cursor");
    assert_eq!(refused["reason_codes"], json!(["retention_floor_breach"]));
    let stale = &refused["stale_topics"][0];
    assert_eq!((&stale["topic"], &stale["retention_floor"]), (&json!("a"), &json!(4)));
    assert_eq!(stale["reason"], "retention_floor_breach");
}

#[test]
fn a_refusal_may_be_a_text_or_a_reason() {
    let profile = profile("[codes]\nstale_cursor = \"gone\"").unwrap();
    assert_eq!(profile.refused("\"gone\"")["code"], "stale_cursor");
    assert_eq!(profile.refused("{\"reason\":\"gone\"}")["reason"], "stale_cursor");
    assert_eq!(profile.refused("{\"code\":\"other\"}")["code"], "other");
}

#[test]
fn a_code_that_the_contract_does_not_have_is_told() {
    assert!(profile("[codes]\nstale = \"gone\"").unwrap_err().contains("no code `stale`"));
    let twice = "[codes]\nstale_cursor = \"gone\"\nforbidden_topic = \"gone\"";
    assert!(profile(twice).unwrap_err().contains("`gone` stands for"));
}
