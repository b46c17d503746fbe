//! History files: JSON Lines, the header first, then a record a line; and beside each, a file of times.
//!
//! Reading names the line of what it can't read, and says of a torn last line that it is torn: a file that was cut
//! short must not look like a shorter history.
#![allow(missing_docs, reason = "the names say it")]

use std::io::{self, Write};

use super::{HISTORY_SCHEMA, Header, History, Record};

/// The schema version in the first line of a times file.
pub const TIMES_SCHEMA: &str = "cutover.times/1";

/// The line of a record in its file, from 1. The header is line 1.
pub fn line_of(record: usize) -> u64 {
    record as u64 + 2
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct HistoryFileError {
    /// The line, from 1.
    pub line: usize,
    pub problem: HistoryFileProblem,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryFileProblem {
    #[error("the file is empty; a history starts with a header line")]
    Empty,
    #[error("this is no history header: {0}")]
    Header(String),
    #[error("the schema is `{0}`, but this tool reads `{HISTORY_SCHEMA}`")]
    Schema(String),
    #[error("this is no history record: {0}")]
    Record(String),
    /// The last line has no newline: the file was cut short.
    #[error("the last line is torn (it has no newline): the file was cut short")]
    Torn,
}

/// Writes a history.
///
/// # Errors
/// What the writer says.
pub fn write(history: &History, out: &mut dyn Write) -> io::Result<()> {
    write_line(&history.header, out)?;
    history.records.iter().try_for_each(|record| write_line(record, out))
}

pub fn to_bytes(history: &History) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128 * (history.records.len() + 1));
    // A vector takes every write, and a record has neither a map with keys that are no strings nor a failing field.
    let _ = write(history, &mut bytes);
    bytes
}

fn write_line<T: serde::Serialize>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Reads a history.
///
/// # Errors
/// The first line that is not what it should be.
pub fn read(bytes: &[u8]) -> Result<History, HistoryFileError> {
    let at = |line, problem| HistoryFileError { line, problem };
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').zip(1..);
    let (first, _) = lines.next().ok_or(at(1, HistoryFileProblem::Empty))?;
    let header = read_header(first).map_err(|problem| at(1, problem))?;
    let mut records = Vec::with_capacity(bytes.len() / 96);
    for (line, number) in lines {
        records.push(read_record(line).map_err(|problem| at(number, problem))?);
    }
    Ok(History { header, records })
}

fn read_header(line: &[u8]) -> Result<Header, HistoryFileProblem> {
    let header: Header =
        serde_json::from_slice(whole(line)?).map_err(|error| HistoryFileProblem::Header(what(&error)))?;
    if header.schema != HISTORY_SCHEMA {
        return Err(HistoryFileProblem::Schema(header.schema));
    }
    Ok(header)
}

fn read_record(line: &[u8]) -> Result<Record, HistoryFileProblem> {
    serde_json::from_slice(whole(line)?).map_err(|error| HistoryFileProblem::Record(what(&error)))
}

fn whole(line: &[u8]) -> Result<&[u8], HistoryFileProblem> {
    line.strip_suffix(b"\n").ok_or(HistoryFileProblem::Torn)
}

/// The parser's words with the column alone: its line is always 1, as lines are parsed one by one.
fn what(error: &serde_json::Error) -> String {
    error.to_string().replace("at line 1 column", "at column")
}

/// Writes when each record was recorded, in microseconds since the run's start: a header line, then a number a line.
/// Times are never digested and never judged.
///
/// # Errors
/// What the writer says.
pub fn write_times(times_us: &[u64], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(times_header().as_bytes())?;
    times_us.iter().try_for_each(|time| writeln!(out, "{time}"))
}

/// Reads what [`write_times`] wrote.
///
/// # Errors
/// The first line that is not what it should be.
pub fn read_times(bytes: &[u8]) -> Result<Vec<u64>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let number = |line: &str| {
        let number = line.strip_suffix('\n')?;
        number.parse().ok().filter(|read: &u64| read.to_string() == number)
    };
    let mut lines = text.split_inclusive('\n').zip(1..);
    if lines.next().is_none_or(|(line, _)| line != times_header()) {
        return Err(format!("line 1: this is no header of {TIMES_SCHEMA}"));
    }
    lines.map(|(line, at)| number(line).ok_or_else(|| format!("line {at}: this is no time"))).collect()
}

fn times_header() -> String {
    format!("{{\"schema\":\"{TIMES_SCHEMA}\",\"unit\":\"us since the run started\"}}\n")
}

#[cfg(test)]
mod tests;
