//! A proxy with a scripted client on one side and a scripted lane on the other.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cutover_core::history::Fire;
use cutover_core::ids::{ClientId, FaultId, Seq};
use cutover_core::plan::{Cut, FaultKind, PlannedFault, Position, Times, When};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::toy::ToyFactory;
use crate::frame::Body;
use crate::proxy::ws::{self, Parser, Read};
use crate::proxy::{LedgerSink, Limits, MessageToxic, Proxy, ProxyConfig, UpstreamAddr};

pub(super) const ASK: &[u8] = b"GET /socket?vsn=2 HTTP/1.1\r\nHost: lane\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
pub(super) const GRANT: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// No test waits longer than this for anything.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("something that has to happen did not")
}

/// Remembers what fired.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) fires: Mutex<Vec<(FaultId, Fire)>>,
    pub(super) blind: Mutex<Vec<String>>,
}

impl Ledger {
    pub(super) fn hits(&self) -> Vec<String> {
        self.fires.lock().unwrap().iter().map(|(_, fire)| fire.hit.clone()).collect()
    }
}

impl LedgerSink for Ledger {
    fn fired(&self, fault: &FaultId, client: &ClientId, fire: Fire) {
        assert_eq!(client.as_str(), "phone");
        self.fires.lock().unwrap().push((fault.clone(), fire));
    }

    fn went_blind(&self, _: &ClientId, _: u32, why: &str) {
        self.blind.lock().unwrap().push(why.to_owned());
    }
}

pub(super) struct Rig {
    pub(super) proxy: Proxy,
    pub(super) lane: TcpListener,
    pub(super) ledger: Arc<Ledger>,
    pub(super) upstream: watch::Sender<Option<UpstreamAddr>>,
}

pub(super) fn address_of(listener: &TcpListener) -> UpstreamAddr {
    let addr = listener.local_addr().unwrap();
    UpstreamAddr::plain(addr)
}

pub(super) fn limits() -> Limits {
    Limits { message_max_bytes: 1024 * 1024, http_shown_max_bytes: 4096, ..Limits::default() }
}

impl Rig {
    pub(super) async fn new(faults: Vec<PlannedFault>) -> Rig {
        Rig::with(faults, limits()).await
    }

    pub(super) async fn with(faults: Vec<PlannedFault>, limits: Limits) -> Rig {
        let lane = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (upstream, receiver) = watch::channel(Some(address_of(&lane)));
        let ledger = Arc::new(Ledger::default());
        let config = ProxyConfig {
            faults: faults.into_iter().map(MessageToxic::from).collect(),
            limits,
            ..ProxyConfig::transparent("phone".into(), receiver, Arc::new(ToyFactory), Arc::clone(&ledger) as _)
        };
        Rig { proxy: Proxy::start(config).await.unwrap(), lane, ledger, upstream }
    }

    /// A connection's two ends, before anything was said.
    pub(super) async fn connect(&self) -> (End, End) {
        let client = soon(TcpStream::connect(self.proxy.addr())).await.unwrap();
        let (lane, _) = soon(self.lane.accept()).await.unwrap();
        (End::new(client, Some([1, 2, 3, 4])), End::new(lane, None))
    }

    /// A connection's two ends, as a WebSocket.
    pub(super) async fn open(&self) -> (End, End) {
        let (mut client, mut lane) = self.connect().await;
        client.send(ASK).await;
        lane.expect(ASK).await;
        lane.send(GRANT).await;
        client.expect(GRANT).await;
        (client, lane)
    }
}

/// One end of a connection.
pub(super) struct End {
    pub(super) stream: TcpStream,
    mask: Option<[u8; 4]>,
    parser: Parser,
    buf: BytesMut,
}

impl End {
    pub(super) fn new(stream: TcpStream, mask: Option<[u8; 4]>) -> End {
        stream.set_nodelay(true).unwrap();
        End { stream, mask, parser: Parser::new(usize::MAX), buf: BytesMut::new() }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    pub(super) async fn say(&mut self, text: &str) {
        self.send_body(&Body::Text(Bytes::copy_from_slice(text.as_bytes()))).await;
    }

    pub(super) async fn send_body(&mut self, body: &Body) {
        let bytes = ws::encode(body, self.mask);
        self.send(&bytes).await;
    }

    pub(super) async fn expect(&mut self, bytes: &[u8]) {
        let mut got = vec![0; bytes.len()];
        soon(self.stream.read_exact(&mut got)).await.unwrap();
        assert_eq!(Bytes::from(got), Bytes::copy_from_slice(bytes));
    }

    /// The next message, or how the connection ended without one.
    pub(super) async fn hear(&mut self) -> Result<Body, Ended> {
        loop {
            if let Some(Read::Message { body, .. }) = self.parser.next(&mut self.buf).unwrap() {
                return Ok(body);
            }
            match soon(self.stream.read_buf(&mut self.buf)).await {
                Ok(0) => return Err(Ended::Eof),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Err(Ended::Reset),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Hears these texts, one after the other.
    pub(super) async fn hears(&mut self, texts: &[&str]) {
        for text in texts {
            assert_eq!(self.hear().await, Ok(Body::Text(Bytes::copy_from_slice(text.as_bytes()))));
        }
    }

    /// Says something and waits until it came through to the other end: whatever was sent before is past the proxy.
    pub(super) async fn says_to(&mut self, other: &mut End, text: &str) {
        self.say(text).await;
        other.hears(&[text]).await;
    }

    /// The rest of the bytes, to the end.
    pub(super) async fn rest_of_it(&mut self) -> Vec<u8> {
        let mut rest = self.buf.split().to_vec();
        soon(self.stream.read_to_end(&mut rest)).await.unwrap();
        rest
    }
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Eof,
    Reset,
}

pub(super) fn fault(id: &str, at: Position, kind: FaultKind) -> PlannedFault {
    PlannedFault { id: id.into(), lane: None, client: "phone".into(), at, kind, times: Times::Once }
}

pub(super) fn delivery(seq: u64) -> Position {
    Position::Delivery { stream: "s".into(), seq: Seq(seq) }
}

pub(super) fn cut(how: Cut, when: When) -> FaultKind {
    FaultKind::Cut { how, when }
}

pub(super) fn close_body(code: u16) -> Body {
    Body::Close(Bytes::copy_from_slice(&code.to_be_bytes()))
}
