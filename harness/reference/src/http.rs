//! The HTTP side: publishing, topic policies, revocations, health and metrics.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::body::{Fields, Refusal, bad, too_large};
use crate::canonical::canonical_sha256;
use crate::defects::Defect;
use crate::plant;
use crate::shared::Shared;
use crate::socket::{self, now_s};
use crate::store::{Publish, Refused};
use crate::token;
use crate::topics::{Class, TopicPolicy};
use crate::wire::raw;

const SOCKET_PATH: [&str; 3] = ["sync", "socket", "websocket"];
const POLICY_FIELDS: [&str; 3] = ["retention_events", "replay_budget_events", "class"];
/// What a body may have besides its payload, in bytes.
const ENVELOPE_BYTES: usize = 64 * 1024;
const MAX_KEY_BYTES: usize = 1024;
const PUBLISH_SCOPE: &str = "sync:publish";

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        let of = |status, code| Self::new(status, code, &message);
        match refused {
            Refused::IdempotencyConflict { seq } => of(StatusCode::CONFLICT, "idempotency_conflict").with("seq", seq),
            Refused::SequenceConflict { expected, actual } => {
                of(StatusCode::CONFLICT, "sequence_conflict").with("expected", expected).with("actual", actual)
            }
            Refused::RateLimited { .. } => of(StatusCode::TOO_MANY_REQUESTS, "publish_rate_limited"),
            Refused::Unavailable(_) => of(StatusCode::SERVICE_UNAVAILABLE, "internal"),
        }
    }
}

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/internal/v1/sync/publish", post(|shared, request| answer(publish(shared, request))))
        .route(
            "/internal/v1/sync/topics/:topic",
            get(|shared, topic, request| answer(get_topic(shared, topic, request)))
                .put(|shared, topic, request| answer(put_topic(shared, topic, request))),
        )
        .route("/internal/v1/sync/fallback-keys/end", post(|shared, request| answer(end_keys(shared, request))))
        .route("/internal/v1/sync/revocations", post(|shared, request| answer(revoke(shared, request))))
        .route("/health", get(|| async { json_response(StatusCode::OK, &json!({"status": "ok"})) }))
        .route("/metrics", get(|State(shared): State<Arc<Shared>>| async move { shared.metrics_text() }))
        .fallback(socket_or_nothing)
        .with_state(shared)
}

/// The socket, whose path may have any number of slashes between and after its parts; else 404.
async fn socket_or_nothing(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let parts = request.uri().path().split('/').filter(|part| !part.is_empty());
    if parts.eq(SOCKET_PATH) {
        return socket::upgrade(shared, request).await;
    }
    json_response(StatusCode::NOT_FOUND, &json!({"code": "not_found"}))
}

async fn answer(handled: impl Future<Output = Result<Value, Refusal>>) -> Response {
    match handled.await {
        Ok(body) => json_response(StatusCode::OK, &body),
        Err(refusal) => json_response(refusal.status, &refusal.body),
    }
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

async fn publish(State(shared): State<Arc<Shared>>, request: Request) -> Result<Value, Refusal> {
    let writer = writer(&shared, request.headers())?;
    let largest = Class::ALL.map(|class| class.limits(&shared.config).max_payload_bytes).into_iter().max();
    let mut body = Fields::read(request, largest.unwrap_or_default().saturating_add(ENVELOPE_BYTES), None).await?;
    let topic = body.text("topic")?.trim().to_owned();
    let key = body.text("idempotency_key")?;
    if key.trim().is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(bad("idempotency_key must be 1 to 1024 bytes that are not all blank"));
    }
    let payload =
        body.take("payload").ok_or_else(|| bad("payload is missing; a payload of null is written as null"))?;
    let expected_next_seq = body.natural("expected_next_seq")?;
    known_topic(&shared, &topic)?;
    if !writer.may_publish(&topic) && !shared.config.defects.has(Defect::ReadersWrite) {
        shared.deny("forbidden_topic");
        let message = "this token does not grant a publish to the topic";
        let refusal = Refusal::new(StatusCode::FORBIDDEN, "forbidden_topic", message);
        return Err(refusal.with("forbidden_topics", vec![topic]));
    }
    let limit = shared.store.view().info(&topic).class.limits(&shared.config).max_payload_bytes;
    if payload.get().len() > limit {
        return Err(too_large(limit));
    }
    let defects = &shared.config.defects;
    let payload = match defects.has(Defect::LastMemberWins) {
        true => raw(&serde_json::from_str::<Value>(payload.get()).unwrap_or_default()),
        false => payload,
    };
    let hash = canonical_sha256(payload.get())
        .map_err(|why| Refusal::new(StatusCode::BAD_REQUEST, "invalid_payload", &why))?;
    let publish = Publish { topic: plant::written_topic(&topic, defects), key, payload, hash, expected_next_seq };
    if plant::is_refused_for_size(&publish, defects) {
        return Err(too_large(limit));
    }
    let published = shared.store.publish(publish).await?;
    shared.count("published", if published.duplicate { "duplicate" } else { "written" });
    if published.duplicate {
        shared.count("duplicates_suppressed", "publish");
    }
    Ok(json!({
        "topic": topic,
        "seq": published.seq,
        "payload_hash": published.hash.map(|hash| STANDARD.encode(hash)),
        "duplicate": published.duplicate,
    }))
}

