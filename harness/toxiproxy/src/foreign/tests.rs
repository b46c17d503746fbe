#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn an_address_is_a_url_or_host_and_port() {
    for (url, expect) in [
        ("http://127.0.0.1:8474", Some("127.0.0.1:8474")),
        ("http://localhost/", Some("localhost:8474")),
        ("127.0.0.1:1", Some("127.0.0.1:1")),
        ("http://[::1]:5", Some("[::1]:5")),
        ("http://[::1]", Some("[::1]:8474")),
        ("https://127.0.0.1", None),
        ("http://127.0.0.1:port", None),
        ("http://", None),
    ] {
        assert_eq!(authority(url).as_deref(), expect, "{url}");
    }
}

#[tokio::test]
async fn where_nobody_answers_the_url_and_a_hint_are_told() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let error = ForeignToxiproxy::reach(&url, "x").await.err().unwrap().to_string();
    assert!(error.contains(&url) && error.contains("toxiproxy-server"), "{error}");
}

#[test]
fn a_toxic_is_written_as_the_api_takes_it() {
    let toxic = Toxic {
        name: "reset".into(),
        direction: cutover_core::plan::Direction::Downstream,
        toxicity: 0.5,
        toxic: ByteToxic::ResetPeer { timeout: 7 },
    };
    let written: serde_json::Value = serde_json::from_str(&body("reset", &toxic).unwrap()).unwrap();
    let expect = serde_json::json!({
        "name": "reset", "type": "reset_peer", "stream": "downstream", "toxicity": 0.5, "attributes": { "timeout": 7 }
    });
    assert_eq!(written, expect);
}
