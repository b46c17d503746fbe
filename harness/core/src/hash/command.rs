//! What `cutover hash` does: hashes a JSON document, or each document of JSON Lines.

use std::io::{self, BufRead, Read, Write};

use super::canonical::{CanonicalError, CanonicalErrorKind, Canonicalizer, MAX_INPUT_BYTES};
use super::lines::{Line, is_blank, read_line};

/// The largest document that is read, in bytes, so that no input can take all memory.
pub const MAX_DOCUMENT_BYTES: u64 = MAX_INPUT_BYTES as u64;

/// What was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hashed {
    /// How many documents the input held.
    pub documents: u64,
    /// How many integers beyond ±(2^53 − 1) they held, whose digits were kept; the caller warns of them.
    pub unsafe_integers: u64,
}

/// Why an input could not be hashed to its end.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The input could not be read.
    #[error("cannot read the input: {0}")]
    Read(#[source] io::Error),
    /// The result could not be written.
    #[error("cannot write the result: {0}")]
    Write(#[source] io::Error),
    /// A document has no canonical form; line, column and offset are those of the whole input.
    #[error("{0}")]
    Document(#[source] CanonicalError),
    /// A document takes more than [`MAX_DOCUMENT_BYTES`].
    #[error("line {line}: the document that starts here is larger than {MAX_DOCUMENT_BYTES} bytes; split it")]
    TooLarge {
        /// Where it starts; the first line is 1.
        line: usize,
    },
}

/// Where a document starts in the input.
#[derive(Debug, Clone, Copy)]
struct Start {
    line: usize,
    offset: usize,
}

/// Hashes what `input` holds, and writes a line `sha256:...` for each document; with `canonical`, a second line with the
/// document's canonical text (which has no line feed).
///
/// If the whole input is one JSON document, it is that; else each line that is not blank is a document. It is not read
/// twice for that: where the first line is a document, anything after it would be too much for a single document; where it
/// breaks off within one, the rest is read and the whole must be one; where it is wrong, so is the whole. JSON Lines is
/// streamed: of a bad line, the hashes of the lines before it have been written.
///
/// # Errors
/// See [`HashError`]. An input without a document is an error too.
pub fn hash_documents(input: &mut dyn BufRead, canonical: bool, out: &mut dyn Write) -> Result<Hashed, HashError> {
    let mut sink = Sink {
        canonicalizer: Canonicalizer::new(),
        canonical,
        out,
        hashed: Hashed::default(),
    };
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
        start = Start {
            line: start.line + 1,
            offset: start.offset + length,
        };
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
    if read as u64 > room {
        Err(HashError::TooLarge { line: start.line })
    } else {
        Ok(())
    }
}

struct Sink<'a> {
    canonicalizer: Canonicalizer,
    canonical: bool,
    out: &'a mut dyn Write,
    hashed: Hashed,
}

impl Sink<'_> {
    fn document(&mut self, document: &[u8], start: Start) -> Result<(), HashError> {
        let (text, hash, told) = self.canonicalizer.canonical_and_hash(document).map_err(|mut error| {
            error.line += start.line - 1;
            error.offset += start.offset;
            HashError::Document(error)
        })?;
        self.hashed.documents += 1;
        self.hashed.unsafe_integers += told.unsafe_integers;
        writeln!(self.out, "{hash}").map_err(HashError::Write)?;
        if self.canonical {
            self.out
                .write_all(text)
                .and_then(|()| self.out.write_all(b"\n"))
                .map_err(HashError::Write)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn run(input: &str) -> (Result<Hashed, HashError>, Vec<String>) {
        let mut out = Vec::new();
        let result = hash_documents(&mut input.as_bytes(), true, &mut out);
        let lines = String::from_utf8(out).unwrap().lines().map(str::to_owned).collect();
        (result, lines)
    }

    fn check(input: &str, expected: &[&str]) {
        let (result, lines) = run(input);
        assert_eq!(result.unwrap().documents, expected.len() as u64, "{input:?}");
        let texts: Vec<_> = lines.iter().skip(1).step_by(2).collect();
        assert_eq!(texts, expected, "{input:?}");
        assert!(
            lines.iter().step_by(2).all(|line| line.starts_with("sha256:")),
            "{lines:?}"
        );
    }

    fn check_error(input: &str, message: &str, written: usize) {
        let (result, lines) = run(input);
        assert_eq!(
            result.unwrap_err().to_string().split(';').next(),
            Some(message),
            "{input:?}"
        );
        assert_eq!(lines.len(), 2 * written, "{input:?}");
    }

    #[test]
    fn one_document_is_one_whatever_lines_it_spans() {
        check(r#"{"b":1,"a":2}"#, &[r#"{"a":2,"b":1}"#]);
        check("\n\n{\n \"b\": 1,\r\n\"a\": [\n]}\n\n", &[r#"{"a":[],"b":1}"#]);
        check("7", &["7"]);
    }

    #[test]
    fn lines_are_documents_where_the_whole_is_none() {
        check("{\"a\":1}\n{\"b\":1}", &[r#"{"a":1}"#, r#"{"b":1}"#]);
        check("\r\n1\r\n \n\"x\"\n\n[ ]\n", &["1", "\"x\"", "[]"]);
    }

    #[test]
    fn a_bad_line_is_named_by_its_place_in_the_file() {
        check_error(
            "{}\n\n{\"a\":01}\n{}\n",
            "line 3, column 6 (byte 9, at /a): the number starts with a superfluous zero",
            1,
        );
        check_error(
            "{\n\"a\": 1,\n\"a\": 2}",
            "line 3, column 1 (byte 10): the object has the name \"a\" twice",
            0,
        );
        check_error(
            "\n[1,\n",
            "line 3, column 1 (byte 5, at /1): the input ends where a value should come",
            0,
        );
        check_error(
            "{}\n{\n}\n",
            "line 2, column 2 (byte 4): the input ends where a member name should come",
            1,
        );
        check_error(
            "{\n} {\n}\n",
            "line 2, column 3 (byte 4): there is more after the end of the document",
            0,
        );
        check_error(
            "\u{feff}{}\n{}\n",
            "line 1, column 1 (byte 0): the input starts with a byte order mark",
            0,
        );
    }

    #[test]
    fn an_input_without_a_document_is_an_error() {
        check_error("", "line 1, column 1 (byte 0): there is no JSON document", 0);
        check_error("\n \n", "line 3, column 1 (byte 3): there is no JSON document", 0);
    }

    #[test]
    fn unsafe_integers_of_all_lines_are_counted() {
        assert_eq!(
            run("9007199254740993\n[1,-9007199254740993]\n")
                .0
                .unwrap()
                .unsafe_integers,
            2
        );
    }
}
