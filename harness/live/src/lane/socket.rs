//! The WebSocket under a session: opened over plain TCP to a proxy of ours, with the lane's own authority as its host.

#![allow(missing_docs, reason = "the names say it")]

use std::time::Duration;

use bytes::Bytes;
use cutover_core::history::Closed;
use cutover_core::text::masked;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderName, HeaderValue};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::counted::Counted;
use super::http::{HttpAnswer, REDIRECT_HINT, is_html, location, redirected};
use super::passing::{is_passing, retry_after};
use super::refusal::refusal;
use super::{Endpoint, OpenError};
use crate::bounds::{self, Bound, Reached, Running};

/// What is read at once. The crate zeroes as much before each read.
const READ_BUFFER_BYTES: usize = 8 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// For the transport, the upgrade and the join, each.
    pub open: Bound,
    pub operation: Bound,
    pub heartbeat: Bound,
    /// Between the heartbeats that an idle session sends by itself.
    pub keepalive: Duration,
    pub close: Bound,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            open: bounds::OPEN,
            operation: bounds::OPERATION,
            heartbeat: bounds::HEARTBEAT,
            keepalive: Duration::from_secs(15),
            close: bounds::CLOSE,
        }
    }
}

/// A message that carries something. Pings are answered below; pongs carry nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    Text(String),
    Binary(Bytes),
}

pub struct Socket {
    stream: WebSocketStream<Counted>,
    send_within: Bound,
}

impl Socket {
    /// Opens one: `target` is path and query. Returns the subprotocol that the lane chose, too. `hint` says by the
    /// status of an answer how to mend it.
    pub async fn connect(
        endpoint: &Endpoint,
        target: &str,
        headers: &[(HeaderName, HeaderValue)],
        within: Bound,
        hint: impl Fn(u16) -> Option<String>,
    ) -> Result<(Socket, Option<String>), OpenError> {
        let authority = &endpoint.authority;
        let no_socket = |why: String| no_socket(authority, &why);
        let mut request = format!("ws://{authority}{target}").into_client_request().map_err(|error| {
            no_socket(format!("`{}` is no address: {error}", masked(&format!("{authority}{target}"))))
        })?;
        for (name, value) in headers {
            request.headers_mut().insert(name, value.clone());
        }
        let timed_out = |_| OpenError::passing(format!("{authority} did not answer the upgrade within {within}"));
        let tcp = within.within(TcpStream::connect(endpoint.connect)).await.map_err(timed_out)?;
        let tcp = tcp.map_err(|error| {
            OpenError::passing(format!("can't connect to {authority}: {error}"))
                .hint("is it running, and does the address lead to it?")
        })?;
        // Small messages that wait for each other would measure Nagle's algorithm, not the lane.
        tcp.set_nodelay(true).map_err(|error| no_socket(error.to_string()))?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_message_size(Some(bounds::MESSAGE_MAX_BYTES))
            .max_frame_size(Some(bounds::MESSAGE_MAX_BYTES));
        let upgrade = tokio_tungstenite::client_async_with_config(request, Counted::new(tcp), Some(config));
        let upgraded = within.within(upgrade).await.map_err(timed_out)?;
        let (stream, response) = upgraded.map_err(|error| refused(authority, error, hint))?;
        let chosen = response.headers().get(http::header::SEC_WEBSOCKET_PROTOCOL);
        let chosen = chosen.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let socket = Socket { stream, send_within: within };
        Ok((socket, chosen))
    }

