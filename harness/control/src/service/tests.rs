#![allow(clippy::unwrap_used)]
use std::sync::Mutex;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// Writes down what it is told.
#[derive(Default)]
struct Noted(Mutex<Vec<String>>);

#[async_trait]
impl Enforcer for Noted {
    async fn minted(&self, lease: &Lease) -> Result<(), String> {
        self.0.lock().unwrap().push(format!("minted {} for {}", lease.subject, lease.client));
        Ok(())
    }

    async fn revoked(&self, lease: &Lease) -> Result<(), String> {
        self.0.lock().unwrap().push(format!("revoked {}", lease.subject));
        Ok(())
    }

    async fn changed(&self, lease: &Lease, topic: &str, right: Right, granted: bool) -> Result<bool, String> {
        self.0.lock().unwrap().push(format!("{} {topic} {} {granted}", lease.subject, right.word()));
        Ok(false)
    }

    async fn retired(&self, key_id: &str) -> Result<(), String> {
        self.0.lock().unwrap().push(format!("retired {key_id}"));
        Ok(())
    }
}

struct Rig {
    control: Control,
    noted: Arc<Noted>,
}

impl Rig {
    async fn new(signs: Signs) -> Rig {
        let control = Control::start(signs).await.unwrap();
        let noted = Arc::new(Noted::default());
        control.enforced_by(noted.clone());
        Rig { control, noted }
    }

    async fn http(&self, request: &str, secret: &str, body: &str) -> (u16, Value) {
        let mut socket = TcpStream::connect(self.control.addr()).await.unwrap();
        let length = body.len();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: control\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let secret = self.control.secret();
        let (status, answer) = self.http(&format!("POST {path}"), secret.reveal(), &body.to_string()).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    async fn get(&self, url: &str) -> Value {
        let path = url.split_once("://").unwrap().1.split_once('/').unwrap().1;
        self.http(&format!("GET /{path}"), "", "").await.1
    }

    async fn mint(&self, claims: Value) -> Value {
        let rights = json!({"reads": ["run:a:events"], "writes": ["run:b:events"]});
        self.post("/v1/tokens", json!({"subject": "alice", "tenant": "t", "rights": rights, "claims": claims})).await
    }

    fn noted(&self) -> Vec<String> {
        self.noted.0.lock().unwrap().clone()
    }
}

fn claims_of(token: &str, key: &DecodingKey, algorithm: Algorithm) -> jsonwebtoken::errors::Result<Value> {
    let mut validation = Validation::new(algorithm);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    decode::<Value>(token, key, &validation).map(|decoded| decoded.claims)
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap()
}

#[tokio::test]
async fn a_token_of_the_issuer_is_verified_with_the_keys_that_its_discovery_names() {
    let rig = Rig::new(Signs::AsIssuer).await;
    let answer = rig.mint(json!({})).await;
    let discovery = rig.get(&format!("{}/.well-known/openid-configuration", rig.control.issuer())).await;
    assert_eq!(text(&discovery, "issuer"), rig.control.issuer());
    let other = rig.get(&format!("{}-other/.well-known/openid-configuration", rig.control.issuer())).await;
    assert_eq!(text(&other, "code"), "not_found");
    let keys: JwkSet = serde_json::from_value(rig.get(text(&discovery, "jwks_uri")).await).unwrap();
    assert_eq!(keys.keys.len(), 2, "both keys of a rotation are known from the start");
    let token = text(&answer, "token");
    let id = decode_header(token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&id).unwrap()).unwrap();
    let claims = claims_of(token, &key, Algorithm::ES256).unwrap();
    assert_eq!((text(&claims, "iss"), text(&claims, "aud")), (rig.control.issuer(), rig.control.audience()));
    assert_eq!(claims["oa_sync_topics"], json!(["run:a:events"]));
    assert_eq!(claims["oa_sync_streams"], json!(["runtime.run.a.events"]));
    assert_eq!(claims["oa_sync_scopes"], json!(["sync:publish:run:b:events"]));
    assert_eq!(answer["granted_topics"], json!(["run:a:events", "run:b:events"]));
    assert_eq!(answer["granted_streams"], json!(["runtime.run.a.events", "runtime.run.b.events"]));
    assert_eq!(answer["refresh_after_in"], json!(480));
    let foreign = rig.mint(json!({"key": "foreign"})).await;
    assert!(claims_of(text(&foreign, "token"), &key, Algorithm::ES256).is_err());
}

