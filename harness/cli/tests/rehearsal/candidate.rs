//! A SpacetimeDB server that a test starts as somebody's hosted one: the built-in server, or a binary of version 2.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[cfg(feature = "engine")]
use crate::support::Server;
use crate::support::{post, text};

enum Runs {
    #[cfg(feature = "engine")]
    BuiltIn(Server),
    Binary {
        child: Child,
        address: SocketAddr,
    },
}

/// It ends with the test.
pub struct Candidate {
    runs: Runs,
    token: String,
    _dir: tempfile::TempDir,
}

impl Candidate {
    #[cfg(feature = "engine")]
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
            #[cfg(feature = "engine")]
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
        match &mut self.runs {
            #[cfg(feature = "engine")]
            Runs::BuiltIn(_) => {}
            Runs::Binary { child, .. } => {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}
