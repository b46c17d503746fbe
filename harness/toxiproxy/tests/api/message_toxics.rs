//! The `ws_*` types through the API.

use crate::rig::Api;
use crate::transcript;

#[tokio::test]
async fn a_message_toxic_is_a_toxic_like_another() {
    let api = Api::with_proxy("127.0.0.1:1").await;
    let toxics = "/proxies/p/toxics";
    insta::assert_snapshot!(
        transcript(
            &api,
            &[
                ("POST", toxics, r#"{"type":"ws_cut","attributes":{"code":1001,"kind":"delivery","nth":3,"per":"proxy"},"toxicity":0.5}"#),
                ("POST", toxics, r#"{"type":"ws_drop","stream":"upstream","attributes":{"kind":"heartbeat","times":"always"}}"#),
                ("POST", toxics, r#"{"type":"ws_rewrite_cursor","attributes":{"topic":"run:a:events","to":2}}"#),
                ("POST", toxics, r#"{"type":"latency"}"#),
                ("GET", toxics, ""),
                ("PATCH", "/proxies/p/toxics/ws_cut_downstream", r#"{"attributes":{"how":"reset","nth":null}}"#),
                ("DELETE", "/proxies/p/toxics/ws_cut_downstream", ""),
            ]
        )
        .await
    );
}

#[tokio::test]
async fn a_message_toxic_that_is_wrong_is_refused_and_changes_nothing() {
    let api = Api::with_proxy("127.0.0.1:1").await;
    api.post("/proxies/p/toxics", r#"{"type":"ws_delay","attributes":{"ms":5}}"#).await;
    let before = api.get("/proxies").await.body;
    let toxics = "/proxies/p/toxics";
    insta::assert_snapshot!(
        transcript(
            &api,
            &[
                ("POST", toxics, r#"{"type":"ws_nothing"}"#),
                ("POST", toxics, r#"{"type":"ws_cut","attributes":{"cod":1012}}"#),
                ("POST", toxics, r#"{"type":"ws_cut","attributes":{"code":99}}"#),
                ("POST", toxics, r#"{"type":"ws_cut","attributes":[]}"#),
                ("POST", toxics, r#"{"type":"ws_delay","name":"x"}"#),
                ("POST", toxics, r#"{"type":"ws_delay","attributes":{"ms":1}}"#),
                (
                    "POST",
                    toxics,
                    r#"{"type":"ws_rewrite_cursor","stream":"downstream","attributes":{"topic":"t","to":1}}"#
                ),
                ("PATCH", "/proxies/p/toxics/ws_delay_downstream", r#"{"attributes":{"mss":1}}"#),
                ("PATCH", "/proxies/p/toxics/ws_delay_downstream", r#"{"attributes":5}"#),
                ("PATCH", "/proxies/p/toxics/ws_delay_downstream", r#"{"toxicity":"x","attributes":{"ms":9}}"#),
            ]
        )
        .await
    );
    assert_eq!(api.get("/proxies").await.body, before);
}
