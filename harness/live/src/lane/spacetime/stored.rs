//! What the database stores of a stream, read by SQL. What a table's owner alone may read is left out for others.

use bytes::Bytes;
use cutover_core::history::StoredCheckpoint;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::request::sql_text;
use super::shape::{Checkpoints, Events, Heads, Keys, ModuleShape};
use crate::lane::{Shown, ShownEvent, ShownKey};

/// The queries whose answers [`shown`] reads, in their order: of the stream's row, of its events, of its checkpoints,
/// and of all keys. `None` of one is a table that the module does not have.
pub(super) fn queries(shape: &ModuleShape, stream_id: &str) -> [Option<String>; 4] {
    let columns = |columns: &[&String]| {
        let named: Vec<&str> = columns.iter().map(|column| column.as_str()).filter(|name| !name.is_empty()).collect();
        named.join(", ")
    };
    let of = |columns: String, table: &str, stream: &str| {
        let all = format!("SELECT {columns} FROM {table} WHERE {stream} = {}", sql_text(stream_id));
        (!table.is_empty()).then_some(all)
    };
    let (heads, events, checkpoints, keys) = (&shape.heads, &shape.events, &shape.checkpoints, &shape.keys);
    let keys_of_all = format!("SELECT {} FROM {}", columns(&key_columns(keys)), keys.table);
    [
        of(columns(&head_columns(heads)), &heads.table, &heads.stream_id),
        of(columns(&event_columns(events)), &events.table, &events.stream_id),
        of(columns(&checkpoint_columns(checkpoints)), &checkpoints.table, &checkpoints.stream_id),
        (!keys.table.is_empty()).then_some(keys_of_all),
    ]
}

fn head_columns(heads: &Heads) -> [&String; 5] {
    [&heads.oldest_seq, &heads.head_seq, &heads.replay_budget, &heads.retention, &heads.class]
}

fn event_columns(events: &Events) -> [&String; 6] {
    let (key, hash) = (&events.idempotency_key, &events.payload_hash);
    [&events.seq, key, hash, &events.payload, &events.committed_at, &events.confirmed_read]
}

fn checkpoint_columns(checkpoints: &Checkpoints) -> [&String; 3] {
    [&checkpoints.client_id, &checkpoints.seq, &checkpoints.durable_offset]
}

fn key_columns(keys: &Keys) -> [&String; 3] {
    [&keys.key, &keys.seq, &keys.payload_hash]
}

/// The stream in the answers' bodies; `None` of a body is a query that was refused or not sent. Without a row of the
/// stream there is nothing: it may be a module with other columns.
pub(super) fn shown(shape: &ModuleShape, stream_id: &str, answers: &[Option<Bytes>]) -> Result<Option<Shown>, String> {
    let [streams, events, checkpoints, keys] = answers else { return Ok(None) };
    let Some(streams) = rows_of(streams.as_ref(), head_columns(&shape.heads))? else {
        return Ok(None);
    };
    let stream = match <[_; 1]>::try_from(streams) {
        Ok([stream]) => stream,
        Err(streams) if streams.is_empty() => return Ok(None),
        Err(streams) => {
            return Err(format!("{} rows of one stream in `{}`", streams.len(), shape.heads.table));
        }
    };
    let [oldest, head, replay_budget, retention, class] = stream;
    let events = rows_of(events.as_ref(), event_columns(&shape.events))?;
    let event = |[seq, key, payload_hash, payload, committed_at, confirmed_read]: [Cell; 6]| {
        Ok(ShownEvent {
            seq: seq.needed()?,
            key: key.needed()?,
            payload_hash: payload_hash.read()?,
            payload: payload.needed()?,
            // A timestamp is a list of one number.
            committed_at: committed_at.read::<(i64,)>()?.map(|(micros,)| micros),
            confirmed_read: confirmed_read.read()?,
        })
    };
    let events = events.map(|events| events.into_iter().map(event).collect::<Result<Vec<ShownEvent>, String>>());
    let events = events.transpose()?.map(|mut events| {
        events.sort_by(|left, right| (left.seq, &left.key).cmp(&(right.seq, &right.key)));
        events
    });
    // A key of a stream is what the profile's form makes of an empty key, and the key.
    let prefix = shape.key_form(stream_id, "");
    let key = |[pair, seq, payload_hash]: [Cell; 3]| {
        let pair: String = pair.needed()?;
        let Some(key) = pair.strip_prefix(&prefix) else { return Ok(None) };
        Ok(Some(ShownKey { key: key.to_owned(), seq: seq.needed()?, payload_hash: payload_hash.read()? }))
    };
    let keys = rows_of(keys.as_ref(), key_columns(&shape.keys))?;
    let keys =
        keys.map(|keys| keys.into_iter().filter_map(|row| key(row).transpose()).collect::<Result<Vec<_>, String>>());
    let checkpoint = |[client, seq, durable_offset]: [Cell; 3]| {
        let seq: u64 = seq.needed()?;
        let durable_offset = durable_offset.read()?.unwrap_or(seq);
        Ok(StoredCheckpoint { client: client.needed()?, seq, durable_offset })
    };
    let checkpoints = rows_of(checkpoints.as_ref(), checkpoint_columns(&shape.checkpoints))?;
    let checkpoints =
        checkpoints.map(|rows| rows.into_iter().map(checkpoint).collect::<Result<Vec<StoredCheckpoint>, String>>());
    let checkpoints = checkpoints.transpose()?.map(|mut checkpoints| {
        checkpoints.sort_by(|left, right| left.client.cmp(&right.client));
        checkpoints
    });
    // A module that does not tell its oldest event has none below those that it stores.
    let first = events.iter().flatten().map(|event: &ShownEvent| event.seq).min().unwrap_or_default();
    Ok(Some(Shown {
        head: head.needed()?,
        oldest: oldest.read()?.unwrap_or(first),
        retention: retention.read()?,
        replay_budget: replay_budget.read()?,
        class: class.read()?,
        differs: Vec::new(),
        events,
        keys: keys.transpose()?,
        checkpoints,
    }))
}

/// A column of a row; `None` where the module has no such column.
struct Cell(Option<Box<RawValue>>);

impl Cell {
    fn read<T: DeserializeOwned>(self) -> Result<Option<T>, String> {
        let read =
            |cell: Box<RawValue>| serde_json::from_str(cell.get()).map_err(|error| format!("rows of SQL: {error}"));
        self.0.map(read).transpose()
    }

    fn needed<T: DeserializeOwned>(self) -> Result<T, String> {
        self.read()?.ok_or_else(|| "rows of SQL: a column is missing".to_owned())
    }
}

/// Rows with a cell for each column; a column without a name was not asked for.
fn rows_of<const N: usize>(body: Option<&Bytes>, columns: [&String; N]) -> Result<Option<Vec<[Cell; N]>>, String> {
    let rows = rows::<Vec<Box<RawValue>>>(body)?;
    let asked = columns.iter().filter(|column| !column.is_empty()).count();
    let cells = |row: Vec<Box<RawValue>>| {
        if row.len() != asked {
            return Err(format!("rows of SQL: {} columns, and {asked} were asked for", row.len()));
        }
        let mut row = row.into_iter();
        Ok(columns.map(|column| Cell((!column.is_empty()).then(|| row.next()).flatten())))
    };
    rows.map(|rows| rows.into_iter().map(cells).collect()).transpose()
}

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
