//! What the database stores of a stream, read by SQL. What a table's owner alone may read is left out for others.

use bytes::Bytes;
use cutover_core::history::StoredCheckpoint;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::request::sql_text;
use crate::lane::{Shown, ShownEvent, ShownKey};

/// The queries whose answers [`shown`] reads, in their order.
pub(super) fn queries(stream_id: &str) -> [String; 4] {
    let of =
        |columns: &str, table: &str| format!("SELECT {columns} FROM {table} WHERE stream_id = {}", sql_text(stream_id));
    [
        of("oldest_seq, head_seq, replay_budget, retention, class", "sync_stream"),
        of("seq, idempotency_key, payload_hash, payload, committed_at, confirmed_read", "sync_event"),
        of("client_id, seq, durable_offset", "sync_checkpoint"),
        "SELECT append_key, seq, payload_hash FROM sync_append_key".to_owned(),
    ]
}

/// The stream in the answers' bodies; `None` of a body is a query that was refused. Without a row of the stream there
/// is nothing: it may be a module with other columns.
pub(super) fn shown(stream_id: &str, answers: &[Option<Bytes>]) -> Result<Option<Shown>, String> {
    let [streams, events, checkpoints, keys] = answers else { return Ok(None) };
    let Some(streams) = rows::<(u64, u64, u64, u64, String)>(streams.as_ref())? else {
        return Ok(None);
    };
    let (oldest, head, replay_budget, retention, class) = match <[_; 1]>::try_from(streams) {
        Ok([stream]) => stream,
        Err(streams) if streams.is_empty() => return Ok(None),
        Err(streams) => return Err(format!("{} rows of one stream in `sync_stream`", streams.len())),
    };
    let events = rows::<(u64, String, String, String, (i64,), bool)>(events.as_ref())?;
    let event = |(seq, key, payload_hash, payload, (committed_at,), confirmed_read)| ShownEvent {
        seq,
        key,
        payload_hash,
        payload,
        committed_at,
        confirmed_read,
    };
    let events = events.map(|events| {
        let mut events: Vec<ShownEvent> = events.into_iter().map(event).collect();
        events.sort_by(|left, right| (left.seq, &left.key).cmp(&(right.seq, &right.key)));
        events
    });
    // The module's key of both: the stream's length in bytes, a colon, and the two (spacetime/module, `pair_key`).
    let prefix = format!("{}:{stream_id}", stream_id.len());
    let keys = rows::<(String, u64, String)>(keys.as_ref())?.map(|keys| {
        let own = keys.into_iter().filter_map(|(pair, seq, payload_hash)| {
            Some(ShownKey { key: pair.strip_prefix(&prefix)?.to_owned(), seq, payload_hash })
        });
        own.collect()
    });
    let checkpoints = rows::<(String, u64, u64)>(checkpoints.as_ref())?.map(|checkpoints| {
        let mut checkpoints: Vec<_> = checkpoints
            .into_iter()
            .map(|(client, seq, durable_offset)| StoredCheckpoint { client, seq, durable_offset })
            .collect();
        checkpoints.sort_by(|left, right| left.client.cmp(&right.client));
        checkpoints
    });
    Ok(Some(Shown {
        head,
        oldest,
        retention: Some(retention),
        replay_budget: Some(replay_budget),
        class: Some(class),
        differs: Vec::new(),
        events,
        keys,
        checkpoints,
    }))
}

pub(super) const CONNECTIONS: &str = "SELECT connection_id FROM active_connection";

/// The connections' ids, as decimal numbers of up to 39 digits.
pub(super) fn connections(body: &Bytes) -> Vec<String> {
    let rows = rows::<[[Box<RawValue>; 1]; 1]>(Some(body));
    let rows = rows.ok().flatten().unwrap_or_default();
    rows.into_iter().map(|[[id]]| id.get().to_owned()).collect()
}

/// The rows of an answer as a sorted JSON list.
pub(super) fn rows_in_order(body: &Bytes) -> Result<String, String> {
    let rows = rows::<Box<RawValue>>(Some(body))?.unwrap_or_default();
    let mut rows: Vec<&str> = rows.iter().map(|row| row.get()).collect();
    rows.sort_unstable();
    Ok(format!("[{}]", rows.join(",")))
}

/// The rows of `[{"rows": [..]}]`; `None` where the query was refused.
fn rows<T: DeserializeOwned>(body: Option<&Bytes>) -> Result<Option<Vec<T>>, String> {
    #[derive(Deserialize)]
    struct Answer<T> {
        rows: Vec<T>,
    }
    let Some(body) = body else { return Ok(None) };
    let answers: Vec<Answer<T>> = serde_json::from_slice(body).map_err(|error| format!("rows of SQL: {error}"))?;
    Ok(Some(answers.into_iter().flat_map(|answer| answer.rows).collect()))
}

#[cfg(test)]
mod tests;