#[tokio::test]
async fn each_token_has_a_subject_of_its_own() {
    let rig = Rig::new(Signs::WithSecrets).await;
    let key = DecodingKey::from_secret(rig.control.secrets()[1].as_bytes());
    let mut subjects = Vec::new();
    for _ in 0..2 {
        let claims = claims_of(text(&rig.mint(json!({})).await, "token"), &key, Algorithm::HS256).unwrap();
        subjects.push(text(&claims, "sub").to_owned());
    }
    assert_ne!(subjects[0], subjects[1]);
}

#[tokio::test]
async fn time_is_moved_by_claims_and_claims_can_be_left_out() {
    let rig = Rig::new(Signs::WithSecrets).await;
    let key = DecodingKey::from_secret(rig.control.secrets()[1].as_bytes());
    let asked = json!({"issued_in_s": -90, "starts_in_s": 40, "expires_in_s": -30, "without_jti": true});
    let claims = claims_of(text(&rig.mint(asked).await, "token"), &key, Algorithm::HS256).unwrap();
    let (iat, nbf, exp) = (&claims["iat"], &claims["nbf"], &claims["exp"]);
    let from_iat = |claim: &Value| claim.as_i64().unwrap() - iat.as_i64().unwrap();
    assert_eq!((from_iat(nbf), from_iat(exp)), (130, 60));
    assert!(claims.get("jti").is_none());
    let claims =
        claims_of(text(&rig.mint(json!({"without_iat": true})).await, "token"), &key, Algorithm::HS256).unwrap();
    assert!(claims.get("iat").is_none());
}

#[tokio::test]
async fn a_rotation_signs_with_the_next_key_and_retires_the_first() {
    let rig = Rig::new(Signs::WithSecrets).await;
    rig.post("/v1/keys/rotate", json!({})).await;
    let token = rig.mint(json!({})).await;
    let next = DecodingKey::from_secret(rig.control.secrets()[0].as_bytes());
    assert!(claims_of(text(&token, "token"), &next, Algorithm::HS256).is_ok());
    rig.post("/v1/keys/retire", json!({})).await;
    assert_eq!(rig.noted().last().unwrap(), "retired first");
}

#[tokio::test]
async fn the_lane_learns_of_tokens_revocations_and_rights() {
    let rig = Rig::new(Signs::WithSecrets).await;
    rig.mint(json!({})).await;
    let change = json!({"subject": "alice", "topic": "run:a:events", "right": "read", "granted": false});
    rig.post("/v1/rights", change).await;
    rig.post("/v1/revocations", json!({"subject": "alice"})).await;
    let noted =
        ["minted t/alice/1 for alice", "t/alice/1 run:a:events read false", "revoked t/alice/1", "revoked t/alice/1"];
    assert_eq!(rig.noted(), noted);
    rig.post("/v1/revocations", json!({"subject": "alice"})).await;
    assert_eq!(rig.noted().len(), noted.len(), "a token is revoked once");
    rig.mint(json!({})).await;
    let third = rig.mint(json!({})).await;
    rig.post("/v1/revocations", json!({"subject": "alice", "jti": third["jti"]})).await;
    assert_eq!(rig.noted().last().unwrap(), "revoked t/alice/3");
    rig.post("/v1/revocations", json!({"subject": "alice"})).await;
    assert_eq!(rig.noted().last().unwrap(), "revoked t/alice/2");
}

#[tokio::test]
async fn calls_without_the_secret_and_topics_that_meet_in_one_stream_are_refused() {
    let rig = Rig::new(Signs::WithSecrets).await;
    let (status, answer) = rig.http("POST /v1/tokens", "wrong", "{\"subject\":\"alice\"}").await;
    assert_eq!((status, text(&answer, "code")), (401, "unauthorized"));
    let asked = "{\"subject\":\"alice\",\"rights\":{\"reads\":[\"run:a.b:events\"]}}";
    let (status, answer) = rig.http("POST /v1/tokens", rig.control.secret().reveal(), asked).await;
    assert_eq!((status, text(&answer, "code")), (400, "forbidden_topic"));
}

#[test]
fn the_owner_of_an_existing_server_may_publish_to_all_topics_and_read_some() {
    let service =
        Existing { secrets: vec!["one".into(), "two".into()], issuer: Some("iss".to_owned()), audience: None };
    let token = owner_token(&service, vec!["run:a:events".to_owned()]).unwrap();
    let claims = claims_of(token.reveal(), &DecodingKey::from_secret(b"one"), Algorithm::HS256).unwrap();
    assert_eq!(text(&claims, "iss"), "iss");
    assert_eq!(claims["oa_sync_scopes"], json!(["sync:publish"]));
    assert_eq!(claims["oa_sync_topics"], json!(["run:a:events"]));
}
