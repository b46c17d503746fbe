//! The writer's session: calls reducers over HTTP, and reads each event's seq back by SQL.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cutover_core::hash::{payload_hash, sha256};
use cutover_core::history::StoredCheckpoint;
use cutover_core::ids::{Seq, StreamId};
use cutover_core::plan::{SEQUENCE_CONFLICT, STREAM, Window};
use http::Method;
use serde_json::{Value, json};

use super::admin::{AdminError, find_database, hint};
use super::request::{PRUNE_REDUCER, WINDOW_REDUCER, sql_text};
use super::schema::Schema;
use super::shape::ModuleShape;
use super::stored;
use super::template::now;
use crate::lane::http::{HttpAnswer, HttpClient, HttpError, percent_encoded};
use crate::lane::names::Names;
use crate::lane::passing::{did_nothing, passing};
use crate::lane::refusal::{SPACETIME, not_in_plan, refusal};
use crate::lane::{Completion, OpError, OpenError, Prune, Publish, Published, Shown, WriterSession};

/// The status of a reducer that returned an error.
const REDUCER_FAILED: u16 = 530;

/// How often an acknowledged event is queried before it counts as not written; and once one was not, the next ones.
const LOOKS: u32 = 6;
const LOOKS_AGAIN: u32 = 2;
/// The wait before the second query. It doubles each time: two thirds of a second in all.
const FIRST_WAIT: Duration = Duration::from_millis(20);

pub(super) struct SpacetimeWriter {
    http: HttpClient,
    database: String,
    names: Arc<Names>,
    schema: Arc<Schema>,
    retry_after: Option<Duration>,
    /// Whether the table of idempotency keys can be read. It keeps pruned events, but only its owner sees it.
    reads_keys: bool,
    looks: u32,
}

impl SpacetimeWriter {
    pub(super) async fn open(
        mut http: HttpClient,
        database: String,
        names: Arc<Names>,
        schema: Arc<Schema>,
    ) -> Result<SpacetimeWriter, OpenError> {
        find_database(&mut http, &database).await.map_err(|error| OpenError {
            retryable: error.is_retryable(),
            hint: hint_of(&error),
            ..OpenError::lasting(error.to_string())
        })?;
        Ok(SpacetimeWriter::new(http, database, names, schema))
    }

    /// A writer that connects with its first request.
    pub(super) fn new(http: HttpClient, database: String, names: Arc<Names>, schema: Arc<Schema>) -> SpacetimeWriter {
        let reads_keys = !schema.shape().keys.table.is_empty();
        SpacetimeWriter { http, database, names, schema, retry_after: None, reads_keys, looks: LOOKS }
    }

    fn shape(&self) -> &ModuleShape {
        self.schema.shape()
    }

    pub(super) async fn run(&mut self, reducer: &str, args: &Value) -> Completion {
        let path = format!("/v1/database/{}/call/{reducer}", percent_encoded(&self.database));
        let body = Bytes::from(args.to_string());
        let answered = self.http.request(Method::POST, &path, Some("application/json"), body).await;
        let answer = answered.map_err(|error| {
            self.retry_after = error.retry_after();
            passing(&error)
        })?;
        self.retry_after = answer.retry_after;
        if answer.is_ok() {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&answer.body);
        let what = format!("HTTP {}: {} ({})", answer.status, answer.excerpt(), hint(answer.status));
        Err(match answer.status {
            REDUCER_FAILED => OpError::from(self.shape().refusals.read(&self.names, &words)),
            status if did_nothing(status) => OpError::Later(what),
            // 402 is an empty energy budget, 4xx a request that was never run.
            400..=499 if !answer.is_passing() => OpError::from(refusal(format!("http_{}", answer.status), what)),
            _ => OpError::Unknown(what),
        })
    }

    /// The event's seq; `None` where it is in no table.
    async fn seq_of(&mut self, stream_id: &str, key: &str) -> Result<Option<u64>, String> {
        if self.reads_keys {
            let keys = &self.shape().keys;
            let pair = sql_text(&self.shape().key_form(stream_id, key));
            let query = format!("SELECT {} FROM {} WHERE {} = {pair}", keys.seq, keys.table, keys.key);
            match self.sql(&query).await? {
                // A module with keys of another form has no such row; the event's own row may have the seq.
                Ok(answer) => {
                    if let Ok(Some(seq)) = seq_in(&answer) {
                        return Ok(Some(seq));
                    }
                }
                Err(_) => self.reads_keys = false,
            }
        }
        let events = &self.shape().events;
        let query = format!(
            "SELECT {} FROM {} WHERE {} = {} AND {} = {}",
            events.seq,
            events.table,
            events.stream_id,
            sql_text(stream_id),
            events.idempotency_key,
            sql_text(key)
        );
        seq_in(&self.sql(&query).await?.map_err(|answer| format!("HTTP {}: {}", answer.status, answer.excerpt()))?)
    }

