//! Toxiproxy's own toxics.

use crate::rig::{Api, echo, there_and_back};
use crate::transcript;

#[tokio::test]
async fn every_type_has_its_attributes_and_defaults() {
    let api = Api::with_proxy("127.0.0.1:1").await;
    let mut out = String::new();
    for of in ["latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data", "noop"] {
        let reply = api.post("/proxies/p/toxics", &format!(r#"{{"type":"{of}"}}"#)).await;
        out.push_str(&format!("{reply}\n"));
    }
    insta::assert_snapshot!(out);
}

#[tokio::test]
async fn a_toxics_life() {
    let api = Api::with_proxy("127.0.0.1:1").await;
    let toxics = "/proxies/p/toxics";
    insta::assert_snapshot!(
        transcript(
            &api,
            &[
                ("GET", toxics, ""),
                (
                    "POST",
                    toxics,
                    r#"{"type":"latency","attributes":{"latency":100,"Jitter":10,"more":1},"toxicity":0.8}"#
                ),
                ("POST", toxics, r#"{"name":"slow","type":"bandwidth","stream":"UpStream","attributes":{"rate":30}}"#),
                ("POST", toxics, r#"{"type":"timeout","stream":"Upstream","toxicity":2.5,"attributes":null}"#),
                ("POST", toxics, r#"{"name":"z","type":"slow_close","toxicity":null,"stream":null}"#),
                ("GET", toxics, ""),
                ("GET", "/proxies/p", ""),
                ("GET", "/proxies/p/toxics/slow", ""),
                ("POST", "/proxies/p/toxics/latency_downstream", r#"{"attributes":{"latency":7}}"#),
                (
                    "PATCH",
                    "/proxies/p/toxics/latency_downstream",
                    r#"{"toxicity":0,"type":"timeout","name":"x","attributes":null}"#
                ),
                ("DELETE", "/proxies/p/toxics/slow", ""),
                ("GET", toxics, ""),
                ("DELETE", "/proxies/p/toxics/slow", ""),
                ("GET", "/proxies/p/toxics/slow", ""),
                ("PATCH", "/proxies/p/toxics/slow", "{}"),
                ("GET", "/proxies/q/toxics", ""),
                ("GET", "/proxies/q/toxics/slow", ""),
                ("POST", "/proxies/q/toxics", ""),
            ]
        )
        .await
    );
}

#[tokio::test]
async fn a_toxic_that_is_wrong_is_refused_in_toxiproxys_words() {
    let api = Api::with_proxy("127.0.0.1:1").await;
    api.post("/proxies/p/toxics", r#"{"type":"latency"}"#).await;
    let before = api.get("/proxies").await.body;
    let adds = [
        "",
        "[]",
        "{}",
        r#"{"type":"nothing"}"#,
        r#"{"type":"nothing","stream":"sideways"}"#,
        r#"{"type":"latency","stream":""}"#,
        r#"{"type":"latency"}"#,
        r#"{"name":"latency_downstream","type":"timeout","stream":"upstream"}"#,
        r#"{"type":5}"#,
        r#"{"type":"timeout","toxicity":"half"}"#,
        r#"{"type":"timeout","toxicity":1e40}"#,
        r#"{"type":"timeout","attributes":[]}"#,
        r#"{"type":"timeout","attributes":"x"}"#,
        r#"{"type":"timeout","attributes":{"timeout":"x"}}"#,
        r#"{"type":"timeout","attributes":{"timeout":1.5}}"#,
        r#"{"type":"reset_peer","attributes":{"timeout":{}}}"#,
        r#"{"type":"slicer","attributes":{"average_size":true}}"#,
        r#"{"type":"timeout","attributes":{"timeout":99999999999999999999}}"#,
    ];
    let updates = [
        "",
        "[]",
        r#"{"attributes":{"latency":1,"jitter":"x"}}"#,
        r#"{"attributes":7}"#,
        r#"{"toxicity":true,"attributes":{"latency":5}}"#,
    ];
    let adds = adds.map(|body| ("POST", "/proxies/p/toxics", body));
    let updates = updates.map(|body| ("PATCH", "/proxies/p/toxics/latency_downstream", body));
    let requests: Vec<_> = adds.into_iter().chain(updates).collect();
    insta::assert_snapshot!(transcript(&api, &requests).await);
    assert_eq!(api.get("/proxies").await.body, before);
}

#[tokio::test]
async fn a_toxic_works_on_connections_that_are_open() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let upstream = echo().await;
    let api = Api::with_proxy(&upstream.to_string()).await;
    let listens = api.listens("p").await;
    let mut stream = tokio::net::TcpStream::connect(listens).await.unwrap();
    let mut back = [0; 5];
    stream.write_all(b"first").await.unwrap();
    stream.read_exact(&mut back).await.unwrap();
    api.post("/proxies/p/toxics", r#"{"type":"limit_data","attributes":{"bytes":3}}"#).await;
    stream.write_all(b"second").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"sec");
    api.delete("/proxies/p/toxics/limit_data_downstream").await;
    assert_eq!(there_and_back(listens, b"all of it").await.unwrap(), b"all of it");
}
