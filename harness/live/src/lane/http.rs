//! A small HTTP/1.1 client for the writer: one connection to a proxy of ours, kept alive, with the lane's own
//! authority as its host.
//!
//! Its errors say whether the request can have reached the lane at all, which a writer must know.

#![allow(missing_docs, reason = "the names say it")]

use std::time::{Duration, SystemTime};

use bytes::Bytes;
pub use cutover_core::text::percent_encoded;
use cutover_core::text::{Secret, scrubbed, visible};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::passing::{AGAIN_AFTER, is_not_now, is_passing, retry_after};
use super::{Endpoint, OpenError};
use crate::bounds::{Bound, MESSAGE_MAX_BYTES};

/// How much of an answer an error shows, in characters.
const EXCERPT_CHARS: usize = 300;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No connection: the lane has seen nothing of the request.
    #[error("can't connect to {authority}: {why}")]
    Refused { authority: String, why: String },
    /// The connection ended before the answer was complete: it is unknown what the lane did.
    #[error("the connection to {authority} was lost before the answer to {request}: {why}")]
    Lost { authority: String, request: String, why: String },
    /// No answer in time: it is unknown what the lane did.
    #[error("{authority} did not answer {request} within {waited}")]
    TimedOut { authority: String, request: String, waited: Bound },
    /// An HTML page instead of an answer of the lane: another server is there.
    #[error(
        "{authority} answered {request} with HTTP {}{} and an HTML page: {}",
        page.status, redirected(page.location.as_deref()), page.excerpt()
    )]
    Html { authority: String, request: String, page: Box<HttpAnswer> },
    #[error("{request} can't be sent to {authority}: {why}")]
    Unsendable { authority: String, request: String, why: String },
}

