//! Rows of `sync_event` and `sync_stream`, read and written by the table's schema.
//!
//! A row's columns have no names on the wire, only an order: the schema is the module's, or, for recordings that were made
//! with another one, that one's.

use bytes::Bytes;
use spacetimedb_client_api_messages::websocket::common::{BsatnRowList, RowOffset, RowSizeHint};
use spacetimedb_lib::bsatn;
use spacetimedb_sats::{AlgebraicType, AlgebraicValue, ProductType, ProductValue};

/// The table of events.
pub const EVENT_TABLE: &str = "sync_event";
/// The table of streams.
pub const STREAM_TABLE: &str = "sync_stream";

/// A row that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a row of `{table}` that can't be read: {why}")]
pub struct RowError {
    /// The table.
    pub table: &'static str,
    /// What is wrong.
    pub why: String,
}

/// Which column of `sync_event` is where.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSchema {
    row: ProductType,
    names: Vec<&'static str>,
    stream_id: usize,
    seq: usize,
    payload_hash: usize,
    payload: usize,
}

/// An event's row.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    columns: ProductValue,
    /// The stream's id on the wire.
    pub stream_id: String,
    /// The seq.
    pub seq: u64,
    /// The declared hash.
    pub payload_hash: String,
    /// The payload's text.
    pub payload: String,
}

/// What a client needs of a stream's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRow {
    /// The stream's id on the wire.
    pub stream_id: String,
    /// Its newest event.
    pub head_seq: u64,
}

impl EventSchema {
    /// The schema of this project's module (`spacetime/module`, `db/tables.rs`).
    pub fn module() -> EventSchema {
        EventSchema::of(&[
            ("stream_id", AlgebraicType::String),
            ("seq", AlgebraicType::U64),
            ("idempotency_key", AlgebraicType::String),
            ("payload_hash", AlgebraicType::String),
            ("payload", AlgebraicType::String),
            // A timestamp is its microseconds on the wire.
            ("committed_at", AlgebraicType::I64),
            ("confirmed_read", AlgebraicType::Bool),
        ])
    }

