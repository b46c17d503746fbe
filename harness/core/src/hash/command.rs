//! What `cutover hash` does: hashes a JSON document, or each document of JSON Lines.
#![allow(missing_docs, reason = "the names say it")]

use std::io::{self, BufRead, Read, Write};

use super::canonical::{CanonicalError, CanonicalErrorKind, Canonicalizer, MAX_INPUT_BYTES};
use super::lines::{Line, is_blank, read_line};

/// The largest document that is read, in bytes, so that no input can take all memory.
pub const MAX_DOCUMENT_BYTES: u64 = MAX_INPUT_BYTES as u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hashed {
    pub documents: u64,
    /// How many integers beyond ±(2^53 − 1) they held, whose digits were kept; the caller warns of them.
    pub unsafe_integers: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error("cannot read the input: {0}")]
    Read(#[source] io::Error),
    #[error("cannot write the result: {0}")]
    Write(#[source] io::Error),
    /// A document has no canonical form; line, column and offset are those of the whole input.
    #[error("{0}")]
    Document(#[source] CanonicalError),
    #[error("line {line}: the document that starts here is larger than {MAX_DOCUMENT_BYTES} bytes; split it")]
    TooLarge {
        /// Where it starts; the first line is 1.
        line: usize,
    },
}

#[derive(Debug, Clone, Copy)]
struct Start {
    line: usize,
    offset: usize,
}

/// Hashes what `input` holds, and writes a line `sha256:...` for each document; with `canonical`, a second line with
/// the document's canonical text (which has no line feed).
///
/// If the whole input is one JSON document, it is that; else each line that is not blank is a document. It is not read
/// twice for that: where the first line is a document, anything after it would be too much for a single document; where
/// it breaks off within one, the rest is read and the whole must be one; where it is wrong, so is the whole. JSON Lines
/// is streamed: of a bad line, the hashes of the lines before it have been written.
///
/// # Errors
/// See [`HashError`]. An input without a document is an error too.
pub fn hash_documents(input: &mut dyn BufRead, canonical: bool, out: &mut dyn Write) -> Result<Hashed, HashError> {
    let mut sink = Sink { canonicalizer: Canonicalizer::new(), canonical, out, hashed: Hashed::default() };
    let mut line = Vec::new();
    let mut start = Start { line: 1, offset: 0 };
    loop {
        match read_line(input, MAX_DOCUMENT_BYTES, &mut line).map_err(HashError::Read)? {
            Line::End => break,
            Line::TooLong => return Err(HashError::TooLarge { line: start.line }),
            Line::Whole | Line::Open => {}
        }
        let length = line.len() + 1;
        if !is_blank(&line) {
            match sink.document(&line, start) {
                Err(HashError::Document(error)) if sink.hashed.documents == 0 && is_cut_off(&error) => {
                    line.push(b'\n');
                    read_rest(input, &mut line, start)?;
                    sink.document(&line, start)?;
                    break;
                }
                result => result?,
            }
        }
        start = Start { line: start.line + 1, offset: start.offset + length };
    }
    if sink.hashed.documents == 0 {
        sink.document(b"", start)?;
    }
    sink.out.flush().map_err(HashError::Write)?;
    Ok(sink.hashed)
}

fn is_cut_off(error: &CanonicalError) -> bool {
    matches!(error.kind, CanonicalErrorKind::Truncated { .. })
}

/// Appends the rest of the input to `document`.
fn read_rest(input: &mut dyn BufRead, document: &mut Vec<u8>, start: Start) -> Result<(), HashError> {
    let room = MAX_DOCUMENT_BYTES.saturating_sub(document.len() as u64);
    let read = input.take(room + 1).read_to_end(document).map_err(HashError::Read)?;
    if read as u64 > room { Err(HashError::TooLarge { line: start.line }) } else { Ok(()) }
}

struct Sink<'a> {
    canonicalizer: Canonicalizer,
    canonical: bool,
    out: &'a mut dyn Write,
    hashed: Hashed,
}

impl Sink<'_> {
    fn document(&mut self, document: &[u8], start: Start) -> Result<(), HashError> {
        let (text, hash, noted) = self.canonicalizer.canonical_and_hash(document).map_err(|mut error| {
            error.line += start.line - 1;
            error.offset += start.offset;
            HashError::Document(error)
        })?;
        self.hashed.documents += 1;
        self.hashed.unsafe_integers += noted.unsafe_integers;
        writeln!(self.out, "{hash}").map_err(HashError::Write)?;
        if self.canonical {
            self.out.write_all(text).and_then(|()| self.out.write_all(b"\n")).map_err(HashError::Write)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
