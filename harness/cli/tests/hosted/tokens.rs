//! Tokens of a real OpenID issuer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use async_trait::async_trait;
use cutover_control::{Claims, Control, Enforcer, Lease, Mint, Right, Signs};
use serde_json::Value;

/// A lane that learns of nothing.
struct Nobody;

#[async_trait]
impl Enforcer for Nobody {
    async fn revoked(&self, _lease: &Lease) -> Result<(), String> {
        Ok(())
    }

    async fn changed(&self, _: &Lease, _: &str, _: Right, _: bool) -> Result<bool, String> {
        Ok(true)
    }

    async fn retired(&self, _key_id: &str) -> Result<(), String> {
        Ok(())
    }
}

/// An issuer that servers of this machine ask for its keys. It ends with the test.
pub struct Issuer {
    control: Control,
    _runtime: tokio::runtime::Runtime,
}

impl Issuer {
    pub fn start() -> Issuer {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let control = runtime.block_on(Control::start(Signs::AsIssuer)).unwrap();
        control.enforced_by(Arc::new(Nobody));
        Issuer { control, _runtime: runtime }
    }

    pub fn name(&self) -> &str {
        self.control.issuer()
    }

    pub fn audience(&self) -> &str {
        self.control.audience()
    }

    /// A token that expires so many seconds from now.
    pub fn token(&self, expires_in_s: i64) -> String {
        let claims = Claims { expires_in_s: Some(expires_in_s), ..Claims::default() };
        let mint = Mint { subject: "operator".to_owned(), claims, ..Mint::default() };
        let body = serde_json::to_string(&mint).unwrap();
        let mut stream = TcpStream::connect(self.control.addr()).unwrap();
        let secret = self.control.secret();
        let head = format!(
            "POST /v1/tokens HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            secret.reveal(),
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let json: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        json["token"].as_str().unwrap().to_owned()
    }
}
