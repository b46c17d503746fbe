//! The HTTP service: tokens, revocations, rights and keys for who knows its secret; discovery and public keys for all.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cutover_core::text::Secret;
use cutover_core::topic::{Form, stream_id_of, topic_of};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::keys::{Key, Keys, random_word};
use crate::mint::{ALL_TOPICS, Claims, Mint, Minted, mint};
use crate::rights::{Lease, Right, Rights};

/// By how much clocks may differ.
pub const LEEWAY_S: u64 = 30;
/// The greatest age of a token from its `iat`.
pub const MAX_AGE_S: u64 = 86_400;

const AUDIENCE: &str = "cutover-sync";

/// What a lane does so that tokens and rights end. An error says what went wrong.
#[async_trait]
#[allow(missing_docs, reason = "the names say it")]
pub trait Enforcer: Send + Sync {
    async fn minted(&self, _lease: &Lease) -> Result<(), String> {
        Ok(())
    }

    async fn revoked(&self, lease: &Lease) -> Result<(), String>;

    /// A right of a token changed. Returns whether the lane takes that without another token.
    async fn changed(&self, lease: &Lease, topic: &str, right: Right, granted: bool) -> Result<bool, String>;

    /// A key ends: what it signed is good no more.
    async fn retired(&self, key_id: &str) -> Result<(), String>;
}

struct Shared {
    issuer: String,
    audience: String,
    secret: String,
    word: String,
    keys: Keys,
    rotated: AtomicBool,
    minted: AtomicU64,
    /// The leases of each holder, by the holder's name.
    leases: Mutex<BTreeMap<String, Vec<Lease>>>,
    enforcer: Mutex<Option<Arc<dyn Enforcer>>>,
}

/// What tokens are signed with.
#[derive(Debug, Clone)]
pub enum Signs {
    /// Shared secrets that the service makes.
    WithSecrets,
    /// The shared secrets of a server that was there before.
    WithSecretsOf(Existing),
    /// Key pairs, as an OpenID issuer.
    AsIssuer,
}

/// What a server that was there before asks of a token.
#[derive(Debug, Clone)]
pub struct Existing {
    /// The shared secrets that it takes; the one in force first.
    pub secrets: Vec<Secret>,
    /// The `iss` that it asks for; `None` takes any.
    pub issuer: Option<String>,
    /// The `aud` that it asks for; `None` takes any.
    pub audience: Option<String>,
}

/// A token for a server that was there before, with which everything may be done with some topics for a day.
///
/// # Errors
/// Where the system has no random numbers.
pub fn owner_token(service: &Existing, topics: Vec<String>) -> io::Result<Secret> {
    let keys = Keys::hs256(&service.secrets).map_err(io::Error::other)?;
    let asked = Mint {
        subject: "owner".to_owned(),
        rights: Rights { reads: topics, writes: vec![ALL_TOPICS.to_owned()] },
        claims: Claims { expires_in_s: i64::try_from(MAX_AGE_S).ok(), ..Claims::default() },
        ..Mint::default()
    };
    let parties = (service.issuer.as_deref().unwrap_or(AUDIENCE), service.audience.as_deref().unwrap_or(AUDIENCE));
    let word = random_word().map_err(io::Error::other)?;
    let minted = mint(&asked, keys.of(Key::Next), parties, (&word, 1, now_s()));
    minted.map(|minted| Secret::new(minted.token)).map_err(io::Error::other)
}

