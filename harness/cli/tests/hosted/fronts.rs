//! What stands before a hosted server: TLS with a private authority, a clock that is off, a gateway that gives up.
#![allow(clippy::unwrap_used, dead_code)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (serve, client) = (serve.clone(), client.unwrap());
            thread::spawn(move || serve(client));
        }
    });
    address
}

/// A front that changes what the server sends, piece by piece.
pub fn editing(server: SocketAddr, edit: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> String {
    let edit = Arc::new(edit);
    let address = listen(move |client| {
        let Ok(upstream) = TcpStream::connect(server) else { return };
        let (up, down) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
        thread::spawn(move || pass(client, up, |_| {}));
        pass(upstream, down, |bytes| edit(bytes));
    });
    format!("http://{address}")
}

/// A front whose answers are of another time.
pub fn of_another_time(server: SocketAddr) -> String {
    editing(server, |bytes| {
        const DATE: &[u8] = b"\r\ndate: ";
        if let Some(at) = bytes.windows(DATE.len()).position(|window| window == DATE) {
            let date = b"Thu, 01 Jan 2015 00:00:00 GMT";
            bytes[at + DATE.len()..at + DATE.len() + date.len()].copy_from_slice(date);
        }
    })
}

/// A gateway that has a publish done, and answers that it took too long.
pub fn giving_up_on_publishes(server: SocketAddr) -> String {
    editing(server, |bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if text.contains("\"Success\"") && text.starts_with("HTTP/1.1 200 OK") {
            *bytes = text.replacen("200 OK", "504 Gateway Timeout", 1).into_bytes();
        }
    })
}

/// A front that hides every row with this text in it, once a publish went through.
pub fn losing_rows_after_a_publish(server: SocketAddr, with: &'static str) -> String {
    let published = std::sync::atomic::AtomicBool::new(false);
    editing(server, move |bytes| {
        use std::sync::atomic::Ordering::Relaxed;
        let text = String::from_utf8_lossy(bytes).into_owned();
        if text.contains("\"Success\"") {
            published.store(true, Relaxed);
        }
        let Some((head, body)) = text.split_once("\r\n\r\n").filter(|_| published.load(Relaxed)) else { return };
        let Ok(mut json) = serde_json::from_str::<serde_json::Value>(body) else { return };
        let Some(rows) = json.pointer_mut("/0/rows").and_then(|rows| rows.as_array_mut()) else { return };
        rows.retain(|row| !row.to_string().contains(&format!("\"{with}\"")));
        let body = json.to_string();
        let is_length = |line: &&str| line.to_ascii_lowercase().starts_with("content-length:");
        let head: Vec<&str> = head.split("\r\n").filter(|line| !is_length(line)).collect();
        let head = format!("{}\r\ncontent-length: {}", head.join("\r\n"), body.len());
        *bytes = format!("{head}\r\n\r\n{body}").into_bytes();
    })
}

/// A server that takes connections and says nothing.
pub fn silent() -> String {
    let address = listen(|mut client| {
        let mut bytes = Vec::new();
        let _ = client.read_to_end(&mut bytes);
    });
    format!("http://{address}")
}

fn pass(mut from: TcpStream, mut to: TcpStream, edit: impl Fn(&mut Vec<u8>)) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let mut bytes = buffer[..read].to_vec();
        edit(&mut bytes);
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// TLS before a server, with a certificate of a private authority.
#[derive(Clone)]
pub struct TlsFront {
    pub url: String,
    /// The authority's certificate.
    pub authority: PathBuf,
}

pub fn tls(server: SocketAddr, dir: &Path) -> TlsFront {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority, &authority_key).unwrap();
    let path = dir.join("authority.pem");
    std::fs::write(&path, pem(authority.der())).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let config = Arc::new(config);
    let address = listen(move |client| serve_tls(client, server, config.clone()));
    TlsFront { url: format!("https://localhost:{}", address.port()), authority: path }
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| format!("{}\n", String::from_utf8_lossy(line)));
    format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", lines.collect::<String>())
}

/// One thread for each connection: it looks at either side in turn, because a TLS connection can't be split.
fn serve_tls(client: TcpStream, server: SocketAddr, config: Arc<ServerConfig>) {
    let Ok(mut upstream) = TcpStream::connect(server) else { return };
    client.set_nodelay(true).unwrap();
    let turn = Some(Duration::from_millis(2));
    client.set_read_timeout(turn).unwrap();
    upstream.set_read_timeout(turn).unwrap();
    let Ok(connection) = ServerConnection::new(config) else { return };
    let mut secure = StreamOwned::new(connection, client);
    let mut buffer = vec![0; 1 << 16];
    let waits =
        |error: &std::io::Error| matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
    loop {
        match secure.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) if upstream.write_all(&buffer[..read]).is_ok() => {}
            Err(error) if waits(&error) => {}
            _ => break,
        }
        match upstream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) if secure.write_all(&buffer[..read]).and_then(|()| secure.flush()).is_ok() => {}
            Err(error) if waits(&error) => {}
            _ => break,
        }
    }
}
