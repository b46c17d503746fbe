//! A proxy that is to listen or lead elsewhere: the new address is had before the old one is given up.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::{Api, echo, there_and_back};

async fn answers(stream: &mut TcpStream) {
    stream.write_all(b"hello").await.unwrap();
    let mut back = [0; 5];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"hello");
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    // With or without a reset.
    !matches!(stream.read(&mut [0]).await, Ok(read) if read > 0)
}

#[tokio::test]
async fn a_refused_change_keeps_name_address_upstream_toxics_and_connections() {
    let upstream = echo().await.to_string();
    let api = Api::with_proxy(&upstream).await;
    api.post("/proxies/p/toxics", r#"{"type":"latency","attributes":{"latency":1}}"#).await;
    let mut open = TcpStream::connect(api.listens("p").await).await.unwrap();
    answers(&mut open).await;
    let before = api.get("/proxies").await.body;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap();
    for (path, body) in [
        ("/proxies/p", format!(r#"{{"listen":"{port}"}}"#)),
        ("/proxies/p", format!(r#"{{"listen":"{port}","upstream":"elsewhere:1"}}"#)),
        ("/proxies/p", r#"{"listen":"192.0.2.1:1"}"#.to_owned()),
        ("/populate", format!(r#"[{{"name":"p","listen":"{port}","upstream":"{upstream}"}}]"#)),
    ] {
        assert_eq!(api.post(path, &body).await.status, 500, "{body}");
        assert_eq!(api.get("/proxies").await.body, before, "{body}");
        answers(&mut open).await;
    }
}

#[tokio::test]
async fn a_proxy_moves_to_another_address_of_its_own_port() {
    let upstream = echo().await.to_string();
    let api = Api::with_proxy("127.0.0.1:1").await;
    let port = api.listens("p").await.port();
    for change in [
        format!(r#"{{"upstream":"{upstream}"}}"#),
        format!(r#"{{"listen":"0.0.0.0:{port}"}}"#),
        format!(r#"{{"listen":"127.0.0.1:{port}"}}"#),
    ] {
        let mut open = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        assert_eq!(api.post("/proxies/p", &change).await.status, 200, "{change}");
        assert!(is_closed(&mut open).await, "{change}");
        assert_eq!(there_and_back(([127, 0, 0, 1], port).into(), b"hello").await.unwrap(), b"hello");
        // The port is as taken as before for everybody else.
        let other = format!(r#"{{"name":"q","upstream":"u:1","listen":"127.0.0.1:{port}"}}"#);
        assert_eq!(api.post("/proxies", &other).await.status, 500, "{change}");
    }
    let replaced = format!(r#"[{{"name":"p","listen":"127.0.0.1:{port}","upstream":"127.0.0.1:1"}}]"#);
    assert_eq!(api.post("/populate", &replaced).await.status, 201);
    let mut open = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    assert!(is_closed(&mut open).await);
}
