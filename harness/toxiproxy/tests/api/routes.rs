//! Paths, methods, headers.

use crate::rig::Api;
use crate::transcript;

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_answered_as_by_toxiproxys_router() {
    let api = Api::with_proxy("127.0.0.1:1").await;
    insta::assert_snapshot!(
        transcript(
            &api,
            &[
                ("GET", "/", ""),
                ("GET", "/nowhere", ""),
                ("GET", "/proxies/", ""),
                ("GET", "//proxies", ""),
                ("GET", "/proxies/%zz", ""),
                ("PUT", "/proxies", ""),
                ("PUT", "/proxies/p", ""),
                ("GET", "/reset", ""),
                ("DELETE", "/version", ""),
                ("PATCH", "/proxies/p/toxics", ""),
                ("POST", "/ledger", ""),
            ]
        )
        .await
    );
}

#[tokio::test]
async fn the_version_is_the_one_that_this_is_compatible_with() {
    let reply = Api::start().await.get("/version").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("Content-Type"), Some("application/json;charset=utf-8"));
    assert_eq!(reply.body, "{\"version\": \"2.12.0\"}\n");
}

#[tokio::test]
async fn browsers_are_refused_wherever_there_is_something_to_see() {
    let api = Api::start().await;
    let browser = "Mozilla/5.0 (X11; Linux x86_64)";
    let refused = api.call_as(browser, "GET", "/proxies", "").await;
    assert_eq!(refused.to_string(), "403 text/plain; charset=utf-8 nosniff\n\"User agent not allowed\\n\"");
    assert_eq!(api.call_as(browser, "GET", "/nowhere", "").await.status, 404);
    assert_eq!(api.call_as("Wget/2.1 Mozilla/", "GET", "/proxies", "").await.status, 200);
}

#[tokio::test]
async fn every_handled_request_has_an_id_of_its_own() {
    let api = Api::start().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let reply = api.get("/proxies").await;
        ids.push(reply.header("X-Toxiproxy-Request-Id").unwrap().to_owned());
    }
    assert!(ids.iter().all(|id| id.len() == 20), "{ids:?}");
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert_eq!(api.get("/nowhere").await.header("X-Toxiproxy-Request-Id"), None);
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_refused() {
    let api = Api::start().await;
    let body = format!(r#"{{"name":"{}"}}"#, "x".repeat(5 * 1024 * 1024));
    // Where the answer comes while the client still sends, what it sees is the system's affair; the service goes on.
    let stream = tokio::net::TcpStream::connect(api.addr).await.unwrap();
    let (_, mut write) = stream.into_split();
    let head = format!("POST /proxies HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
    let _ = tokio::io::AsyncWriteExt::write_all(&mut write, format!("{head}{body}").as_bytes()).await;
    assert_eq!(api.get("/proxies").await.body, "{}");
}

#[tokio::test]
async fn the_service_ends_when_it_is_told_to_and_its_proxies_with_it() {
    let api = Api::with_proxy("127.0.0.1:1").await;
    let listens = api.listens("p").await;
    // A client that keeps its connection does not hold it up.
    let _idle = tokio::net::TcpStream::connect(api.addr).await.unwrap();
    api.stop.cancel();
    api.done.await.unwrap();
    assert!(tokio::net::TcpStream::connect(listens).await.is_err());
    assert!(tokio::net::TcpStream::connect(api.addr).await.is_err());
}
