//! A service at work, and a client that sees every byte of its answers.

use std::fmt;
use std::net::SocketAddr;

use cutover_live::proxy::Limits;
use cutover_toxiproxy::{Service, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A service that ends with the test.
pub struct Api {
    pub addr: SocketAddr,
    pub stop: CancellationToken,
    pub done: JoinHandle<()>,
    _ends: DropGuard,
}

pub fn settings() -> Settings {
    Settings { listen: "127.0.0.1:0".to_owned(), config: None, seed: 1, limits: Limits::default() }
}

impl Api {
    pub async fn start() -> Api {
        Api::with(settings()).await
    }

    pub async fn with(settings: Settings) -> Api {
        let service = Service::bind(settings).await.unwrap();
        let (addr, stop) = (service.local_addr(), CancellationToken::new());
        let stopped = stop.clone();
        let done = tokio::spawn(async move { service.run(stopped.cancelled_owned()).await });
        Api { addr, stop: stop.clone(), done, _ends: stop.drop_guard() }
    }

    /// A service with a proxy `p` that leads to `upstream`.
    pub async fn with_proxy(upstream: &str) -> Api {
        let api = Api::start().await;
        let body = format!(r#"{{"name":"p","listen":"127.0.0.1:0","upstream":"{upstream}"}}"#);
        assert_eq!(api.post("/proxies", &body).await.status, 201);
        api
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Reply {
        self.call("POST", path, body).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, "").await
    }

    pub async fn call(&self, method: &str, path: &str, body: &str) -> Reply {
        self.call_as("test/1", method, path, body).await
    }

    pub async fn call_as(&self, agent: &str, method: &str, path: &str, body: &str) -> Reply {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: api\r\nUser-Agent: {agent}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        Reply::read(&String::from_utf8(answer).unwrap())
    }

    /// Where a proxy listens.
    pub async fn listens(&self, proxy: &str) -> SocketAddr {
        let listen = self.get(&format!("/proxies/{proxy}")).await.json()["listen"].clone();
        listen.as_str().unwrap().parse().unwrap()
    }
}

/// An answer.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    fn read(text: &str) -> Reply {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        Reply {
            status,
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: body.to_owned(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl fmt::Display for Reply {
    /// What clients see of it, with ports that differ between runs left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.header("Content-Type").unwrap_or("-");
        let sniff = if self.header("X-Content-Type-Options").is_some() { " nosniff" } else { "" };
        let mut body = self.body.clone();
        for host in ["127.0.0.1:", "[::]:", "[::1]:"] {
            let mut at = 0;
            while let Some(found) = body[at..].find(host) {
                let from = at + found + host.len();
                let digits = body[from..].bytes().take_while(u8::is_ascii_digit).count();
                if digits > 3 {
                    body.replace_range(from..from + digits, "PORT");
                }
                at = from;
            }
        }
        write!(f, "{} {of}{sniff}\n{body:?}", self.status)
    }
}

/// An upstream that gives back what it gets.
pub async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    addr
}

/// Sends and gets back.
pub async fn there_and_back(to: SocketAddr, text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(text).await?;
    stream.shutdown().await?;
    let mut back = Vec::new();
    stream.read_to_end(&mut back).await?;
    Ok(back)
}
