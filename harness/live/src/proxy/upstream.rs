//! Connections from the proxy to the lane: plain TCP or TLS, to an address that may change when the server restarts.

#![allow(missing_docs, reason = "the names say it")]

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error as TlsError, RootCertStore};

use crate::authorities::{Authorities, client_config};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamAddr {
    /// A name, or an address (IPv6 without brackets).
    pub host: String,
    pub port: u16,
    /// Whether it speaks TLS (`wss`, `https`).
    pub tls: bool,
    /// Whose certificates are trusted; those of the system where nothing is said.
    pub authorities: Option<Authorities>,
}

impl UpstreamAddr {
    /// An address that speaks plain TCP.
    pub fn plain(address: SocketAddr) -> UpstreamAddr {
        UpstreamAddr { host: address.ip().to_string(), port: address.port(), tls: false, authorities: None }
    }
}

/// The lane's address as it changes; `None` while there is no server.
pub type Upstream = watch::Receiver<Option<UpstreamAddr>>;

/// Opens a connection to the lane. `tls` is only used where the address wants TLS.
pub(super) async fn connect(addr: &UpstreamAddr, tls: &Tls) -> io::Result<LaneStream> {
    let tcp = TcpStream::connect((addr.host.as_str(), addr.port)).await?;
    tune(&tcp)?;
    if !addr.tls {
        return Ok(LaneStream::Plain(tcp));
    }
    let name = ServerName::try_from(addr.host.clone())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` is no TLS server name", addr.host)))?;
    let config = match &addr.authorities {
        Some(authorities) => authorities.config(),
        None => tls.config()?,
    };
    let stream = TlsConnector::from(config).connect(name, tcp).await;
    let stream = stream.map_err(|error| tls_failed(addr, &error))?;
    Ok(LaneStream::Tls(Box::new(stream)))
}

/// The time before the first keep-alive probe, and between probes: Go's defaults, as in Toxiproxy.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const KEEP_ALIVE_PROBES: u32 = 9;

/// Sends small messages at once, and notices a peer that is gone.
pub(super) fn tune(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let keep_alive = TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE);
    SockRef::from(tcp).set_tcp_keepalive(&keep_alive.with_retries(KEEP_ALIVE_PROBES))
}

pub async fn reach(addr: &UpstreamAddr) -> io::Result<()> {
    connect(addr, &Tls::default()).await.map(drop)
}

fn tls_failed(addr: &UpstreamAddr, error: &io::Error) -> io::Error {
    let (host, port) = (&addr.host, addr.port);
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()).map(|tls| in_words(addr, tls));
    let words = match cause {
        Some(words) => words,
        None => format!("{host}:{port} ended the connection in the TLS handshake; does it speak TLS? ({error})"),
    };
    io::Error::new(error.kind(), words)
}

fn in_words(addr: &UpstreamAddr, error: &TlsError) -> String {
    let (host, port) = (&addr.host, addr.port);
    let certificate = format!("the certificate of {host}:{port}");
    match error {
        TlsError::InvalidMessage(_) => {
            format!("{host}:{port} does not speak TLS (`http` or `ws` is its scheme, or this is another port)")
        }
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => match &addr.authorities {
            Some(own) => format!("{certificate} is of no issuer in {}", own.file().display()),
            None => {
                format!("{certificate} is of an unknown issuer; SSL_CERT_FILE names a bundle with the issuers to trust")
            }
        },
        TlsError::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            format!("{certificate} has expired, by this machine's clock")
        }
        TlsError::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            format!("{certificate} is not valid yet, by this machine's clock")
        }
        TlsError::InvalidCertificate(CertificateError::NotValidForName) => format!("{certificate} is of another name"),
        TlsError::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) => {
            let names: Vec<&str> = presented.iter().take(8).map(String::as_str).collect();
            format!("{certificate} is of another name: {}", names.join(", "))
        }
        TlsError::InvalidCertificate(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => format!(
            "{certificate} is that of an authority (CA:TRUE), which a server must not use; give the server one of its \
             own"
        ),
        TlsError::InvalidCertificate(other) => format!("{certificate} is not valid: {other}"),
        TlsError::AlertReceived(alert) => format!("{host}:{port} refused the TLS handshake: {alert:?}"),
        other => format!("no TLS with {host}:{port}: {other}"),
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Tls(Arc<OnceLock<Result<Arc<ClientConfig>, String>>>);

impl Tls {
    #[cfg(test)]
    pub(super) fn with_roots(roots: RootCertStore) -> Tls {
        Tls(Arc::new(OnceLock::from(client_config(roots))))
    }

    fn config(&self) -> io::Result<Arc<ClientConfig>> {
        let config = self.0.get_or_init(|| client_config(system_roots()?));
        config.clone().map_err(io::Error::other)
    }
}

fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    Err(format!(
        "no root certificates of this system could be read ({}): install its CA certificates, or name a bundle in \
         SSL_CERT_FILE",
        if why.is_empty() { "there are none".to_owned() } else { why.join("; ") }
    ))
}

pub(super) enum LaneStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl LaneStream {
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            LaneStream::Plain(tcp) => tcp,
            LaneStream::Tls(tls) => tls.get_ref().0,
        }
    }
}

impl AsyncRead for LaneStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            LaneStream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            // A server that dies ends TCP without TLS's close message. Here that is an end like any other.
            LaneStream::Tls(tls) => match Pin::new(tls).poll_read(cx, buf) {
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
                other => other,
            },
        }
    }
}

impl AsyncWrite for LaneStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            LaneStream::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            LaneStream::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            LaneStream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            LaneStream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            LaneStream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            LaneStream::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
