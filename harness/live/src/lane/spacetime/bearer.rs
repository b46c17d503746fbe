//! The lane for who bears a token of a scenario: what its sessions can't do, why it is refused, and the leases that the
//! module gets of tokens.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use cutover_control::{Enforcer, LEEWAY_S, Lease, MAX_AGE_S, Right};
use cutover_core::history::Refusal;
use cutover_core::ids::StreamId;
use cutover_core::text::Secret;
use cutover_core::topic::stream_id_of;
use serde_json::{Value, json};
use spacetimedb_client_api_messages::websocket::common::BsatnRowList;
use spacetimedb_client_api_messages::websocket::{v1, v2};
use spacetimedb_lib::Identity;
use tokio::sync::Mutex;

use super::admin;
use super::incoming;
use super::protocol::{ClientMessage, Protocol, ServerMessage};
use super::request::{self, PRUNE_REDUCER};
use super::rows::{EVENT_TABLE, EventRow, STREAM_TABLE, StreamRow, split};
use super::{SpacetimeLane, session::SpacetimeSession, writer::SpacetimeWriter};
use crate::lane::http::HttpClient;
use crate::lane::{Completion, Endpoint, OpError, OpenError, Visit};

const TABLES: [&str; 2] = [EVENT_TABLE, STREAM_TABLE];

/// A lane bears tokens only where its module is this project's.
const APPEND: &str = "append_sync_event";
const RESUME: &str = "resume_stream";

impl SpacetimeLane {
    pub(super) fn of_bearer(&self, token: Option<Secret>) -> SpacetimeLane {
        SpacetimeLane { token, bears: true, ..self.clone() }
    }

    /// Why a connection was not opened. A module that refuses one says so only over HTTP.
    pub(super) async fn why(&self, error: OpenError, endpoint: &Endpoint) -> OpenError {
        let refusal = match error.refusal.as_deref() {
            Some(refusal) => named(refusal.clone(), &error.what),
            None => match self.called(endpoint, RESUME, &json!([[]])).await {
                Err(OpError::Refused(refused)) if refused.code != "bad_subscription" => *refused,
                _ => return error,
            },
        };
        OpenError { refusal: Some(Box::new(refusal)), retryable: false, ..error }
    }

    async fn called(&self, endpoint: &Endpoint, reducer: &str, args: &Value) -> Completion {
        self.http_writer(endpoint).await?.run(reducer, args).await.map_err(renamed)
    }

    async fn http_writer(&self, endpoint: &Endpoint) -> Completion<SpacetimeWriter> {
        let http = SpacetimeLane::http(endpoint, &self.profile, self.token.as_ref(), self.bounds);
        let http = http.map_err(|error| OpError::Later(error.to_string()))?;
        Ok(SpacetimeWriter::new(http, self.database.clone(), Arc::clone(&self.names), Arc::clone(&self.schema)))
    }

    pub(super) async fn done(&self, deed: &str, visit: &Visit<'_>) -> Completion<Vec<StreamId>> {
        let Some(name) = self.names.stream_id(visit.stream) else { return Ok(Vec::new()) };
        let ((key, payload), none) = (visit.event, |()| Vec::new());
        match deed {
            "resume-call" => {
                let resumed = self.called(visit.writer, RESUME, &json!([[[name, 0]]])).await;
                resumed.map(|()| vec![visit.stream.clone()])
            }
            "append" => {
                let args = json!([name, key, payload, "", null]);
                self.called(visit.writer, APPEND, &args).await.map(none)
            }
            "prune" => self.called(visit.writer, PRUNE_REDUCER, &json!([name, 0])).await.map(none),
            "sql" => self.by_sql(visit).await,
            _ => self.by_queries(deed == "one-off", visit).await,
        }
    }

    async fn by_sql(&self, visit: &Visit<'_>) -> Completion<Vec<StreamId>> {
        let mut writer = self.http_writer(visit.writer).await?;
        let mut seen = BTreeSet::new();
        for table in TABLES {
            let answered = writer.sql(&format!("SELECT stream_id FROM {table}")).await.map_err(OpError::Later)?;
            let answer = answered.map_err(|answer| OpError::Unknown(answer.in_words()))?;
            let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let rows = json.pointer("/0/rows").and_then(Value::as_array);
            let ids = rows.into_iter().flatten().filter_map(|row| row.get(0)?.as_str());
            seen.extend(ids.map(|id| self.stream(id)));
        }
        Ok(seen.into_iter().collect())
    }

    /// Reads whole tables over the socket: by one query each, or by a subscription to both.
    async fn by_queries(&self, one_off: bool, visit: &Visit<'_>) -> Completion<Vec<StreamId>> {
        let opened = self.session(visit.socket, visit.client).await;
        let mut session = match opened {
            Ok(session) => session,
            Err(error) => return Err(self.why(error, visit.socket).await.into()),
        };
        let asked: Vec<ClientMessage> = match one_off {
            true => TABLES.iter().map(|table| one_off_query(session.protocol, request::whole_query(table))).collect(),
            false => vec![request::subscribe(session.protocol, 1, TABLES.map(request::whole_query).to_vec())],
        };
        let mut seen = BTreeSet::new();
        for message in asked {
            self.asked(&mut session, message, &mut seen).await?;
        }
        session.end().await;
        Ok(seen.into_iter().collect())
    }