async fn get_topic(
    State(shared): State<Arc<Shared>>,
    Path(topic): Path<String>,
    request: Request,
) -> Result<Value, Refusal> {
    authorize(&shared, request.headers())?;
    known_topic(&shared, &topic)?;
    Ok(describe(&shared, &topic))
}

async fn put_topic(
    State(shared): State<Arc<Shared>>,
    Path(topic): Path<String>,
    request: Request,
) -> Result<Value, Refusal> {
    authorize(&shared, request.headers())?;
    let mut body = Fields::read(request, ENVELOPE_BYTES, Some(&POLICY_FIELDS)).await?;
    let class = match body.take("class") {
        Some(class) if class.get() != "null" => Some(
            Class::named(class.get())
                .ok_or_else(|| bad(format!("class is one of {}", Class::ALL.map(Class::name).join(", "))))?,
        ),
        _ => None,
    };
    let change = TopicPolicy {
        retention_events: body.natural("retention_events")?,
        replay_budget_events: body.natural("replay_budget_events")?,
        class,
    };
    if change.class.is_none() {
        known_topic(&shared, &topic)?;
    }
    if change.retention_events == Some(0) || topic.trim() != topic || topic.is_empty() {
        return Err(bad("retention_events is at least 1, and a topic has no blanks around it"));
    }
    shared.store.set_policy(topic.clone(), change).await?;
    Ok(describe(&shared, &topic))
}

fn describe(shared: &Shared, topic: &str) -> Value {
    let info = shared.store.view().info(topic);
    json!({
        "topic": topic,
        "class": info.class.name(),
        "retention_events": info.retention_events,
        "replay_budget_events": info.replay_budget_events,
        "oldest_seq": info.oldest_seq,
        "head_seq": info.head_seq,
    })
}

async fn revoke(State(shared): State<Arc<Shared>>, request: Request) -> Result<Value, Refusal> {
    authorize(&shared, request.headers())?;
    let jti = Fields::read(request, ENVELOPE_BYTES, Some(&["jti"])).await?.text("jti")?;
    shared.store.revoke(jti.clone()).await?;
    Ok(json!({"jti": jti, "revoked": true}))
}

/// Ends the fallback keys of tokens, at the end of a rotation.
async fn end_keys(State(shared): State<Arc<Shared>>, request: Request) -> Result<Value, Refusal> {
    authorize(&shared, request.headers())?;
    shared.end_fallback_keys();
    Ok(json!({"ended": true}))
}

fn known_topic(shared: &Shared, topic: &str) -> Result<(), Refusal> {
    if shared.store.view().is_known(topic) {
        return Ok(());
    }
    let message = "no such topic: use a name of the class table, or PUT the topic with a class first";
    Err(Refusal::new(StatusCode::NOT_FOUND, "unknown_topic", message))
}

/// Who publishes: the one writer, or the holder of a token with its scopes.
enum Publisher {
    Writer,
    Holder(Vec<String>),
}

impl Publisher {
    fn may_publish(&self, topic: &str) -> bool {
        match self {
            Publisher::Writer => true,
            Publisher::Holder(grants) => grants.iter().any(|grant| {
                let scope = grant.strip_prefix(PUBLISH_SCOPE);
                scope.is_some_and(|of| of.is_empty() || of.strip_prefix(':') == Some(topic))
            }),
        }
    }
}

/// The one writer proves itself by the configured secret, or by a token with the scope to publish to all topics.
fn authorize(shared: &Shared, headers: &HeaderMap) -> Result<(), Refusal> {
    match writer(shared, headers)? {
        Publisher::Holder(grants) if !grants.iter().any(|grant| grant == PUBLISH_SCOPE) => {
            Err(denied(shared, "publish_unauthorized"))
        }
        _ => Ok(()),
    }
}

/// Without a secret and without token keys, anybody is the writer.
fn writer(shared: &Shared, headers: &HeaderMap) -> Result<Publisher, Refusal> {
    let config = &shared.config;
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    let bearer = bearer.map(|(_, secret)| secret.trim());
    let secret = config.publish.bearer.as_deref();
    let has_keys = config.tokens.keys().next().is_some();
    if secret.map_or(!has_keys, |secret| bearer == Some(secret)) {
        return Ok(Publisher::Writer);
    }
    if !has_keys {
        return Err(denied(shared, "publish_unauthorized"));
    }
    let verified = token::verify(bearer, shared.token_rules(), now_s()).map_err(|deny| denied(shared, deny.code()))?;
    match shared.is_revoked(&verified.jti) {
        true => Err(denied(shared, token::Deny::TokenRevoked.code())),
        false => Ok(Publisher::Holder(verified.grants)),
    }
}

fn denied(shared: &Shared, why: &str) -> Refusal {
    shared.deny(why);
    Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", "send `Authorization: Bearer ...` of the writer")
}
