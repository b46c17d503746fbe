//! Compares the rows of a database before and after a publish.
//!
//! Clients of a live database go on writing meanwhile. So a row that is new, or that has other values, is told and not
//! judged, except where the module's own rules say that it can't be: an event has one content, and a head only rises.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{Check, TableSurface};
use crate::hash::sha256;

/// A table with more rows than this is compared by its number of rows alone.
pub const MOST_ROWS: u64 = 20_000;

/// The rows of a table as they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableRows {
    /// `None` where they can't be counted.
    pub count: Option<u64>,
    /// The rows, each as a list of values; `None` where there are too many, or they can't be read.
    pub rows: Option<Vec<Value>>,
}

/// The tables whose rules the module's contract has, with their columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruled {
    /// The table of events, and the columns of stream and seq.
    pub events: (String, [String; 2]),
    /// The table of heads, and the columns of stream and head.
    pub heads: (String, [String; 2]),
}

/// What became of the rows of a table. Digests are over the rows in sorted order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableData {
    pub before: Option<u64>,
    pub after: Option<u64>,
    /// The digests before and after; `None` where the rows were not compared one by one.
    pub digests: Option<[String; 2]>,
    /// How many rows there are no longer, and how many there were not before.
    pub gone: u64,
    pub new: u64,
    /// Events that have another content than before, or heads that fell or are gone: the first of them, and their number.
    pub against_rule: Option<(String, u64)>,
    /// Whether its rows come and go with connections.
    pub of_clients: bool,
    /// Whether the new module has it.
    pub kept: bool,
}

/// Compares a table. `new` is the table of the new module, if it has one.
pub fn compare(
    name: &str,
    (old, new): (&TableSurface, Option<&TableSurface>),
    (before, after): (&TableRows, &TableRows),
    ruled: &Ruled,
) -> TableData {
    let of_clients = old.columns.iter().any(|column| column.starts_with("connection_id "));
    let data = TableData { before: before.count, after: after.count, of_clients, ..TableData::default() };
    let Some(new) = new else { return data };
    let data = TableData { kept: true, ..data };
    // A publish can only add columns at the end.
    let comparable = new.columns.starts_with(&old.columns);
    let (Some(was), Some(is)) = (before.rows.as_ref().filter(|_| comparable), after.rows.as_ref()) else {
        return data;
    };
    let width = old.columns.len();
    let (was, is) = (texts(was, width), texts(is, width));
    let digest = |rows: &BTreeMap<String, u64>| {
        sha256(rows.iter().map(|(row, times)| format!("{times} {row}\n")).collect::<String>().as_bytes())
    };
    let missing = |from: &BTreeMap<String, u64>, to: &BTreeMap<String, u64>| {
        from.iter().map(|(row, times)| times.saturating_sub(to.get(row).copied().unwrap_or(0))).sum()
    };
    let against_rule = against_rule(name, &old.columns, (&was, &is), ruled);
    TableData {
        digests: Some([digest(&was), digest(&is)]),
        gone: missing(&was, &is),
        new: missing(&is, &was),
        against_rule,
        ..data
    }
}

/// Each row as text, without the columns that are new, and how often it is there.
fn texts(rows: &[Value], width: usize) -> BTreeMap<String, u64> {
    let mut texts = BTreeMap::new();
    for row in rows {
        let values = row.as_array().map(|values| &values[..width.min(values.len())]);
        let text = values.map_or_else(|| row.to_string(), |values| Value::from(values.to_vec()).to_string());
        *texts.entry(text).or_insert(0) += 1;
    }
    texts
}

type Rows = BTreeMap<String, u64>;