    async fn asked(
        &self,
        session: &mut SpacetimeSession,
        message: ClientMessage,
        seen: &mut BTreeSet<StreamId>,
    ) -> Completion {
        let mut answer = session.exchange(message).await?;
        let lists = match one_off_lists(&answer) {
            None => {
                let incoming = incoming::read(&mut answer, &self.schema);
                if let incoming::Kind::SubscribeFailed { message, .. } = incoming.kind {
                    return Err(OpError::Unknown(message));
                }
                let events = incoming.events.into_iter().flatten().map(|row| row.stream_id);
                let ids: Vec<String> = events.chain(incoming.streams.into_iter().map(|row| row.stream_id)).collect();
                seen.extend(ids.iter().map(|id| self.stream(id)));
                return Ok(());
            }
            Some(lists) => lists.map_err(OpError::Unknown)?,
        };
        for (table, list) in lists {
            let unreadable = |error: super::rows::RowError| OpError::Unknown(error.to_string());
            let is_event = table == EVENT_TABLE;
            for row in split(if is_event { EVENT_TABLE } else { STREAM_TABLE }, list).map_err(unreadable)? {
                let id = match is_event {
                    true => EventRow::read(&self.schema, &row).map(|row| row.stream_id),
                    false => StreamRow::read(&self.schema, &row).map(|row| row.stream_id),
                };
                seen.insert(self.stream(&id.map_err(unreadable)?));
            }
        }
        Ok(())
    }

    fn stream(&self, id: &str) -> StreamId {
        self.names.stream_of_id(id).unwrap_or_else(|| StreamId::new(id))
    }
}

fn one_off_query(protocol: Protocol, query: String) -> ClientMessage {
    let query_string = query.into_boxed_str();
    match protocol {
        Protocol::V1 => ClientMessage::V1(v1::ClientMessage::OneOffQuery(v1::OneOffQuery {
            message_id: Box::new([1]),
            query_string,
        })),
        Protocol::V2 | Protocol::V3 => {
            ClientMessage::V2(v2::ClientMessage::OneOffQuery(v2::OneOffQuery { request_id: 1, query_string }))
        }
    }
}

type Lists<'a> = Vec<(&'a str, &'a BsatnRowList)>;

/// The rows of a one-off query's answer, by table; `None` of another message.
fn one_off_lists(answer: &ServerMessage) -> Option<Result<Lists<'_>, String>> {
    match answer {
        ServerMessage::V1(v1::ServerMessage::OneOffQueryResponse(answer)) => Some(match &answer.error {
            Some(error) => Err(error.to_string()),
            None => Ok(answer.tables.iter().map(|table| (&*table.table_name, &table.rows)).collect()),
        }),
        ServerMessage::V2(v2::ServerMessage::OneOffQueryResult(answer)) => Some(match &answer.result {
            Err(error) => Err(error.to_string()),
            Ok(rows) => Ok(rows.tables.iter().map(|table| (&*table.table, &table.rows)).collect()),
        }),
        _ => None,
    }
}

/// A refusal by the server or the module, under the contract's code.
fn renamed(error: OpError) -> OpError {
    match error {
        OpError::Refused(refusal) => {
            let words = refusal.message.clone();
            OpError::from(named(*refusal, &words))
        }
        other => other,
    }
}

fn named(refusal: Refusal, words: &str) -> Refusal {
    let code = match refusal.code.as_str() {
        // The server's own words: its checks have no codes.
        "http_401" if words.contains("ExpiredSignature") || words.contains("expired") => Some("token_expired"),
        "http_401" if words.contains("iat") => Some("missing_iat"),
        "http_401" => Some("invalid_token"),
        "http_403" => words.split_once("\"code\":\"").and_then(|(_, rest)| rest.split('"').next()),
        _ => None,
    };
    Refusal { code: code.map_or(refusal.code.clone(), str::to_owned), ..refusal }
}

/// Writes the leases of tokens with the owner's token.
pub(super) struct Leases {
    http: Mutex<HttpClient>,
    database: String,
}

impl Leases {
    /// From now on the module asks every client but the owner for a lease.
    pub(super) async fn begin(http: HttpClient, database: &str, audience: &str) -> Result<Leases, OpenError> {
        let leases = Leases { http: Mutex::new(http), database: database.to_owned() };
        let (leeway, age) = (LEEWAY_S * 1000, MAX_AGE_S * 1000);
        let begun = leases.call("set_access", json!([true, audience, leeway, age])).await;
        begun.map_err(OpenError::lasting)?;
        Ok(leases)
    }

    async fn call(&self, reducer: &str, args: Value) -> Result<(), String> {
        let mut http = self.http.lock().await;
        admin::call(&mut http, &self.database, reducer, &args).await.map_err(|error| error.to_string())
    }
}

fn identity(lease: &Lease) -> String {
    Identity::from_claims(&lease.issuer, &lease.subject).to_hex().to_string()
}

fn ids(topics: &[String]) -> Vec<String> {
    topics.iter().map(|topic| stream_id_of(topic)).collect()
}

#[async_trait]
impl Enforcer for Leases {
    async fn minted(&self, lease: &Lease) -> Result<(), String> {
        let args = json!([
            identity(lease),
            lease.client,
            lease.jti,
            lease.key_id,
            lease.audience,
            lease.issued_at * 1000,
            lease.starts_at * 1000,
            lease.expires_at * 1000,
            ids(&lease.rights.reads),
            ids(&lease.rights.writes),
        ]);
        self.call("put_lease", args).await
    }

    async fn revoked(&self, lease: &Lease) -> Result<(), String> {
        self.call("revoke_lease", json!([identity(lease)])).await
    }

    async fn changed(&self, lease: &Lease, topic: &str, right: Right, granted: bool) -> Result<bool, String> {
        let reducer = if granted { "put_grant" } else { "withdraw_grant" };
        let args = json!([identity(lease), stream_id_of(topic), right.word()]);
        self.call(reducer, args).await.map(|()| true)
    }

    async fn retired(&self, key_id: &str) -> Result<(), String> {
        self.call("retire_key", json!([key_id])).await
    }
}