impl HttpError {
    pub(crate) fn page(&self) -> Option<&HttpAnswer> {
        match self {
            HttpError::Html { page, .. } => Some(page),
            _ => None,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.page()?.retry_after
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    pub status: u16,
    pub location: Option<String>,
    pub retry_after: Option<Duration>,
    /// The server's clock, by its `Date`.
    pub date: Option<SystemTime>,
    /// The body's `Content-Encoding`, if any. The request asked for none.
    pub encoding: Option<String>,
    pub body: Bytes,
}

impl HttpAnswer {
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn excerpt(&self) -> String {
        match &self.encoding {
            Some(encoding) => format!("a body with Content-Encoding: {encoding}, which was not asked for"),
            None => excerpt(&self.body),
        }
    }

    pub fn is_passing(&self) -> bool {
        is_passing(self.status)
    }

    /// The status, where it redirects to, and the body's beginning, for people.
    pub fn in_words(&self) -> String {
        let to = redirected(self.location.as_deref());
        let body = self.excerpt();
        let colon = if body.is_empty() { "" } else { ": " };
        format!("HTTP {}{to}{colon}{body}", self.status)
    }
}

/// A server may refuse a request with a longer body before it has read it whole.
const READ_AT_ONCE: usize = 16 << 10;

/// The client. It connects when first asked, and again where the connection has gone in between.
pub struct HttpClient {
    endpoint: Endpoint,
    base: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    connect_within: Bound,
    answer_within: Bound,
    connection: Option<Connection>,
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl HttpClient {
    pub fn new(
        endpoint: Endpoint,
        headers: Vec<(HeaderName, HeaderValue)>,
        connect_within: Bound,
        answer_within: Bound,
    ) -> HttpClient {
        HttpClient { endpoint, base: String::new(), headers, connect_within, answer_within, connection: None }
    }

    #[must_use]
    pub fn below(mut self, base: String) -> HttpClient {
        self.base = base;
        self
    }

    /// Closes the connection. The next request opens another one.
    pub fn close(&mut self) {
        self.connection = None;
    }

    /// Sends a request and reads its answer whole. Nothing is ever sent twice.
    pub async fn request(
        &mut self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Bytes>,
    ) -> Result<HttpAnswer, HttpError> {
        self.request_with(method, path, content_type, None, body).await
    }

    /// Asks again after a passing refusal, as late as the answer asks at least. For requests that may be made twice.
    pub async fn request_again(
        &mut self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Bytes,
    ) -> Result<HttpAnswer, HttpError> {
        for wait in AGAIN_AFTER {
            let answered = self.request(method.clone(), path, content_type, body.clone()).await;
            let asked = match &answered {
                Ok(answer) if is_not_now(answer.status) => answer.retry_after,
                Err(HttpError::Html { page, .. }) if is_not_now(page.status) => page.retry_after,
                _ => return answered,
            };
            tokio::time::sleep(asked.map_or(wait, |asked| asked.max(wait))).await;
        }
        self.request(method, path, content_type, body).await
    }

    pub async fn request_with(
        &mut self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        header: Option<(&str, &str)>,
        body: impl Into<Bytes>,
    ) -> Result<HttpAnswer, HttpError> {
        let path = format!("{}{path}", self.base);
        let named = format!("{method} {path}");
        let body = body.into();
        let may_be_unread = body.len() > READ_AT_ONCE;
        let request = self.build(method, &path, content_type, header, body, &named)?;
        self.connect().await?;
        let Some(connection) = self.connection.as_mut() else {
            return Err(self.lost(&named, "it was closed".to_owned()));
        };
        let exchange = exchange(&mut connection.sender, request);
        let outcome = self.answer_within.within(exchange).await;
        // What still comes behind a failure answers a request that is no longer waited for. And a server may close the
        // connection behind a request that it could not read, or did not read to its end, without saying so in its
        // answer (RFC 9112, 9.6).
        let ends = |status: u16| status == 400 || (may_be_unread && status > 400);
        let is_kept =
            outcome.as_ref().is_ok_and(|answered| answered.as_ref().is_ok_and(|(answer, _)| !ends(answer.status)));
        if !is_kept {
            self.connection = None;
        }
        match outcome {
            Err(_) => Err(HttpError::TimedOut {
                authority: self.endpoint.authority.clone(),
                request: named,
                waited: self.answer_within,
            }),
            Ok(Err(why)) => Err(self.lost(&named, why)),
            Ok(Ok((answer, content_type))) if is_html(content_type.as_deref(), &answer.body) => Err(HttpError::Html {
                authority: self.endpoint.authority.clone(),
                request: named,
                page: Box::new(answer),
            }),
            Ok(Ok((answer, _))) => Ok(answer),
        }
    }

    /// Opens the connection where there is none, so that a lane that is not there is noticed before anything is asked.
    pub async fn connect(&mut self) -> Result<(), HttpError> {
        if let Some(connection) = self.connection.as_mut()
            && connection.sender.ready().await.is_ok()
        {
            return Ok(());
        }
        self.connection = None;
        let refused = |why: String| HttpError::Refused { authority: self.endpoint.authority.clone(), why };
        let tcp = self
            .connect_within
            .within(TcpStream::connect(self.endpoint.connect))
            .await
            .map_err(|reached| refused(reached.to_string()))?
            .map_err(|error| refused(error.to_string()))?;
        tcp.set_nodelay(true).map_err(|error| refused(error.to_string()))?;
        let (sender, driver) = http1::handshake(TokioIo::new(tcp)).await.map_err(|error| refused(error.to_string()))?;
        // The wait for the answer gets the driver's error, too.
        let driver = tokio::spawn(async move { drop(driver.await) });
        self.connection = Some(Connection { sender, driver });
        Ok(())
    }

    fn build(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        header: Option<(&str, &str)>,
        body: Bytes,
        named: &str,
    ) -> Result<Request<Full<Bytes>>, HttpError> {
        let mut request =
            Request::builder().method(method).uri(path).header(http::header::HOST, &self.endpoint.authority);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        if let Some(content_type) = content_type {
            request = request.header(http::header::CONTENT_TYPE, content_type);
        }
        request.body(Full::new(body)).map_err(|error| HttpError::Unsendable {
            authority: self.endpoint.authority.clone(),
            request: named.to_owned(),
            why: error.to_string(),
        })
    }

    fn lost(&self, request: &str, why: String) -> HttpError {
        HttpError::Lost { authority: self.endpoint.authority.clone(), request: request.to_owned(), why }
    }
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<(HttpAnswer, Option<String>), String> {
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let content_type = response.headers().get(http::header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let location = location(&response);
    let wait = retry_after(response.headers());
    let date = date(response.headers());
    let encoding = response.headers().get(http::header::CONTENT_ENCODING);
    let encoding = encoding.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let encoding = encoding.filter(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    let body = Limited::new(response.into_body(), MESSAGE_MAX_BYTES);
    let body = body.collect().await.map_err(|error| match error.downcast_ref() {
        Some(LengthLimitError { .. }) => format!("the answer is over our limit of {MESSAGE_MAX_BYTES} bytes"),
        None => error.to_string(),
    });
    let answer = HttpAnswer { status, location, retry_after: wait, date, encoding, body: body?.to_bytes() };
    Ok((answer, content_type))
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(http::header::DATE)?.to_str().ok()?).ok()
}

pub(crate) const REDIRECT_HINT: &str = "redirects are not followed: give the address that it redirects to";

pub(crate) fn location<B>(answer: &http::Response<B>) -> Option<String> {
    let value = answer.headers().get(http::header::LOCATION)?;
    if !answer.status().is_redirection() {
        return None;
    }
    Some(excerpt(value.as_bytes()))
}

pub(crate) fn redirected(location: Option<&str>) -> String {
    location.map_or_else(String::new, |to| format!(", which redirects to {to}"))
}

pub(crate) fn authorization(value: Option<String>) -> Result<Vec<(HeaderName, HeaderValue)>, OpenError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let mut value = HeaderValue::from_str(&value).map_err(|_| {
        OpenError::lasting("the token can't stand in a header")
            .hint("it holds a line break or another control character")
    })?;
    value.set_sensitive(true);
    Ok(vec![(http::header::AUTHORIZATION, value)])
}

pub(crate) fn bearer(token: &Secret) -> String {
    format!("Bearer {}", token.reveal())
}

pub(crate) fn is_html(content_type: Option<&str>, body: &[u8]) -> bool {
    let by_type = content_type.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"));
    let start: Vec<u8> = body.trim_ascii_start().iter().take(14).map(u8::to_ascii_lowercase).collect();
    by_type || start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}

/// The beginning of a text of the lane's, in one line. Its secrets are masked before it is cut: a part of one would
/// not be known.
pub(crate) fn excerpt(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let shown: String = scrubbed(&text).chars().take(EXCERPT_CHARS).collect();
    visible(&shown)
}

#[cfg(test)]
mod tests;
