//! The rows of `bridge_outbox`, as they come in the JSON text of SpacetimeDB's v1 protocol.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

const TABLE: &str = "bridge_outbox";

/// An event that is to be mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Row {
    pub key: String,
    pub position: u64,
    pub stream: String,
    pub payload: String,
    /// Microseconds since 1970.
    pub enqueued_at: u64,
    /// The id under which the relay has it; blank until it is marked.
    pub sent_as: String,
}

/// What a message of the server says.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// All rows.
    All(Vec<Row>),
    Changed {
        gone: Vec<Row>,
        come: Vec<Row>,
    },
    /// A call of ours, or the subscription, was refused.
    Refused(String),
    Other,
}

#[derive(Deserialize)]
enum Wire {
    InitialSubscription { database_update: Tables },
    TransactionUpdate { status: Status },
    TransactionUpdateLight { update: Tables },
}

#[derive(Deserialize)]
enum Status {
    Committed(Tables),
    Failed(String),
}

#[derive(Deserialize)]
struct Tables {
    tables: Vec<Table>,
}

#[derive(Deserialize)]
struct Table {
    table_name: String,
    updates: Vec<Update>,
}

#[derive(Deserialize)]
struct Update {
    deletes: Vec<String>,
    inserts: Vec<String>,
}

/// Reads a message; an error says what can't be read of it.
pub fn read(text: &str) -> Result<Message, String> {
    let Ok(wire) = serde_json::from_str::<Wire>(text) else { return Ok(Message::Other) };
    let changed = |tables: Tables| rows_of(tables).map(|(gone, come)| Message::Changed { gone, come });
    match wire {
        Wire::InitialSubscription { database_update } => Ok(Message::All(rows_of(database_update)?.1)),
        Wire::TransactionUpdate { status: Status::Committed(tables) } => changed(tables),
        Wire::TransactionUpdate { status: Status::Failed(why) } => Ok(Message::Refused(why)),
        Wire::TransactionUpdateLight { update } => changed(update),
    }
}

fn rows_of(tables: Tables) -> Result<(Vec<Row>, Vec<Row>), String> {
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    let updates = tables.tables.into_iter().filter(|table| table.table_name == TABLE).flat_map(|table| table.updates);
    for update in updates {
        for (texts, rows) in [(&update.deletes, &mut gone), (&update.inserts, &mut come)] {
            for text in texts {
                rows.push(row(text).ok_or_else(|| format!("a row of {TABLE} that has other columns: {text}"))?);
            }
        }
    }
    Ok((gone, come))
}

/// A row is an object in a snapshot, and a list of values in the order of the columns in an update.
fn row(text: &str) -> Option<Row> {
    const COLUMNS: [&str; 7] =
        ["event_key", "position", "stream_id", "payload", "payload_hash", "enqueued_at", "relay_event_id"];
    let row: Value = serde_json::from_str(text).ok()?;
    let value = |column: usize| row.get(column).or_else(|| row.get(COLUMNS[column]));
    let word = |column: usize| value(column)?.as_str().map(str::to_owned);
    let time = value(5)?;
    Some(Row {
        key: word(0)?,
        position: value(1)?.as_u64()?,
        stream: word(2)?,
        payload: word(3)?,
        enqueued_at: time.get(0).or_else(|| time.get("__timestamp_micros_since_unix_epoch__"))?.as_u64()?,
        sent_as: word(6)?,
    })
}

/// The outbox as it is known, by position.
#[derive(Debug, Default)]
pub struct Outbox {
    rows: BTreeMap<u64, Row>,
}

impl Outbox {
    pub fn apply(&mut self, message: Message) {
        let (gone, come) = match message {
            Message::All(rows) => {
                self.rows.clear();
                (Vec::new(), rows)
            }
            Message::Changed { gone, come } => (gone, come),
            Message::Refused(_) | Message::Other => return,
        };
        for row in gone {
            self.rows.remove(&row.position);
        }
        self.rows.extend(come.into_iter().map(|row| (row.position, row)));
    }

    /// The rows that are not marked as sent, in their order.
    pub fn waiting(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.values().filter(|row| row.sent_as.is_empty())
    }

    pub fn last(&self) -> u64 {
        self.rows.keys().next_back().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
