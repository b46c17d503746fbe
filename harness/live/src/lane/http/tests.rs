#![allow(clippy::unwrap_used)]
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A server that gives each connection the next script: what it says after each request it reads.
async fn serve(scripts: Vec<Vec<&'static str>>) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for script in scripts {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in script {
                let mut buffer = vec![0; 4096];
                let read = stream.read(&mut buffer).await.unwrap();
                assert!(String::from_utf8_lossy(&buffer[..read]).contains("host: lane.example"));
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    Endpoint { connect, authority: "lane.example".to_owned() }
}

async fn ask(client: &mut HttpClient) -> Result<HttpAnswer, HttpError> {
    client.request(Method::GET, "/health", None, Bytes::new()).await
}

fn client(endpoint: Endpoint) -> HttpClient {
    HttpClient::new(endpoint, Vec::new(), crate::bounds::OPEN, crate::bounds::OPEN)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn two_requests_share_a_connection() {
    let mut client = client(serve(vec![vec![OK, OK]]).await);
    assert!(ask(&mut client).await.unwrap().is_ok());
    assert_eq!(ask(&mut client).await.unwrap().body, "ok");
}

#[tokio::test]
async fn a_refused_connection_is_told_from_a_lost_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = Endpoint { connect: listener.local_addr().unwrap(), authority: "lane.example".to_owned() };
    drop(listener);
    assert!(matches!(ask(&mut client(gone)).await, Err(HttpError::Refused { .. })));

    let half = serve(vec![vec!["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no"]]).await;
    assert!(matches!(ask(&mut client(half)).await, Err(HttpError::Lost { .. })));
}

#[tokio::test]
async fn a_lost_connection_is_opened_anew_for_the_next_request() {
    let mut client = client(serve(vec![vec![""], vec![OK]]).await);
    assert!(matches!(ask(&mut client).await, Err(HttpError::Lost { .. })));
    assert!(ask(&mut client).await.is_ok());
}

#[tokio::test]
async fn the_connection_is_not_used_again_behind_a_request_that_the_server_could_not_read() {
    let unread = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    let mut client = client(serve(vec![vec![unread], vec![OK]]).await);
    assert_eq!(ask(&mut client).await.unwrap().status, 400);
    assert!(ask(&mut client).await.unwrap().is_ok());
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint { connect: listener.local_addr().unwrap(), authority: "lane.example".to_owned() };
    let mut client = HttpClient::new(
        endpoint,
        Vec::new(),
        crate::bounds::OPEN,
        Bound::new("brief", std::time::Duration::from_millis(20)),
    );
    assert!(matches!(ask(&mut client).await, Err(HttpError::TimedOut { .. })));
}

#[tokio::test]
async fn a_page_for_people_is_no_answer() {
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>";
    let error = ask(&mut client(serve(vec![vec![page]]).await)).await.err().unwrap();
    assert!(matches!(&error, HttpError::Html { page, .. } if page.status == 200), "{error}");
}

#[test]
fn what_may_not_stand_in_a_path_is_encoded() {
    assert_eq!(percent_encoded("run:a:events"), "run%3Aa%3Aevents");
    assert_eq!(percent_encoded("é/~"), "%C3%A9%2F~");
}

#[tokio::test]
async fn a_service_below_a_path_is_asked_below_it() {
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n";
    let endpoint = serve(vec![vec![page]]).await;
    let client = HttpClient::new(endpoint, Vec::new(), crate::bounds::OPEN, crate::bounds::OPEN);
    let mut client = client.below("/stdb".to_owned());
    let error = client.request(Method::GET, "/v1/ping", None, Bytes::new()).await.unwrap_err();
    assert!(error.to_string().contains("GET /stdb/v1/ping"), "{error}");
}

#[test]
fn the_words_of_a_lane_are_one_line() {
    assert_eq!(excerpt(b"no\nALLOW\r\n::stop"), "no\\u{a}ALLOW\\u{d}\\u{a}::stop");
}

#[tokio::test]
async fn a_request_that_comes_too_early_is_made_again() {
    const NOT_NOW: &str = "HTTP/1.1 503 No\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
    let again = async |script| {
        let mut client = client(serve(vec![script]).await);
        let answered = client.request_again(Method::GET, "/health", None, Bytes::new()).await;
        answered.unwrap().status
    };
    assert_eq!(again(vec![NOT_NOW, NOT_NOW, NOT_NOW, OK]).await, 200);
    assert_eq!(again(vec![NOT_NOW, NOT_NOW, NOT_NOW, NOT_NOW]).await, 503);
    assert_eq!(again(vec!["HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"]).await, 500);
}