    pub(super) async fn sql(&mut self, query: &str) -> Result<Result<HttpAnswer, HttpAnswer>, String> {
        let path = format!("/v1/database/{}/sql", percent_encoded(&self.database));
        let body = Bytes::copy_from_slice(query.as_bytes());
        let answered = self.http.request_again(Method::POST, &path, Some("text/plain"), body).await;
        let answer = answered.map_err(|error| error.to_string())?;
        Ok(if answer.is_ok() { Ok(answer) } else { Err(answer) })
    }
}

/// The hash that a publisher computes. A text without a canonical form is hashed as it is.
fn hash_of(payload: &str) -> String {
    payload_hash(payload.as_bytes()).map_or_else(|_| sha256(payload.as_bytes()), |hash| hash.to_string())
}

fn hint_of(error: &AdminError) -> Option<String> {
    let AdminError::NoAnswer { error, .. } = error else {
        return None;
    };
    match **error {
        HttpError::Refused { .. } => Some("is it running, and does the address lead to it?".to_owned()),
        HttpError::Html { .. } => Some("a web server is there, but no SpacetimeDB: check the URL".to_owned()),
        _ => None,
    }
}

/// The one number in `[{"rows": [[SEQ]], ...}]`; `None` where there is no row.
fn seq_in(answer: &HttpAnswer) -> Result<Option<u64>, String> {
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if json.pointer("/0/rows").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let cell = json.pointer("/0/rows/0/0").or_else(|| json.pointer("/0/rows/0/seq"));
    cell.and_then(Value::as_u64).map(Some).ok_or_else(|| format!("no seq in the answer: {}", answer.excerpt()))
}

#[async_trait]
impl WriterSession for SpacetimeWriter {
    async fn publish(&mut self, publish: Publish<'_>) -> Completion<Published> {
        let Publish { stream, key, payload, .. } = publish;
        let Some(stream_id) = self.names.stream_id(stream).map(str::to_owned) else {
            return Err(not_in_plan(stream));
        };
        let key = &self.shape().key_on_wire(&self.names, key);
        let append = &self.shape().append;
        if publish.expected_next_seq == Some(0) && self.schema.has_zero_for_none("expected_next_seq") {
            let words = "not sent: the call takes 0 for none, so that no publish can expect the seq 0";
            return Err(OpError::from(refusal(SEQUENCE_CONFLICT, words)));
        }
        let args = self.schema.call(&append.reducer, &append.arguments, |name| match name {
            "stream" => Some(Value::from(stream_id.as_str())),
            "key" => Some(Value::from(key.as_str())),
            "payload" => Some(Value::from(payload)),
            "hash" => Some(publish.payload_hash.map_or_else(|| hash_of(payload), str::to_owned).into()),
            // Without a hash the module computes it.
            "claimed_hash" => Some(Value::from(publish.payload_hash.unwrap_or_default())),
            "expected_next_seq" => publish.expected_next_seq.map(Value::from),
            name => now(name),
        });
        let reducer = append.reducer.clone();
        self.run(&reducer, &args).await?;
        // A call's answer has no body, so the seq is read by SQL. The lane does not report whether the event is a
        // duplicate. A call is answered after its commit, and SQL reads committed rows, so the first query finds the
        // row. The others leave time to a load balancer that sends SQL to a replica.
        let mut looks = 1;
        let mut wait = FIRST_WAIT;
        loop {
            match self.seq_of(&stream_id, key).await {
                Ok(Some(seq)) => return Ok(Published { seq: Seq(seq), duplicate: None, differs: Vec::new() }),
                Ok(None) if looks >= self.looks => {
                    self.looks = LOOKS_AGAIN;
                    let why = format!(
                        "HTTP 200, and {looks} looks by SQL found no row of it in `{}`",
                        self.shape().events.table
                    );
                    return Err(OpError::Unwritten(why));
                }
                Ok(None) => tokio::time::sleep(wait).await,
                Err(why) => {
                    return Err(OpError::Unknown(format!("written, but its seq can't be read back: {why}")));
                }
            }
            looks += 1;
            wait *= 2;
        }
    }

