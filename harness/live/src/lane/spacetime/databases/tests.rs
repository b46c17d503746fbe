#![allow(clippy::unwrap_used)]
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::lane::Endpoint;

/// A server that answers each question for connections with the next of these, the last one again and again.
async fn serve(answers: &'static [&'static str]) -> HttpClient {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        for at in 0.. {
            if tcp.read(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
            let rows = answers[at.min(answers.len() - 1)];
            // A server of version 2 counts the connection of the question itself.
            let body = format!("[{{\"rows\":[{}]}}]", rows.replace("own", &format!("\"own {at}\"")));
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = tcp.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    let endpoint = Endpoint { connect, authority: "db.example".to_owned() };
    HttpClient::new(endpoint, Vec::new(), bounds::MEET, bounds::MEET)
}

#[tokio::test]
async fn a_database_is_empty_once_no_connection_is_there_twice() {
    for answers in [&[""][..], &["\"a\",\"b\"", "\"b\"", ""], &["own"], &["\"a\",own", "\"a\",own", "own"]] {
        let mut http = serve(answers).await;
        assert_eq!(until_empty(&mut http, "d").await, Ok(Ok(())), "{answers:?}");
    }
}

#[tokio::test]
async fn a_connection_that_stays_is_told() {
    let mut http = serve(&["\"a\",own"]).await;
    assert!(until_empty(&mut http, "d").await.unwrap().is_err());
}
