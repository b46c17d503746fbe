//! The tokens of a run: it asks the control service for them, and knows which one each client holds.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use cutover_control::{Claims, Control, Key, Mint, Right, Rights};
use cutover_core::history::Minting;
use cutover_core::ids::{ClientId, StreamId};
use cutover_core::plan::{self, Change, EXPIRED, Flaw, GOOD, Identity, Plan, Token, token_of};
use cutover_core::text::Secret;
use http::Method;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::bounds;
use crate::lane::Endpoint;
use crate::lane::http::{HttpClient, authorization, bearer};
use crate::lane::names::Names;
use crate::lane::socket::Bounds;

/// The authority of one lane.
pub struct Authority {
    control: Control,
    lacks: Vec<&'static str>,
    http: Mutex<HttpClient>,
    names: Arc<Names>,
    identities: std::sync::Mutex<BTreeMap<String, Known>>,
    held: Mutex<BTreeMap<ClientId, Held>>,
}

/// An identity: its tenant and what it may do now.
struct Known {
    tenant: String,
    rights: Rights,
}

/// What a client holds.
#[derive(Default)]
struct Held {
    identity: String,
    token: Option<(Secret, &'static str)>,
    /// Why it is to take another one.
    next: Option<Minting>,
    /// Whether the token was minted for the connection that is being opened.
    is_fresh: bool,
}

/// A token that a client presents.
pub struct Presented {
    pub token: Secret,
    /// Its word in `TOKENS`.
    pub word: &'static str,
    pub minted: Option<Minting>,
}

/// The answer of the control service to a request for a token.
#[derive(Deserialize)]
struct Answer {
    token: Secret,
    jti: String,
}

impl Authority {
    /// The authority of a plan, with the rights that it begins with, and with what the lane lacks.
    pub fn new(
        control: Control,
        (plan, lacks): (&Plan, Vec<&'static str>),
        names: Arc<Names>,
    ) -> Result<Authority, String> {
        let headers = authorization(Some(bearer(&control.secret()))).map_err(|error| error.to_string())?;
        let at = Endpoint { connect: control.addr(), authority: control.addr().to_string() };
        let http = HttpClient::new(at, headers, bounds::OPEN, Bounds::default().operation);
        let topics = |streams: &[StreamId]| topics(&names, streams);
        let known = |identity: &Identity| {
            let rights = Rights { reads: topics(&identity.reads), writes: topics(&identity.writes) };
            (identity.name.clone(), Known { tenant: identity.tenant.clone(), rights })
        };
        let identities = plan.cases.iter().flat_map(|case| &case.identities).map(known).collect();
        let clients = plan.cases.iter().flat_map(|case| &case.clients);
        let held = clients.filter_map(|client| {
            let held = Held { identity: client.identity.clone()?, next: Some(Minting::First), ..Held::default() };
            Some((client.id.clone(), held))
        });
        let held = Mutex::new(held.collect());
        let (http, identities) = (Mutex::new(http), std::sync::Mutex::new(identities));
        Ok(Authority { control, lacks, http, names, identities, held })
    }

    /// Whether the lane lacks a kind of token, or something that is done with one.
    pub fn lacks(&self, word: &str) -> bool {
        self.lacks.contains(&word)
    }

    /// A token of an identity; `None` where it is to present none. `client` is the client's name on the lane.
    pub async fn token(&self, identity: &str, client: &str, token: &Token) -> Result<Option<Secret>, String> {
        match token.flaw {
            Some(Flaw::NoToken) => return Ok(None),
            Some(Flaw::Altered) => {
                let (signed, other) =
                    (self.mint(identity, client, token).await?, self.mint(identity, client, token).await?);
                return Ok(Some(altered(signed.reveal(), other.reveal())));
            }
            _ => {}
        }
        let minted = self.minted(identity, client, token).await?;
        if token.flaw == Some(Flaw::Revoked) {
            self.ask("/v1/revocations", json!({"subject": identity, "jti": minted.jti})).await?;
        }
        Ok(Some(minted.token))
    }

    async fn mint(&self, identity: &str, client: &str, token: &Token) -> Result<Secret, String> {
        Ok(self.minted(identity, client, token).await?.token)
    }

    async fn minted(&self, identity: &str, client: &str, token: &Token) -> Result<Answer, String> {
        let (tenant, rights) = {
            let known = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
            let known = known.get(identity).ok_or_else(|| format!("the plan has no identity `{identity}`"))?;
            (known.tenant.clone(), known.rights.clone())
        };
        let is = |flaw| token.flaw == Some(flaw);
        let claims = Claims {
            issued_in_s: token.issued_in_s,
            starts_in_s: token.starts_in_s,
            expires_in_s: Some(token.expires_in_s),
            audience: is(Flaw::OtherAudience).then(|| "another-service".to_owned()),
            issuer: is(Flaw::OtherIssuer).then(|| format!("{}-other", self.control.issuer())),
            without_jti: is(Flaw::NoJti),
            without_iat: is(Flaw::NoIat),
            key: match token.flaw {
                Some(Flaw::OtherKey) => Some(Key::Foreign),
                Some(Flaw::FirstKey) => Some(Key::First),
                _ => None,
            },
        };
        let (subject, client) = (identity.to_owned(), client.to_owned());
        let mint = Mint { subject, client, tenant, rights, claims };
        let body = self.ask("/v1/tokens", json!(mint)).await?;
        serde_json::from_slice(&body).map_err(|_| "the control service gave no token".to_owned())
    }

    /// Changes rights, tokens or keys.
    pub async fn change(&self, change: &Change) -> Result<(), String> {
        match change {
            Change::Grant { identity, stream, right } => self.set_right(identity, stream, *right, true).await,
            Change::Withdraw { identity, stream, right } => self.set_right(identity, stream, *right, false).await,
            Change::Revoke { identity } => self.ask("/v1/revocations", json!({"subject": identity})).await.map(drop),
            Change::RotateKey => self.ask("/v1/keys/rotate", json!({})).await.map(drop),
            Change::RetireKey => self.ask("/v1/keys/retire", json!({})).await.map(drop),
            Change::Expire { identity } => self.expire(identity).await,
            Change::Due { identity } => {
                for held in self.held.lock().await.values_mut().filter(|held| held.identity == *identity) {
                    held.next = Some(Minting::Due);
                }
                Ok(())
            }
        }
    }

    async fn set_right(
        &self,
        identity: &str,
        stream: &StreamId,
        right: plan::Right,
        granted: bool,
    ) -> Result<(), String> {
        let topic = self.names.topic(stream).unwrap_or_default();
        let right = match right {
            plan::Right::Read => Right::Read,
            plan::Right::Write => Right::Write,
        };
        if let Some(known) = self.identities.lock().unwrap_or_else(PoisonError::into_inner).get_mut(identity) {
            known.rights.set(topic, right, granted);
        }
        let body = json!({"subject": identity, "topic": topic, "right": right, "granted": granted});
        self.ask("/v1/rights", body).await.map(drop)
    }

    async fn expire(&self, identity: &str) -> Result<(), String> {
        let expired = token_of(EXPIRED).ok_or("there is no expired token")?;
        for (client, held) in self.held.lock().await.iter_mut().filter(|(_, held)| held.identity == identity) {
            let token = self.mint(identity, client.as_str(), expired).await?;
            (held.token, held.next) = (Some((token, EXPIRED)), None);
        }
        Ok(())
    }

    /// What a client presents at its next connection.
    pub async fn presented(&self, client: &ClientId) -> Result<Presented, String> {
        let good = token_of(GOOD).ok_or("there is no good token")?;
        let mut all = self.held.lock().await;
        let held = all.get_mut(client).ok_or_else(|| format!("`{client}` has no identity"))?;
        let minted = held.next.take();
        held.is_fresh = minted.is_some();
        if minted.is_some() || held.token.is_none() {
            let token = self.mint(&held.identity, client.as_str(), good).await?;
            held.token = Some((token, GOOD));
        }
        let (token, word) = held.token.clone().ok_or("there is no token")?;
        Ok(Presented { token, word, minted })
    }

    /// A client's token was refused. Returns whether it is worth another try with another one.
    pub async fn refused(&self, client: &ClientId) -> bool {
        let mut all = self.held.lock().await;
        let held = all.get_mut(client).filter(|held| !held.is_fresh);
        held.is_some_and(|held| held.next.replace(Minting::Refused).is_none())
    }

    async fn ask(&self, path: &str, body: serde_json::Value) -> Result<Bytes, String> {
        let mut http = self.http.lock().await;
        let answered = http.request(Method::POST, path, Some("application/json"), body.to_string()).await;
        let answer = answered.map_err(|error| error.to_string())?;
        if answer.is_ok() { Ok(answer.body) } else { Err(format!("the control service: {}", answer.in_words())) }
    }
}

fn topics(names: &Names, streams: &[StreamId]) -> Vec<String> {
    streams.iter().filter_map(|stream| names.topic(stream)).map(str::to_owned).collect()
}

/// The claims of one token under the signature of another.
fn altered(signed: &str, other: &str) -> Secret {
    let mut parts: Vec<&str> = signed.split('.').collect();
    if let (Some(claims), Some(of_other)) = (parts.get_mut(1), other.split('.').nth(1)) {
        *claims = of_other;
    }
    Secret::new(parts.join("."))
}
