//! The lane for who bears a token of a scenario, and how the service ends tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use cutover_control::{Enforcer, Lease, Right};
use cutover_core::ids::StreamId;
use cutover_core::text::Secret;
use http::Method;
use serde_json::json;
use tokio::sync::Mutex;

use super::PhoenixLane;
use crate::lane::http::{HttpClient, authorization, bearer};
use crate::lane::refusal::refusal;
use crate::lane::{Completion, Endpoint, Lane, OpError, Visit};

/// The reference server counts its refusals here.
const METRICS: &str = "/metrics";
const DENIED: &str = "legacy_denied_total{code=\"";

impl PhoenixLane {
    pub(super) fn of_bearer(&self, token: Option<Secret>) -> PhoenixLane {
        let mut profile = (*self.profile).clone();
        profile.publish.authorization = None;
        profile.token = token;
        PhoenixLane { profile: Arc::new(profile), ..self.clone() }
    }

    /// Connects once. A refused upgrade has no body, so the code of the refusal is what the service counted.
    pub(super) async fn connected(&self, visit: &Visit<'_>) -> Completion<Vec<StreamId>> {
        let before = self.denials(visit.writer).await;
        let error = match self.subscriber(visit.socket, visit.client).await {
            Ok(mut session) => {
                session.close().await;
                return Ok(Vec::new());
            }
            Err(error) => error,
        };
        let Some(refused) = error.refusal.clone().filter(|_| !error.retryable) else {
            return Err(OpError::Later(error.to_string()));
        };
        let after = self.denials(visit.writer).await;
        let counted = after.into_iter().find(|(code, count)| before.get(code).copied().unwrap_or(0) < *count);
        Err(match counted {
            Some((code, _)) => OpError::from(refusal(code, "")),
            None => OpError::Refused(refused),
        })
    }

    /// How often the service refused somebody, by code; nothing where it does not count that.
    async fn denials(&self, endpoint: &Endpoint) -> BTreeMap<String, u64> {
        let mut http = HttpClient::new(endpoint.clone(), Vec::new(), self.bounds.open, self.bounds.operation);
        let answered = http.request(Method::GET, METRICS, None, "").await;
        let text = answered.map(|answer| String::from_utf8_lossy(&answer.body).into_owned()).unwrap_or_default();
        let denied = text.lines().filter_map(|line| line.strip_prefix(DENIED)?.split_once("\"} "));
        denied.filter_map(|(code, count)| Some((code.to_owned(), count.trim().parse().ok()?))).collect()
    }
}

/// The calls of a service that end tokens and keys.
pub(super) struct PhoenixEnforcer {
    http: Mutex<HttpClient>,
    lane: PhoenixLane,
}

impl PhoenixEnforcer {
    pub(super) fn new(lane: &PhoenixLane, endpoint: &Endpoint) -> Result<PhoenixEnforcer, crate::lane::OpenError> {
        let whole = lane.profile.publish.authorization.as_ref().map(|whole| whole.reveal().to_owned());
        let headers = authorization(whole.or_else(|| lane.profile.token.as_ref().map(bearer)))?;
        let http = HttpClient::new(endpoint.clone(), headers, lane.bounds.open, lane.bounds.operation);
        Ok(PhoenixEnforcer { http: Mutex::new(http), lane: lane.clone() })
    }

    async fn call(&self, path: &str, body: serde_json::Value) -> Result<(), String> {
        let path = &self.lane.profile.writer_path(path);
        let mut http = self.http.lock().await;
        let answered = http.request(Method::POST, path, Some("application/json"), body.to_string()).await;
        match answered {
            Ok(answer) if answer.is_ok() => Ok(()),
            Ok(answer) => Err(format!("{path}: {}", answer.in_words())),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[async_trait]
impl Enforcer for PhoenixEnforcer {
    async fn revoked(&self, lease: &Lease) -> Result<(), String> {
        match lease.jti.as_str() {
            "" => Ok(()),
            jti => self.call(&self.lane.profile.tokens.revocations, json!({"jti": jti})).await,
        }
    }

    /// Rights stand in the token.
    async fn changed(&self, _: &Lease, _: &str, _: Right, _: bool) -> Result<bool, String> {
        Ok(false)
    }

    async fn retired(&self, _: &str) -> Result<(), String> {
        match self.lane.profile.tokens.end_fallback_keys.as_str() {
            "" => Ok(()),
            path => self.call(path, json!({})).await,
        }
    }
}
