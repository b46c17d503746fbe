//! A SpacetimeDB server that a test starts as somebody's hosted one: the built-in server, or a binary of version 2.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Server, text};

enum Runs {
    BuiltIn(Server),
    Binary { child: Child, address: SocketAddr },
}

/// It ends with the test.
pub struct Candidate {
    runs: Runs,
    token: String,
    _dir: tempfile::TempDir,
}

impl Candidate {
    pub fn built_in() -> Candidate {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let server = Server::with_database("other", &data);
        let token = std::fs::read_to_string(data.join("owner-token")).unwrap().trim().to_owned();
        Candidate { runs: Runs::BuiltIn(server), token, _dir: dir }
    }

    pub fn of(binary: &Path) -> Candidate {
        let dir = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let place = |name: &str| text(&dir.path().join(name));
        let mut command = Command::new(binary);
        command.args(["start", "--listen-addr", &address.to_string(), "--data-dir", &place("data")]);
        command.args(["--jwt-priv-key-path", &place("id_ecdsa"), "--jwt-pub-key-path", &place("id_ecdsa.pub")]);
        command.arg("--non-interactive").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut candidate = Candidate {
            runs: Runs::Binary { child: command.spawn().unwrap(), address },
            token: String::new(),
            _dir: dir,
        };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "{} does not serve", binary.display());
            std::thread::sleep(Duration::from_millis(20));
        }
        let identity: serde_json::Value = serde_json::from_str(&post(address, "/v1/identity", None, "")).unwrap();
        identity["token"].as_str().unwrap().clone_into(&mut candidate.token);
        candidate
    }

    pub fn address(&self) -> SocketAddr {
        match &self.runs {
            Runs::BuiltIn(server) => server.address,
            Runs::Binary { address, .. } => *address,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn token(&self) -> &str {
        &self.token
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        if let Runs::Binary { child, .. } = &mut self.runs {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Posts JSON, and returns the body of the answer, which must be 200.
pub fn post(at: SocketAddr, path: &str, token: Option<&str>, body: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    let bearer = token.map_or(String::new(), |token| format!("authorization: Bearer {token}\r\n"));
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{bearer}content-type: application/json\r\n");
    write!(stream, "{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    body.to_owned()
}
