#![allow(clippy::unwrap_used)]
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

/// A certificate of these names and days; the client trusts it where `trusted`. What it says of the connection.
async fn said(names: &[&str], days: [(i32, u8, u8); 2], trusted: bool) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    [params.not_before, params.not_after] = days.map(|(year, month, day)| date_time_ymd(year, month, day));
    let cert = params.self_signed(&key).unwrap().der().clone();
    let mut roots = RootCertStore::empty();
    if trusted {
        roots.add(cert.clone()).unwrap();
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = address(&listener);
    let lane = async {
        let (tcp, _) = listener.accept().await.unwrap();
        let _ = TlsAcceptor::from(Arc::new(config)).accept(tcp).await;
    };
    let tls = Tls::with_roots(roots);
    let (connected, ()) = tokio::join!(connect(&addr, &tls), lane);
    connected.map_or_else(|error| error.to_string(), |_| "connected".to_owned())
}

fn address(listener: &TcpListener) -> UpstreamAddr {
    UpstreamAddr {
        host: "localhost".to_owned(),
        port: listener.local_addr().unwrap().port(),
        tls: true,
        authorities: None,
    }
}

#[tokio::test]
async fn a_handshake_that_fails_names_its_cause() {
    let (now, past, future) =
        ([(2020, 1, 1), (2090, 1, 1)], [(2020, 1, 1), (2021, 1, 1)], [(2089, 1, 1), (2090, 1, 1)]);
    assert_eq!(said(&["localhost"], now, true).await, "connected");
    for (names, days, trusted, cause) in [
        (["localhost"], now, false, "unknown issuer; SSL_CERT_FILE names"),
        (["sync.example.com"], now, true, "is of another name: "),
        (["localhost"], past, true, "has expired"),
        (["localhost"], future, true, "is not valid yet"),
    ] {
        let said = said(&names, days, trusted).await;
        assert!(said.contains(cause) && said.contains("localhost:"), "{said}");
    }
}

#[tokio::test]
async fn a_sockets_keep_alive_is_gos() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = UpstreamAddr { tls: false, ..address(&listener) };
    let lane = connect(&addr, &Tls::default()).await.unwrap();
    let socket = SockRef::from(lane.tcp());
    assert!(socket.keepalive().unwrap() && socket.nodelay().unwrap());
    assert_eq!(socket.keepalive_time().unwrap(), KEEP_ALIVE);
    assert_eq!(socket.keepalive_interval().unwrap(), KEEP_ALIVE);
    assert_eq!(socket.keepalive_retries().unwrap(), KEEP_ALIVE_PROBES);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_apart_from_one_that_ends_the_handshake() {
    for (answer, cause) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "does not speak TLS"),
        (b"", "ended the connection in the TLS handshake"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = address(&listener);
        let lane = async {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut hello = [0; 1024];
            let _ = tcp.read(&mut hello).await.unwrap();
            tcp.write_all(answer).await.unwrap();
        };
        let tls = Tls::with_roots(RootCertStore::empty());
        let (connected, ()) = tokio::join!(connect(&addr, &tls), lane);
        let said = connected.err().unwrap().to_string();
        assert!(said.contains(cause), "{said}");
    }
}
