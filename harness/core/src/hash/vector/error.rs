//! What can be wrong with a vector file, in words that say what to do.
#![allow(missing_docs, reason = "the names say it")]

use std::{fmt, io};

use super::file::{MAX_LINE_BYTES, SCHEMA};
use crate::hash::canonical::CanonicalError;
use crate::hash::payload::PayloadHash;
use crate::text::visible;

#[derive(Debug)]
pub struct VectorError {
    pub file: String,
    /// The line; the first is 1.
    pub line: u64,
    pub kind: VectorErrorKind,
}

#[derive(Debug)]
#[non_exhaustive]
pub enum VectorErrorKind {
    Read(io::Error),
    NoHeader,
    Schema(String),
    BadLine { problem: String, column: usize },
    Truncated { promised: Option<u64>, found: u64 },
    Surplus { promised: u64 },
    Unsorted,
    Repeated,
    TooLong,
    Payload(Box<CanonicalError>),
    Misstated { actual: PayloadHash },
}

impl fmt::Display for VectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: ", self.file, self.line)?;
        match &self.kind {
            VectorErrorKind::Read(error) => write!(f, "cannot be read: {error}"),
            VectorErrorKind::NoHeader => {
                write!(f, "this is no vector file; its first line should be a header like {{\"schema\":\"{SCHEMA}\"}}")
            }
            VectorErrorKind::Schema(found) => write!(
                f,
                "the file's schema is {found:?}, but this version reads {SCHEMA:?}; use the version that wrote it, \
                 or write it again"
            ),
            VectorErrorKind::BadLine { problem, column } => write!(
                f,
                "column {column}: {}; a line is {{\"client\":..,\"stream\":..,\"seq\":..,\"hash\":\"sha256:..\"}}, \
                 with \"payload\" if it is kept",
                visible(problem)
            ),
            VectorErrorKind::Truncated { promised: Some(promised), found } => write!(
                f,
                "the file ends after {found} of {promised} entries; copy it again, or correct \"entries\" in its header"
            ),
            VectorErrorKind::Truncated { promised: None, found } => {
                write!(f, "the file ends within a line, after {found} entries; copy it again, or remove that line")
            }
            VectorErrorKind::Surplus { promised } => write!(
                f,
                "there are more than the {promised} entries that the header promises; correct \"entries\" in it, \
                 or remove it"
            ),
            VectorErrorKind::Unsorted => write!(
                f,
                "the event belongs before the one above it; sort the events by stream, client and seq, names as bytes"
            ),
            VectorErrorKind::Repeated => {
                write!(f, "the event is there twice; keep one line for each stream, client and seq")
            }
            VectorErrorKind::TooLong => write!(f, "the line is longer than {MAX_LINE_BYTES} bytes; leave payloads out"),
            VectorErrorKind::Payload(error) => write!(f, "the payload has no canonical form: {error}"),
            VectorErrorKind::Misstated { actual } => {
                write!(f, "the payload hashes to {actual}, not to what the line says; one of the two was edited")
            }
        }
    }
}

impl std::error::Error for VectorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            VectorErrorKind::Read(error) => Some(error),
            VectorErrorKind::Payload(error) => Some(error),
            _ => None,
        }
    }
}
