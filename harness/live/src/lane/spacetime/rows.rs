//! Rows of events and streams, read and written by the columns that the server reports. A column is asked for by its
//! role: what this project's module calls it.

use std::sync::Arc;

use bytes::Bytes;
use spacetimedb_client_api_messages::websocket::common::{BsatnRowList, RowOffset, RowSizeHint};
use spacetimedb_lib::bsatn;
use spacetimedb_sats::serde::SerdeWrapper;
use spacetimedb_sats::{AlgebraicValue, ProductType, ProductValue, WithTypespace};

use super::schema::{Schema, columns, in_words};
use super::shape::ModuleShape;
pub use super::shape::{EVENT_TABLE, STREAM_TABLE};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a row of `{table}` that can't be read: {why}")]
pub struct RowError {
    table: &'static str,
    why: String,
}

#[derive(Debug, Clone)]
pub(super) struct Row {
    table: &'static str,
    columns: Arc<ProductType>,
    shape: Arc<ModuleShape>,
    values: ProductValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    pub stream_id: String,
    pub seq: u64,
    pub idempotency_key: String,
    /// In microseconds since 1970; `None` where it is no timestamp.
    pub committed_at: Option<i64>,
    pub confirmed_read: Option<bool>,
    pub payload_hash: String,
    pub payload: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRow {
    pub stream_id: String,
    pub head_seq: u64,
    /// `None` where the table has no such column.
    pub oldest_seq: Option<u64>,
}

impl Row {
    pub(super) fn read(schema: &Schema, table: &'static str, bytes: &[u8]) -> Result<Row, RowError> {
        let failed = |why: String| RowError { table, why };
        let columns = schema.columns(table).ok_or_else(|| failed("the module has no such table".to_owned()))?;
        let mut rest = bytes;
        let values = bsatn::decode(&**columns, &mut rest).map_err(|error| failed(error.to_string()))?;
        if rest.is_empty() {
            return Ok(Row { table, columns: Arc::clone(columns), shape: Arc::clone(schema.shape()), values });
        }
        Err(failed(format!("{} bytes are left over; is the database's module another one?", rest.len())))
    }

    pub(super) fn text(&self, column: &str) -> Result<String, RowError> {
        match &self.values.elements[self.at(column)?] {
            AlgebraicValue::String(text) => Ok(text.to_string()),
            _ => Err(self.mistyped(column, "String")),
        }
    }

    pub(super) fn number(&self, column: &str) -> Result<u64, RowError> {
        match &self.values.elements[self.at(column)?] {
            AlgebraicValue::U64(number) => Ok(*number),
            _ => Err(self.mistyped(column, "U64")),
        }
    }

    /// A timestamp, which the schema has as its number.
    fn time(&self, column: &str) -> Option<i64> {
        match &self.values.elements[self.at(column).ok()?] {
            AlgebraicValue::I64(micros) => Some(*micros),
            _ => None,
        }
    }

    fn flag(&self, column: &str) -> Option<bool> {
        match &self.values.elements[self.at(column).ok()?] {
            AlgebraicValue::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Gives a column another value, written as JSON. `None` where there is no such column, or it has another type.
    pub(super) fn set(&mut self, column: &str, json: &str) -> Option<()> {
        use serde::de::DeserializeSeed;
        let at = self.at(column).ok()?;
        let kind = SerdeWrapper::new(WithTypespace::empty(&self.columns.elements[at].algebraic_type));
        let mut json = serde_json::Deserializer::from_str(json);
        let value = kind.deserialize(&mut json).ok()?;
        json.end().ok()?;
        self.values.elements[at] = value;
        Some(())
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, RowError> {
        bsatn::to_vec(&self.values).map_err(|error| RowError { table: self.table, why: error.to_string() })
    }

    fn at(&self, role: &str) -> Result<usize, RowError> {
        let column = self.shape.column(self.table, role);
        self.columns.index_of_field_name(column).ok_or_else(|| RowError {
            table: self.table,
            why: format!("there is no column `{column}`; the columns are {}", columns(&self.columns)),
        })
    }

    fn mistyped(&self, column: &str, wanted: &str) -> RowError {
        let kind = self.at(column).map(|at| in_words(&self.columns.elements[at].algebraic_type)).unwrap_or_default();
        RowError { table: self.table, why: format!("the column `{column}` is a {kind}, not a {wanted}") }
    }
}

impl EventRow {
    pub(super) fn read(schema: &Schema, bytes: &[u8]) -> Result<EventRow, RowError> {
        let row = Row::read(schema, EVENT_TABLE, bytes)?;
        Ok(EventRow {
            stream_id: row.text("stream_id")?,
            seq: row.number("seq")?,
            idempotency_key: row.text("idempotency_key").unwrap_or_default(),
            committed_at: row.time("committed_at"),
            confirmed_read: row.flag("confirmed_read"),
            payload_hash: match schema.shape().events.payload_hash.as_str() {
                "" => String::new(),
                _ => row.text("payload_hash")?,
            },
            payload: row.text("payload")?,
        })
    }
}

impl StreamRow {
    pub(super) fn read(schema: &Schema, bytes: &[u8]) -> Result<StreamRow, RowError> {
        let row = Row::read(schema, STREAM_TABLE, bytes)?;
        Ok(StreamRow {
            stream_id: row.text("stream_id")?,
            head_seq: row.number("head_seq")?,
            oldest_seq: row.number("oldest_seq").ok(),
        })
    }
}

/// The rows of a list. The list's own reader trusts its offsets and sizes; this one checks them.
pub(super) fn split(table: &'static str, list: &BsatnRowList) -> Result<Vec<Bytes>, RowError> {
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

pub(super) fn join(rows: &[Vec<u8>]) -> BsatnRowList {
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
