//! What the service has beyond Toxiproxy's routes, and its numbers.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{Api, echo, there_and_back};

#[tokio::test]
async fn numbers_have_toxiproxys_names_and_labels() {
    let upstream = echo().await;
    let api = Api::with_proxy(&upstream.to_string()).await;
    assert_eq!(api.get("/metrics").await.header("Content-Type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let listens = api.listens("p").await;
    there_and_back(listens, b"hello").await.unwrap();
    api.post("/proxies/p/toxics", r#"{"type":"ws_drop"}"#).await;
    // A proxy that moves keeps what it counted.
    api.post("/proxies/p", r#"{"upstream":"else\"where"}"#).await;
    let text = api.get("/metrics").await.body;
    let text = text.replace(&upstream.to_string(), "UPSTREAM").replace(&listens.to_string(), "LISTENER");
    insta::assert_snapshot!(text);
}

/// A lane that speaks just enough WebSocket to send two messages.
async fn websocket_lane() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                use tokio_tungstenite::tungstenite::Message;
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                for text in ["one", "two", "three"] {
                    let message = Message::Text(text.into());
                    futures_util::SinkExt::send(&mut socket, message).await.unwrap();
                }
                let _ = futures_util::SinkExt::close(&mut socket).await;
            });
        }
    });
    addr
}

#[tokio::test]
async fn the_ledger_tells_what_a_message_toxic_struck_and_when() {
    use futures_util::StreamExt;
    let upstream = websocket_lane().await;
    let api = Api::with_proxy(&upstream.to_string()).await;
    api.post("/proxies/p/toxics", r#"{"type":"ws_drop","attributes":{"nth":2}}"#).await;
    api.post("/proxies/p/toxics", r#"{"type":"ws_repeat","attributes":{"nth":9}}"#).await;
    let url = format!("ws://{}/socket", api.listens("p").await);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let mut got = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        if let Ok(text) = message.into_text() {
            got.push(text.to_string());
        }
    }
    got.retain(|text| !text.is_empty());
    assert_eq!(got, ["one", "three"]);
    let ledger = api.get("/proxies/p/ledger").await.json();
    let struck = &ledger["toxics"][0];
    assert_eq!(
        (&struck["name"], &struck["strikes"], &struck["armed"]),
        (&"ws_drop_downstream".into(), &1.into(), &true.into())
    );
    assert_eq!((&struck["struck"][0]["connection"], &struck["struck"][0]["frame"]), (&1.into(), &2.into()));
    let at = struck["struck"][0]["at"].as_str().unwrap();
    assert!(at.len() == 24 && at.ends_with('Z'), "{at}");
    assert_eq!(ledger["toxics"][1]["strikes"], 0);
    assert_eq!(api.get("/ledger").await.json()["proxies"][0], ledger);
    api.post("/reset", "").await;
    assert_eq!(api.get("/proxies/p/ledger").await.json()["toxics"][0]["armed"], false);
    assert_eq!(api.get("/proxies/q/ledger").await.status, 404);
}

#[tokio::test]
async fn an_upstream_that_speaks_tls_is_spoken_to_in_tls() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let api = Api::with_proxy(&format!("tls://localhost:{port}")).await;
    let mut client = tokio::net::TcpStream::connect(api.listens("p").await).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    let (mut lane, _) = listener.accept().await.unwrap();
    let mut first = [0; 2];
    lane.read_exact(&mut first).await.unwrap();
    // A handshake record of TLS.
    assert_eq!(first, [0x16, 0x03]);
    assert_eq!(api.get("/proxies/p/ledger").await.json()["unreachable"]["times"], 0);
    lane.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    assert!(!matches!(client.read(&mut first).await, Ok(1..)));
    let told = api.get("/proxies/p/ledger").await.json()["unreachable"].clone();
    assert_eq!((&told["times"], &told["last_connection"]), (&1.into(), &1.into()));
    let why = told["last_reason"].as_str().unwrap();
    assert!(why.contains(&format!("localhost:{port} does not speak TLS")), "{why}");
}