/// A running service. It ends with [`Control::stop`], or when it is dropped.
pub struct Control {
    addr: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Control {
    /// Starts a service on a free port of the loopback interface.
    ///
    /// # Errors
    /// Where the system has no port or no random numbers.
    pub async fn start(signs: Signs) -> io::Result<Control> {
        let (issuer, audience) = match &signs {
            Signs::WithSecretsOf(service) => (service.issuer.clone(), service.audience.clone()),
            _ => (None, None),
        };
        let keys = match signs {
            Signs::WithSecrets => Keys::hs256(&[]),
            Signs::WithSecretsOf(service) => Keys::hs256(&service.secrets),
            Signs::AsIssuer => Keys::es256(),
        };
        let keys = keys.map_err(io::Error::other)?;
        let word = || random_word().map_err(io::Error::other);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            // Servers cache keys by the issuer's name, so no two services may have one name.
            issuer: issuer.unwrap_or(format!("http://{addr}/{}", word()?)),
            audience: audience.unwrap_or_else(|| AUDIENCE.to_owned()),
            secret: word()?,
            word: word()?,
            keys,
            rotated: AtomicBool::new(false),
            minted: AtomicU64::new(0),
            leases: Mutex::default(),
            enforcer: Mutex::default(),
        });
        let router = router(shared.clone());
        let server = tokio::spawn(async move {
            // It serves until it is aborted; a failed connection ends alone.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Control { addr, shared, server })
    }

    /// From now on, the lane learns of tokens and rights.
    pub fn enforced_by(&self, enforcer: Arc<dyn Enforcer>) {
        *self.shared.enforcer.lock().unwrap_or_else(PoisonError::into_inner) = Some(enforcer);
    }

    /// The loopback address that the service listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What calls under `/v1` have to bear.
    pub fn secret(&self) -> Secret {
        Secret::new(self.shared.secret.clone())
    }

    /// The `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// The `aud` of its tokens.
    pub fn audience(&self) -> &str {
        &self.shared.audience
    }

    /// The shared secrets that a lane must accept, the next one first.
    pub fn secrets(&self) -> Vec<&str> {
        self.shared.keys.secrets()
    }

    /// Ends the service at once. Requests under way get no answer.
    pub fn stop(&self) {
        self.server.abort();
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stop();
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/tokens", post(tokens))
        .route("/v1/revocations", post(revocations))
        .route("/v1/rights", post(rights))
        .route("/v1/keys/:change", post(keys))
        .route("/:issuer/.well-known/openid-configuration", get(discovery))
        .route("/:issuer/jwks", get(jwks))
        .with_state(shared)
}

type Answer = Result<Json<Value>, Refusal>;

struct Refusal(StatusCode, &'static str, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"code": self.1, "message": self.2}))).into_response()
    }
}

fn failed(what: String) -> Refusal {
    Refusal(StatusCode::BAD_GATEWAY, "lane_failed", what)
}

impl Shared {
    fn authorize(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if bearer.and_then(|value| value.strip_prefix("Bearer ")) == Some(self.secret.as_str()) {
            return Ok(());
        }
        let what = "send `Authorization: Bearer` with the secret of this service".to_owned();
        Err(Refusal(StatusCode::UNAUTHORIZED, "unauthorized", what))
    }

    fn is_issuer(&self, word: &str) -> Result<(), Refusal> {
        match self.issuer.rsplit('/').next() == Some(word) {
            true => Ok(()),
            false => Err(Refusal(StatusCode::NOT_FOUND, "not_found", "no such issuer is here".to_owned())),
        }
    }

    fn enforcer(&self) -> Result<Arc<dyn Enforcer>, Refusal> {
        let enforcer = self.enforcer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        enforcer.ok_or_else(|| failed("no lane is connected to this service yet".to_owned()))
    }

    fn leases_of(&self, holder: &str) -> Vec<Lease> {
        self.leases().get(holder).cloned().unwrap_or_default()
    }

