//! The WebSocket under a session: opened over plain TCP to a proxy of ours, with the lane's own authority as its host.

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
use super::http::{REDIRECT_HINT, excerpt, is_html, location, redirected};
use super::passing::{is_passing, retry_after};
use super::refusal::refusal;
use super::{Endpoint, OpenError};
use crate::bounds::{self, Bound, Reached, Running};

/// What is read at once. The crate zeroes as much before each read.
const READ_BUFFER_BYTES: usize = 8 * 1024;

/// How long a session waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// For the transport, the upgrade and the join, each.
    pub open: Bound,
    /// For the answer to an operation.
    pub operation: Bound,
    /// For the answer to a heartbeat.
    pub heartbeat: Bound,
    /// Between the heartbeats that an idle session sends by itself.
    pub keepalive: Duration,
    /// For closing in good order.
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
#[allow(missing_docs, reason = "the names say it")]
pub enum Payload {
    Text(String),
    Binary(Bytes),
}

/// Why an upgrade failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the names say it")]
pub enum UpgradeError {
    /// The connection could not be opened.
    #[error("can't connect to {authority}: {why}")]
    Unreachable { authority: String, why: String },
    /// Nothing came in time.
    #[error("{authority} did not answer the upgrade within {waited}")]
    TimedOut { authority: String, waited: Bound },
    /// The connection ended before the upgrade was answered.
    #[error("{authority} ended the connection before it answered the upgrade: {why}")]
    Lost { authority: String, why: String },
    /// An HTTP answer that is no upgrade.
    #[error("{authority} answered the upgrade with HTTP {status}{}{}", redirected(location.as_deref()), if *html { " and an HTML page" } else { "" })]
    Answered {
        authority: String,
        status: u16,
        location: Option<String>,
        html: bool,
        retry_after: Option<Duration>,
        body: String,
    },
    /// What came back is no WebSocket handshake, or the request can't be made.
    #[error("no WebSocket with {authority}: {why}")]
    Protocol { authority: String, why: String },
}

impl UpgradeError {
    /// The session's error, with a hint by status.
    pub fn into_open_error(self, hint: impl Fn(u16) -> Option<String>) -> OpenError {
        let mut retry_after = None;
        let (retryable, hint) = match &self {
            UpgradeError::Unreachable { .. } => {
                (true, Some("is it running, and does the address lead to it?".to_owned()))
            }
            UpgradeError::TimedOut { .. } | UpgradeError::Lost { .. } => (true, None),
            UpgradeError::Answered { location: Some(_), .. } => (false, Some(REDIRECT_HINT.to_owned())),
            UpgradeError::Answered { status: 426, .. } => {
                let hint = "a proxy before the lane may not pass `Upgrade` on, or this is the path of another service";
                (false, Some(hint.to_owned()))
            }
            // Whoever answers so, a balancer or the lane: it passes.
            UpgradeError::Answered { status, retry_after: wait, .. } if is_passing(*status) => {
                retry_after = *wait;
                (true, hint(*status))
            }
            UpgradeError::Answered { html: true, .. } => {
                (false, Some("a web server is there, but not this lane's socket: check URL and path".to_owned()))
            }
            UpgradeError::Answered { status, .. } => (false, hint(*status)),
            UpgradeError::Protocol { .. } => (false, Some("is this a WebSocket server?".to_owned())),
        };
        let mut what = self.to_string();
        if let UpgradeError::Answered { html: false, body, .. } = &self
            && !body.is_empty()
        {
            what = format!("{what}: {body}");
        }
        let status = match self {
            UpgradeError::Answered { status, .. } => Some(status),
            _ => None,
        };
        OpenError {
            what,
            hint,
            retryable,
            retry_after,
            refusal: status.map(|status| Box::new(refusal(format!("http_{status}"), String::new()))),
            is_of_the_profile: status == Some(404),
        }
    }
}

/// An open WebSocket.
pub struct Socket {
    stream: WebSocketStream<Counted>,
    /// How long a message may wait for room in the transport.
    send_within: Bound,
}

impl Socket {
    /// Opens one: `target` is path and query. Returns the subprotocol that the lane chose, too.
    pub async fn connect(
        endpoint: &Endpoint,
        target: &str,
        headers: &[(HeaderName, HeaderValue)],
        within: Bound,
    ) -> Result<(Socket, Option<String>), UpgradeError> {
        let authority = endpoint.authority.clone();
        let protocol = |why: String| UpgradeError::Protocol { authority: authority.clone(), why };
        let mut request = format!("ws://{}{target}", endpoint.authority).into_client_request().map_err(|error| {
            protocol(format!("`{}` is no address: {error}", masked(&format!("{}{target}", endpoint.authority))))
        })?;
        for (name, value) in headers {
            request.headers_mut().insert(name, value.clone());
        }
        let timed_out = |_| UpgradeError::TimedOut { authority: authority.clone(), waited: within };
        let tcp = within
            .within(TcpStream::connect(endpoint.connect))
            .await
            .map_err(timed_out)?
            .map_err(|error| UpgradeError::Unreachable { authority: authority.clone(), why: error.to_string() })?;
        // Small messages that wait for each other would measure Nagle's algorithm, not the lane.
        tcp.set_nodelay(true).map_err(|error| protocol(error.to_string()))?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_message_size(Some(bounds::MESSAGE_MAX_BYTES))
            .max_frame_size(Some(bounds::MESSAGE_MAX_BYTES));
        let upgrade = tokio_tungstenite::client_async_with_config(request, Counted::new(tcp), Some(config));
        let (stream, response) =
            within.within(upgrade).await.map_err(timed_out)?.map_err(|error| refused(&authority, error))?;
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

    /// Closes in good order: a close frame, then whatever still comes is read away, within the bound.
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

fn refused(authority: &str, error: Error) -> UpgradeError {
    let authority = authority.to_owned();
    match error {
        Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            let content_type = response.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            UpgradeError::Answered {
                authority,
                status: response.status().as_u16(),
                location: location(&response),
                html: is_html(content_type, body),
                retry_after: retry_after(response.headers()),
                body: excerpt(body),
            }
        }
        Error::Io(error) => UpgradeError::Lost { authority, why: error.to_string() },
        Error::ConnectionClosed | Error::AlreadyClosed => {
            UpgradeError::Lost { authority, why: "it was closed".to_owned() }
        }
        Error::Protocol(error) if error.to_string().contains("Handshake not finished") => {
            UpgradeError::Lost { authority, why: error.to_string() }
        }
        other => UpgradeError::Protocol { authority, why: other.to_string() },
    }
}

#[cfg(test)]
mod tests;