    async fn set_policy(
        &mut self,
        stream: &StreamId,
        retention: Option<u64>,
        replay_budget: Option<u64>,
    ) -> Completion {
        let Some(stream_id) = self.names.stream_id(stream) else {
            return Err(not_in_plan(stream));
        };
        let policy = &self.shape().policy;
        if policy.reducer.is_empty() {
            return Ok(());
        }
        let args = self.schema.call(&policy.reducer, &policy.arguments, |name| match name {
            "stream" => Some(Value::from(stream_id)),
            "retention" => retention.map(Value::from),
            "replay_budget" => replay_budget.map(Value::from),
            _ => None,
        });
        let reducer = policy.reducer.clone();
        self.run(&reducer, &args).await
    }

    async fn prune(&mut self, stream: &StreamId, prune: Prune) -> Completion<Seq> {
        let Some(stream_id) = self.names.stream_id(stream) else {
            return Err(not_in_plan(stream));
        };
        self.run(PRUNE_REDUCER, &json!([stream_id, prune.up_to.0])).await?;
        Ok(prune.up_to.min(prune.head))
    }

    async fn checkpoint(&mut self, stream: &StreamId, checkpoint: &StoredCheckpoint) -> Option<Completion> {
        let Some(stream_id) = self.names.stream_id(stream) else {
            return Some(Err(not_in_plan(stream)));
        };
        let reducer = self.shape().checkpoints.reducer.clone();
        if reducer.is_empty() {
            return None;
        }
        let StoredCheckpoint { client, seq, durable_offset } = checkpoint;
        let args = self.schema.checkpoint_call((client, stream_id), (*seq, *durable_offset));
        Some(self.run(&reducer, &args).await)
    }

    async fn stored(&mut self, stream: &StreamId) -> Completion<Option<Shown>> {
        let Some(stream_id) = self.names.stream_id(stream).map(str::to_owned) else {
            return Err(not_in_plan(stream));
        };
        let mut answers = Vec::new();
        for query in stored::queries(self.shape(), &stream_id) {
            let answered = match query {
                Some(query) => self.sql(&query).await.map_err(OpError::Later)?.ok(),
                None => None,
            };
            answers.push(answered.map(|answer| answer.body));
        }
        let shown = stored::shown(self.shape(), &stream_id, &answers).map_err(OpError::Later)?;
        let own = |key: String| self.shape().key_of_plan(&self.names, key);
        Ok(shown.map(|mut shown| {
            for event in shown.events.iter_mut().flatten() {
                event.key = own(std::mem::take(&mut event.key));
            }
            for key in shown.keys.iter_mut().flatten() {
                key.key = own(std::mem::take(&mut key.key));
            }
            shown
        }))
    }

    async fn connections(&mut self) -> Completion<Option<Vec<String>>> {
        let presence = &self.shape().presence;
        if presence.table.is_empty() {
            return Ok(None);
        }
        let query = format!("SELECT {} FROM {}", presence.connection_id, presence.table);
        let answered = self.sql(&query).await.map_err(OpError::Later)?;
        Ok(answered.ok().map(|answer| stored::connections(&answer.body)))
    }

    async fn set_window(&mut self, window: &Window) -> Completion {
        let max_build = window.max_client_build_id.as_ref().map_or(Value::Null, |build| json!({ "some": build }));
        let (min_schema, max_schema) = (window.min_schema_version, window.max_schema_version);
        let args = json!([true, SPACETIME, min_schema, max_schema, window.min_client_build_id, max_build]);
        self.run(WINDOW_REDUCER, &args).await
    }

    async fn call(&mut self, stream: &StreamId, call: &str, body: &str) -> Option<Completion> {
        let stream_id = self.names.stream_id(stream)?;
        let args = serde_json::from_str(&body.replace(STREAM, stream_id)).ok()?;
        // A call of the contract says nothing of a module that takes other arguments.
        match self.schema.has_our_reducer(call) {
            true => Some(self.run(call, &args).await),
            false => None,
        }
    }

    async fn rows(&mut self, stream: &StreamId, query: &str) -> Option<Completion<String>> {
        let stream_id = self.names.stream_id(stream)?.to_owned();
        let answered = self.sql(&query.replace(STREAM, &stream_id)).await;
        Some(match answered {
            Ok(Ok(answer)) => stored::rows_in_order(&answer.body).map(|rows| rows.replace(&stream_id, STREAM)),
            Ok(Err(_)) => return None,
            Err(why) => Err(why),
        })
        .map(|rows| rows.map_err(OpError::Later))
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

#[cfg(test)]
mod tests;