    fn leases(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Lease>>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn tokens(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(asked): Json<Mint>) -> Answer {
    shared.authorize(&headers)?;
    if let Some(topic) = asked.rights.reads.iter().chain(&asked.rights.writes).find(|topic| !is_plain(topic)) {
        let what = format!("`{topic}` and its stream id do not name each other");
        return Err(Refusal(StatusCode::BAD_REQUEST, "forbidden_topic", what));
    }
    let key = match asked.claims.key {
        Some(key) => key,
        None if shared.rotated.load(Ordering::SeqCst) => Key::Next,
        None => Key::First,
    };
    let nth = shared.minted.fetch_add(1, Ordering::SeqCst) + 1;
    let minted = mint(&asked, shared.keys.of(key), (&shared.issuer, &shared.audience), (&shared.word, nth, now_s()));
    let minted = minted.map_err(|error| failed(format!("the token can't be signed: {error}")))?;
    shared.enforcer()?.minted(&minted.lease).await.map_err(failed)?;
    let answer = described(&asked, &minted);
    shared.leases().entry(asked.subject).or_default().push(minted.lease);
    Ok(Json(answer))
}

fn described(asked: &Mint, minted: &Minted) -> Value {
    let topics = || asked.rights.reads.iter().chain(&asked.rights.writes);
    let mut granted: Vec<&String> = topics().collect();
    granted.sort();
    granted.dedup();
    json!({
        "token": minted.token,
        "jti": minted.lease.jti,
        "refresh_after_in": minted.refresh_after_in,
        "refresh_after": now_s() + minted.refresh_after_in,
        "granted_streams": granted.iter().map(|topic| stream_id_of(topic)).collect::<Vec<_>>(),
        "granted_topics": granted,
    })
}

/// Whether a topic and its stream id name each other, so that no other topic leads to the same stream.
fn is_plain(topic: &str) -> bool {
    let odd = |c: char| c.is_control() || c == '"' || c == '\'';
    let has_dot = Form::of(topic).has_id() && topic.contains('.');
    topic_of(&stream_id_of(topic)).as_deref() == Some(topic) && !has_dot && !topic.contains(odd)
}

#[derive(Deserialize)]
struct Revocation {
    subject: String,
    jti: Option<String>,
}

/// Revokes one token of a holder, or every one that it has been given so far.
async fn revocations(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(asked): Json<Revocation>) -> Answer {
    shared.authorize(&headers)?;
    let enforcer = shared.enforcer()?;
    let held = shared.leases().remove(&asked.subject).unwrap_or_default();
    let is_meant = |lease: &Lease| asked.jti.as_ref().is_none_or(|jti| lease.jti == *jti);
    let (leases, kept): (Vec<Lease>, Vec<Lease>) = held.into_iter().partition(is_meant);
    shared.leases().entry(asked.subject).or_default().extend(kept);
    for lease in &leases {
        enforcer.revoked(lease).await.map_err(failed)?;
    }
    Ok(Json(json!({"revoked": leases.len()})))
}

#[derive(Deserialize)]
struct Change {
    subject: String,
    topic: String,
    right: Right,
    granted: bool,
}

/// Gives or takes a right of every token that a holder has. A lane that reads rights from tokens alone refuses a token
/// with a right that ended.
async fn rights(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(asked): Json<Change>) -> Answer {
    shared.authorize(&headers)?;
    let enforcer = shared.enforcer()?;
    for lease in &shared.leases_of(&asked.subject) {
        let taken = enforcer.changed(lease, &asked.topic, asked.right, asked.granted).await.map_err(failed)?;
        if !taken && !asked.granted {
            enforcer.revoked(lease).await.map_err(failed)?;
        }
    }
    Ok(Json(json!({})))
}

/// `rotate` signs with the next key from now on; `retire` ends the first one.
async fn keys(State(shared): State<Arc<Shared>>, headers: HeaderMap, Path(change): Path<String>) -> Answer {
    shared.authorize(&headers)?;
    match change.as_str() {
        "rotate" => shared.rotated.store(true, Ordering::SeqCst),
        "retire" => shared.enforcer()?.retired(shared.keys.of(Key::First).id).await.map_err(failed)?,
        other => {
            let what = format!("`{other}` is no change of keys: use `rotate` or `retire`");
            return Err(Refusal(StatusCode::NOT_FOUND, "not_found", what));
        }
    }
    Ok(Json(json!({})))
}

async fn discovery(State(shared): State<Arc<Shared>>, Path(word): Path<String>) -> Answer {
    shared.is_issuer(&word)?;
    Ok(Json(json!({
        "issuer": shared.issuer,
        "jwks_uri": format!("{}/jwks", shared.issuer),
        "authorization_endpoint": format!("{}/authorize", shared.issuer),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })))
}

async fn jwks(State(shared): State<Arc<Shared>>, Path(word): Path<String>) -> Answer {
    shared.is_issuer(&word)?;
    Ok(Json(json!(shared.keys.jwks())))
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