fn against_rule(name: &str, columns: &[String], (was, is): (&Rows, &Rows), ruled: &Ruled) -> Option<(String, u64)> {
    let at = |column: &String| columns.iter().position(|of| of.split(' ').next() == Some(column));
    let both = |[stream, number]: &[String; 2]| Some((at(stream)?, at(number)?));
    let values = |row: &str| serde_json::from_str::<Vec<Value>>(row).unwrap_or_default();
    let cell = |row: &[Value], at: usize| row.get(at).map(Value::to_string).unwrap_or_default();
    let wrong: Vec<String> = if *name == ruled.events.0 {
        let (stream, seq) = both(&ruled.events.1)?;
        let key = |row: &str| {
            let row = values(row);
            (cell(&row, stream), cell(&row, seq))
        };
        let there: BTreeSet<_> = is.keys().filter(|row| !was.contains_key(*row)).map(|row| key(row)).collect();
        let gone = was.keys().filter(|row| !is.contains_key(*row)).map(|row| key(row));
        gone.filter(|key| there.contains(key)).map(|(stream, seq)| format!("seq {seq} of {stream}")).collect()
    } else if *name == ruled.heads.0 {
        let (stream, head) = both(&ruled.heads.1)?;
        let number = |row: &[Value]| row.get(head).and_then(Value::as_u64).unwrap_or(0);
        let heads = |rows: &Rows| -> BTreeMap<String, u64> {
            rows.keys().map(|row| values(row)).map(|row| (cell(&row, stream), number(&row))).collect()
        };
        let now = heads(is);
        let fell = heads(was).into_iter().filter(|(stream, was)| now.get(stream).is_none_or(|now| now < was));
        let now_at = |stream: &String| now.get(stream).map_or("gone".to_owned(), u64::to_string);
        fell.map(|(stream, was)| format!("the head of {stream} was {was} and is {}", now_at(&stream))).collect()
    } else {
        return None;
    };
    wrong.first().map(|first| (first.clone(), wrong.len() as u64))
}

/// Whether nothing was lost.
pub(super) fn check(tables: &BTreeMap<String, TableData>) -> Check {
    let name = "data";
    let mend = "restore the backup";
    let judged: Vec<(&String, &TableData)> =
        tables.iter().filter(|(_, table)| table.kept && !table.of_clients && table.before != Some(0)).collect();
    let lost: Vec<String> = judged.iter().filter_map(|(name, table)| loss(name, table)).collect();
    if !lost.is_empty() {
        return Check::failed(name, lost.join("; "), mend);
    }
    let unread: Vec<&str> = judged
        .iter()
        .filter(|(_, table)| table.before.is_none() || table.after.is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    if !unread.is_empty() {
        let saw = format!("the rows of {} can't be counted", unread.join(", "));
        return Check::unknown(name, saw, "deploy with a token that may read all tables");
    }
    let by_rows = judged.iter().filter(|(_, table)| table.digests.is_some()).count();
    let by_count = judged.iter().filter(|(_, table)| table.digests.is_none());
    let by_count: Vec<&str> = by_count.map(|(name, _)| name.as_str()).collect();
    let changed = judged.iter().filter(|(_, table)| table.gone + table.new > 0);
    let changed: Vec<String> = changed.map(|(name, table)| changes(name, table)).collect();
    let mut saw = format!("{by_rows} tables had rows, and each row is there");
    if !by_count.is_empty() {
        saw += &format!(
            "; by their number of rows alone, over {MOST_ROWS} or with other columns: {}",
            by_count.join(", ")
        );
    }
    if !changed.is_empty() {
        saw += &format!("; written meanwhile: {}", changed.join(", "));
    }
    Check::passed(name, saw)
}

fn changes(name: &str, table: &TableData) -> String {
    let changed = table.gone.min(table.new);
    format!("`{name}` {changed} changed and {} more", table.new - changed)
}

/// What a table lost, in words.
fn loss(name: &str, table: &TableData) -> Option<String> {
    if let Some((first, count)) = &table.against_rule {
        return Some(format!("`{name}`: {first}; {count} of the kind"));
    }
    let (before, after) = (table.before?, table.after?);
    match table.gone.saturating_sub(table.new).max(before.saturating_sub(after)) {
        0 => None,
        lost => Some(format!("`{name}` had {before} rows and has {after}: {lost} are gone")),
    }
}

#[cfg(test)]
mod tests;