    /// The next message that carries something. Cancel-safe.
    pub async fn recv(&mut self) -> Result<Payload, Closed> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Payload::Text(text.as_str().to_owned())),
                Some(Ok(Message::Binary(bytes))) => return Ok(Payload::Binary(bytes)),
                Some(Ok(Message::Close(frame))) => {
                    // 1005 stands for a close frame without a code (RFC 6455, 7.1.5).
                    let code = frame.map_or(1005, |frame| frame.code.into());
                    return Err(Closed::CloseFrame { code });
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(ended_by(error)),
                None => {
                    return Err(Closed::Lost { why: "the connection ended".to_owned() });
                }
            }
        }
    }

    /// The next message within a bound. A lane that is still sending one is waited for: each time that the bound is
    /// reached and bytes have come meanwhile, it begins anew, though not for ever.
    pub async fn recv_within(&mut self, running: &mut Running) -> Result<Result<Payload, Closed>, Reached> {
        loop {
            let before = self.stream.get_ref().read_bytes();
            let received = running.within(self.recv()).await;
            let came = self.stream.get_ref().read_bytes() > before;
            if received.is_ok() || !came || !running.renew() {
                return received;
            }
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// How the socket ended; a lane that takes nothing any more has gone silent.
    pub async fn send(&mut self, payload: Payload) -> Result<(), Closed> {
        let message = match payload {
            Payload::Text(text) => Message::text(text),
            Payload::Binary(bytes) => Message::binary(bytes),
        };
        match self.send_within.within(self.stream.send(message)).await {
            Ok(sent) => sent.map_err(|error| Closed::Lost { why: error.to_string() }),
            Err(_) => Err(Closed::Silent),
        }
    }

    /// Closes in good order: sends a close frame, then reads until the end, within the bound.
    pub async fn close(&mut self, within: Bound) {
        let closing = async {
            if self.stream.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
        };
        // A lane that does not answer the close is left alone: dropping the stream ends the connection.
        let _ = within.within(closing).await;
    }
}

/// How the socket ended, where reading it came to an error. A message over our limit is no fault of the lane.
fn ended_by(error: Error) -> Closed {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            Closed::OurLimit { what: format!("a message of {size} bytes is over our limit of {max_size}") }
        }
        other => Closed::Lost { why: other.to_string() },
    }
}

/// What came back is no WebSocket handshake, or the request can't be made.
fn no_socket(authority: &str, why: &str) -> OpenError {
    OpenError::lasting(format!("no WebSocket with {authority}: {why}")).hint("is this a WebSocket server?")
}

fn refused(authority: &str, error: Error, hint: impl Fn(u16) -> Option<String>) -> OpenError {
    let lost = |why: &str| {
        OpenError::passing(format!("{authority} ended the connection before it answered the upgrade: {why}"))
    };
    match error {
        Error::Http(response) => {
            let content_type = response.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let answer = HttpAnswer {
                status: response.status().as_u16(),
                location: location(&response),
                retry_after: retry_after(response.headers()),
                date: None,
                encoding: None,
                body: response.body().clone().unwrap_or_default().into(),
            };
            answered(authority, &answer, is_html(content_type, &answer.body), hint)
        }
        Error::Io(error) => lost(&error.to_string()),
        Error::ConnectionClosed | Error::AlreadyClosed => lost("it was closed"),
        Error::Protocol(error) if error.to_string().contains("Handshake not finished") => lost(&error.to_string()),
        other => no_socket(authority, &other.to_string()),
    }
}

/// An HTTP answer that is no upgrade. A passing status is worth another try, even in an HTML page of a balancer.
fn answered(authority: &str, answer: &HttpAnswer, html: bool, hint: impl Fn(u16) -> Option<String>) -> OpenError {
    let (status, passes) = (answer.status, is_passing(answer.status));
    let seen = match answer.excerpt() {
        _ if html => " and an HTML page".to_owned(),
        body if body.is_empty() => body,
        body => format!(": {body}"),
    };
    let to = redirected(answer.location.as_deref());
    let known = match answer.location {
        Some(_) => REDIRECT_HINT,
        None if status == 426 => {
            "a proxy before the lane may not pass `Upgrade` on, or this is the path of another service"
        }
        None if html && !passes => "a web server is there, but not this lane's socket: check URL and path",
        None => "",
    };
    OpenError {
        hint: if known.is_empty() { hint(status) } else { Some(known.to_owned()) },
        retryable: passes,
        retry_after: answer.retry_after.filter(|_| passes),
        refusal: Some(Box::new(refusal(format!("http_{status}"), String::new()))),
        is_of_the_profile: status == 404,
        ..OpenError::lasting(format!("{authority} answered the upgrade with HTTP {status}{to}{seen}"))
    }
}

#[cfg(test)]
mod tests;
