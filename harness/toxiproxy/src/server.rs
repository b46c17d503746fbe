//! Serves the API over HTTP/1.1, within bounds.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cutover_live::clock::wall_clock_us;
use http::Request;
use http::header::USER_AGENT;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::handlers;
use crate::proxies::Proxies;
use crate::routes::{Route, route};

const BODY_MAX_BYTES: usize = 4 * 1024 * 1024;

/// How long a request may take to arrive, as in Toxiproxy.
const READ_TIMEOUT: Duration = Duration::from_secs(15);

/// API connections at a time. Further ones wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 1024;

/// How long requests that are being answered may take when the service ends.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// How long accepting pauses after an error (no file descriptors left, most often).
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

pub struct Api {
    proxies: Arc<Proxies>,
    ids: RequestIds,
}

impl Api {
    pub fn new(proxies: Arc<Proxies>) -> Api {
        Api { proxies, ids: RequestIds::new() }
    }
}

pub async fn serve(listener: TcpListener, api: Arc<Api>, stopped: impl Future<Output = ()>) {
    let (ending, connections) = (CancellationToken::new(), TaskTracker::new());
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let accepted = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            biased;
            () = &mut stopped => break,
            accepted = accepted => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (api, ending) = (Arc::clone(&api), ending.clone());
        connections.spawn(async move {
            connection(stream, api, ending).await;
            drop(place);
        });
    }
    drop(listener);
    ending.cancel();
    connections.close();
    // Requests that are not answered by then get no answer.
    let _ = tokio::time::timeout(LAST_ANSWERS, connections.wait()).await;
}

async fn connection(stream: TcpStream, api: Arc<Api>, ending: CancellationToken) {
    let answer = service_fn(move |request| {
        let api = Arc::clone(&api);
        async move { Ok::<_, Infallible>(answered(request, api).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(READ_TIMEOUT).title_case_headers(true);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), answer));
    // An error here is a client that broke off.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = ending.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn answered(request: Request<Incoming>, api: Arc<Api>) -> Answer {
    let uri = request.uri();
    let route = route(request.method().as_str(), uri.path(), uri.query());
    if let Route::WrongMethod | Route::Nothing | Route::Moved(_) | Route::Unreadable = route {
        return handlers::handle(route, &[], &api.proxies).await;
    }
    let id = api.ids.next();
    // Toxiproxy refuses browsers, so that no web page can change it.
    let agent = request.headers().get(USER_AGENT);
    if agent.is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/")) {
        return answer::with_id(answer::refusal(403, "User agent not allowed"), &id);
    }
    let answer = match body_of(request).await {
        Ok(body) => {
            // In a task of its own, so that a client that disconnects leaves no change half done.
            let done = tokio::spawn(async move { handlers::handle(route, &body, &api.proxies).await });
            done.await.unwrap_or_else(|_| ApiError::system("this is a fault of cutover itself").into())
        }
        Err(error) => error.into(),
    };
    answer::with_id(answer, &id)
}

async fn body_of(request: Request<Incoming>) -> Result<bytes::Bytes, ApiError> {
    let body = Limited::new(request.into_body(), BODY_MAX_BYTES).collect();
    match tokio::time::timeout(READ_TIMEOUT, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::bad_body("http: request body too large")),
        Ok(Err(_)) => Err(ApiError::bad_body("unexpected EOF")),
        Err(_) => Err(ApiError::bad_body("i/o timeout")),
    }
}

/// Gives each request an id that is almost certainly unique, also among services: 20 letters, as in Toxiproxy.
struct RequestIds {
    begun: u64,
    last: AtomicU64,
}

impl RequestIds {
    fn new() -> RequestIds {
        RequestIds { begun: wall_clock_us() << 12 | u64::from(std::process::id()) & 0xfff, last: AtomicU64::new(0) }
    }

    fn next(&self) -> String {
        const LETTERS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
        let number = self.last.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff;
        let whole = u128::from(self.begun) << 32 | u128::from(number);
        let letter = |at: u32| char::from(LETTERS[(whole >> (at * 5) & 31) as usize]);
        (0..20).rev().map(letter).collect()
    }
}