    /// A schema with these columns in this order.
    pub fn of(columns: &[(&'static str, AlgebraicType)]) -> EventSchema {
        let at = |name: &str| columns.iter().position(|(column, _)| *column == name).unwrap_or(usize::MAX);
        EventSchema {
            names: columns.iter().map(|(name, _)| *name).collect(),
            row: ProductType::from_iter(columns.iter().map(|(_, kind)| kind.clone())),
            stream_id: at("stream_id"),
            seq: at("seq"),
            payload_hash: at("payload_hash"),
            payload: at("payload"),
        }
    }

    /// The columns in their order.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&'static str, AlgebraicType)> {
        let kinds = self.row.elements.iter().map(|element| element.algebraic_type.clone());
        self.names.iter().copied().zip(kinds)
    }

    /// Reads a row.
    ///
    /// # Errors
    /// Where it is not of this schema.
    pub fn read(&self, row: &[u8]) -> Result<EventRow, RowError> {
        let columns = read_product(EVENT_TABLE, &self.row, row)?;
        let text = |at: usize| match columns.elements.get(at) {
            Some(AlgebraicValue::String(text)) => Ok(text.to_string()),
            _ => Err(RowError { table: EVENT_TABLE, why: format!("column {at} is no text") }),
        };
        let seq = match columns.elements.get(self.seq) {
            Some(AlgebraicValue::U64(seq)) => *seq,
            _ => {
                return Err(RowError { table: EVENT_TABLE, why: "the seq is no number".to_owned() });
            }
        };
        let (stream_id, payload_hash, payload) = (text(self.stream_id)?, text(self.payload_hash)?, text(self.payload)?);
        Ok(EventRow { columns, stream_id, seq, payload_hash, payload })
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }

    /// A row with another value, given as JSON text, in a column. `None` where there is no such column, or the value is not
    /// of its type.
    pub fn with_column(&self, row: &EventRow, name: &str, value: &str) -> Option<EventRow> {
        let at = self.column(name)?;
        let mut columns = row.columns.clone();
        *columns.elements.get_mut(at)? = value_of(&self.row.elements.get(at)?.algebraic_type, value)?;
        self.read(&bsatn::to_vec(&columns).ok()?).ok()
    }

    /// Writes a row with its fields as they are now.
    ///
    /// # Errors
    /// None in practice: what was read can be written.
    pub fn write(&self, row: &EventRow) -> Result<Vec<u8>, RowError> {
        let mut columns = row.columns.clone();
        let fields = [
            (self.stream_id, AlgebraicValue::String(row.stream_id.as_str().into())),
            (self.seq, AlgebraicValue::U64(row.seq)),
            (self.payload_hash, AlgebraicValue::String(row.payload_hash.as_str().into())),
            (self.payload, AlgebraicValue::String(row.payload.as_str().into())),
        ];
        for (at, value) in fields {
            if let Some(column) = columns.elements.get_mut(at) {
                *column = value;
            }
        }
        bsatn::to_vec(&columns).map_err(|error| RowError { table: EVENT_TABLE, why: error.to_string() })
    }
}

/// A JSON value as a column's.
fn value_of(kind: &AlgebraicType, value: &str) -> Option<AlgebraicValue> {
    let value: serde_json::Value = serde_json::from_str(value).ok()?;
    let signed = || value.as_i64();
    let unsigned = || value.as_u64();
    Some(match kind {
        AlgebraicType::Bool => AlgebraicValue::Bool(value.as_bool()?),
        AlgebraicType::String => AlgebraicValue::String(value.as_str()?.into()),
        AlgebraicType::I8 => AlgebraicValue::I8(signed()?.try_into().ok()?),
        AlgebraicType::I16 => AlgebraicValue::I16(signed()?.try_into().ok()?),
        AlgebraicType::I32 => AlgebraicValue::I32(signed()?.try_into().ok()?),
        AlgebraicType::I64 => AlgebraicValue::I64(signed()?),
        AlgebraicType::U8 => AlgebraicValue::U8(unsigned()?.try_into().ok()?),
        AlgebraicType::U16 => AlgebraicValue::U16(unsigned()?.try_into().ok()?),
        AlgebraicType::U32 => AlgebraicValue::U32(unsigned()?.try_into().ok()?),
        AlgebraicType::U64 => AlgebraicValue::U64(unsigned()?),
        AlgebraicType::F32 => AlgebraicValue::F32((value.as_f64()? as f32).into()),
        AlgebraicType::F64 => AlgebraicValue::F64(value.as_f64()?.into()),
        _ => return None,
    })
}

/// The columns of the module's `sync_stream`.
pub(super) fn stream_columns() -> [(&'static str, AlgebraicType); 7] {
    [
        ("stream_id", AlgebraicType::String),
        ("class", AlgebraicType::String),
        ("owner_scope", AlgebraicType::String),
        ("oldest_seq", AlgebraicType::U64),
        ("head_seq", AlgebraicType::U64),
        ("replay_budget", AlgebraicType::U64),
        ("retention", AlgebraicType::U64),
    ]
}

impl StreamRow {
    /// Reads a row of the module's `sync_stream`.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(row: &[u8]) -> Result<StreamRow, RowError> {
        let schema = ProductType::from_iter(stream_columns().map(|(_, kind)| kind));
        let columns = read_product(STREAM_TABLE, &schema, row)?;
        match (columns.elements.first(), columns.elements.get(4)) {
            (Some(AlgebraicValue::String(stream_id)), Some(AlgebraicValue::U64(head_seq))) => {
                Ok(StreamRow { stream_id: stream_id.to_string(), head_seq: *head_seq })
            }
            _ => Err(RowError { table: STREAM_TABLE, why: "its columns are others".to_owned() }),
        }
    }
}

fn read_product(table: &'static str, schema: &ProductType, row: &[u8]) -> Result<ProductValue, RowError> {
    let mut rest = row;
    let columns = bsatn::decode(schema, &mut rest).map_err(|error| RowError { table, why: error.to_string() })?;
    if rest.is_empty() {
        return Ok(columns);
    }
    let why = format!("{} bytes are left over; is the database's module another one?", rest.len());
    Err(RowError { table, why })
}

/// The rows of a list. The list's own reader trusts its offsets and sizes; this one does not.
///
/// # Errors
/// Where offsets or sizes do not fit the bytes.
pub fn split(table: &'static str, list: &BsatnRowList) -> Result<Vec<Bytes>, RowError> {
    let (hint, data) = list.clone().into_inner();
    let broken = |why: &str| RowError { table, why: why.to_owned() };
    match hint {
        RowSizeHint::FixedSize(_) if data.is_empty() => Ok(Vec::new()),
        RowSizeHint::FixedSize(0) => Err(broken("its list says that rows have no bytes")),
        RowSizeHint::FixedSize(size) => {
            let size = usize::from(size);
            if data.len() % size != 0 {
                return Err(broken("its list is not a whole number of rows"));
            }
            Ok((0..data.len() / size).map(|index| data.slice(index * size..(index + 1) * size)).collect())
        }
        RowSizeHint::RowOffsets(offsets) => {
            let starts: Vec<usize> =
                offsets.iter().map(|offset| usize::try_from(*offset).unwrap_or(usize::MAX)).collect();
            let ends = starts.iter().skip(1).copied().chain([data.len()]);
            let ranges = starts.iter().copied().zip(ends);
            ranges
                .map(|(start, end)| {
                    let fits = start <= end && end <= data.len();
                    fits.then(|| data.slice(start..end))
                        .ok_or_else(|| broken("its list's offsets do not fit its bytes"))
                })
                .collect()
        }
    }
}

/// A list of these rows.
pub fn join(rows: &[Vec<u8>]) -> BsatnRowList {
    let mut offsets: Vec<RowOffset> = Vec::with_capacity(rows.len());
    let mut data = Vec::new();
    for row in rows {
        offsets.push(data.len() as u64);
        data.extend_from_slice(row);
    }
    BsatnRowList::new(RowSizeHint::RowOffsets(offsets.into()), data.into())
}

#[cfg(test)]
mod tests;
