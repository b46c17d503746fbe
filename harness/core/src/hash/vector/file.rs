//! Vector files: JSON Lines, a header and then a line for each event, in order.
//!
//! ```text
//! {"schema":"cutover.vectors/1","entries":2}
//! {"client":"device-1","stream":"run:alpha:events","seq":1,"hash":"sha256:..."}
//! {"client":"device-1","stream":"run:alpha:events","seq":2,"hash":"sha256:...","payload":{"any":"json"}}
//! ```
//!
//! `entries` and `payload` may be left out. Events are in order of stream, client (both compared as bytes) and seq,
//! none twice. The reader keeps one line at a time, and refuses what is out of order, cut short, or has fields it does
//! not know, with the line's number and what to do.
#![allow(missing_docs, reason = "the names say it")]

use std::cmp::Ordering;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::{VectorError, VectorErrorKind};
use super::line::EventLine;
use super::{Entry, HashVector};
use crate::hash::canonical::Canonicalizer;
use crate::hash::lines::{Line, is_blank, read_line};
use crate::hash::payload::PayloadHash;
use crate::ids::{ClientId, Seq, StreamId};

pub const SCHEMA: &str = "cutover.vectors/1";

/// The longest line that is read, in bytes, so that no file can take all memory.
pub const MAX_LINE_BYTES: u64 = 256 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    schema: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entries: Option<u64>,
}

/// Writes a vector as a file.
///
/// # Errors
/// What `out` says; [`io::ErrorKind::InvalidData`] where an entry's payload is not JSON.
pub fn write_vector(vector: &HashVector, out: &mut dyn Write) -> io::Result<()> {
    let header = Header { schema: SCHEMA.into(), entries: Some(vector.len() as u64) };
    serde_json::to_writer(&mut *out, &header)?;
    out.write_all(b"\n")?;
    for (stream, client, seq, entry) in vector.iter() {
        let payload = entry.payload.as_deref().map(serde_json::from_str::<&RawValue>).transpose()?;
        let line = EventLine {
            client: client.as_str().into(),
            stream: stream.as_str().into(),
            seq: seq.0,
            hash: entry.hash,
            payload,
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    pub stream: &'a str,
    pub client: &'a str,
    pub seq: u64,
    pub hash: PayloadHash,
    pub payload: Option<&'a str>,
    pub line: u64,
}

impl Event<'_> {
    /// Compares by stream, client and seq, the order of vectors.
    pub fn compare_place(&self, other: &Event<'_>) -> Ordering {
        (self.stream, self.client, self.seq).cmp(&(other.stream, other.client, other.seq))
    }
}

#[derive(Debug, Default)]
struct Slot {
    stream: String,
    client: String,
    seq: u64,
    hash: Option<PayloadHash>,
    payload: Option<String>,
}

/// Reads a vector file event by event, keeping one line at a time.
#[derive(Debug)]
pub struct VectorReader<R> {
    file: String,
    input: R,
    line: Vec<u8>,
    number: u64,
    promised: Option<u64>,
    events: u64,
    current: Slot,
    previous: Slot,
    /// Buffers of payloads that are not needed for the moment.
    spare: Option<String>,
}

impl<R: BufRead> VectorReader<R> {
    /// Reads the header. `file` is what errors call the file.
    pub fn new(file: &str, input: R) -> Result<Self, VectorError> {
        let mut reader = Self {
            file: file.to_owned(),
            input,
            line: Vec::new(),
            number: 1,
            promised: None,
            events: 0,
            current: Slot::default(),
            previous: Slot::default(),
            spare: None,
        };
        let found = reader.read_line()?;
        #[derive(Deserialize)]
        struct AnySchema {
            schema: String,
        }
        match serde_json::from_slice::<AnySchema>(&reader.line) {
            Ok(header) if header.schema == SCHEMA => {}
            Ok(header) => return Err(reader.error(VectorErrorKind::Schema(header.schema))),
            Err(_) => return Err(reader.error(VectorErrorKind::NoHeader)),
        }
        let header: Result<Header<'_>, _> = serde_json::from_slice(&reader.line);
        let promised = header.map(|header| header.entries).map_err(|error| reader.bad_line(&error))?;
        reader.promised = promised;
        if found == Line::Open && promised.is_some_and(|promised| promised > 0) {
            return Err(reader.error(VectorErrorKind::Truncated { promised, found: 0 }));
        }
        Ok(reader)
    }

    /// Reads the next event. Returns whether there was one.
    pub fn advance(&mut self) -> Result<bool, VectorError> {
        self.number += 1;
        let found = self.read_line()?;
        if found == Line::End {
            return match self.promised {
                Some(promised) if self.events < promised => {
                    Err(self.error(VectorErrorKind::Truncated { promised: self.promised, found: self.events }))
                }
                _ => Ok(false),
            };
        }
        std::mem::swap(&mut self.current, &mut self.previous);
        self.parse_line(found)?;
        if self.events > 0 {
            let (previous, current) = (&self.previous, &self.current);
            let places = (&previous.stream, &previous.client, previous.seq);
            match places.cmp(&(&current.stream, &current.client, current.seq)) {
                Ordering::Less => {}
                Ordering::Equal => return Err(self.error(VectorErrorKind::Repeated)),
                Ordering::Greater => return Err(self.error(VectorErrorKind::Unsorted)),
            }
        }
        self.events += 1;
        match self.promised {
            Some(promised) if self.events > promised => Err(self.error(VectorErrorKind::Surplus { promised })),
            _ => Ok(true),
        }
    }

    /// The event that was read last; `None` before the first.
    pub fn event(&self) -> Option<Event<'_>> {
        let slot = &self.current;
        slot.hash.map(|hash| Event {
            stream: &slot.stream,
            client: &slot.client,
            seq: slot.seq,
            hash,
            payload: slot.payload.as_deref(),
            line: self.number,
        })
    }

    pub fn events(&self) -> u64 {
        self.events
    }

    pub fn error(&self, kind: VectorErrorKind) -> VectorError {
        VectorError { file: self.file.clone(), line: self.number, kind }
    }

    fn read_line(&mut self) -> Result<Line, VectorError> {
        match read_line(&mut self.input, MAX_LINE_BYTES, &mut self.line) {
            Ok(Line::TooLong) => Err(self.error(VectorErrorKind::TooLong)),
            Ok(found) => Ok(found),
            Err(error) => Err(self.error(VectorErrorKind::Read(error))),
        }
    }

    fn parse_line(&mut self, found: Line) -> Result<(), VectorError> {
        if is_blank(&self.line) {
            let problem = "the line is blank".to_owned();
            return Err(self.error(VectorErrorKind::BadLine { problem, column: 1 }));
        }
        let parsed: EventLine<'_> = match EventLine::parse(&self.line) {
            Ok(parsed) => parsed,
            Err(_) if found == Line::Open => {
                return Err(self.error(VectorErrorKind::Truncated { promised: self.promised, found: self.events }));
            }
            Err(error) => return Err(self.bad_line(&error)),
        };
        let slot = &mut self.current;
        slot.stream.clear();
        slot.stream.push_str(&parsed.stream);
        slot.client.clear();
        slot.client.push_str(&parsed.client);
        slot.seq = parsed.seq;
        slot.hash = Some(parsed.hash);
        if let Some(payload) = parsed.payload {
            let mut text = slot.payload.take().or_else(|| self.spare.take()).unwrap_or_default();
            text.clear();
            text.push_str(payload.get());
            slot.payload = Some(text);
        } else if let Some(text) = slot.payload.take() {
            self.spare = Some(text);
        }
        Ok(())
    }

    fn bad_line(&self, error: &serde_json::Error) -> VectorError {
        let text = error.to_string();
        // The line that serde_json counts is always the first; ours is the file's.
        let problem = text.split(" at line ").next().unwrap_or_default().to_owned();
        self.error(VectorErrorKind::BadLine { problem, column: error.column().max(1) })
    }
}

impl HashVector {
    /// Reads a vector file whole. `file` is what errors call it.
    ///
    /// # Errors
    /// As [`VectorReader`]; and where a payload does not hash to what its line says.
    pub fn read(file: &str, input: impl BufRead) -> Result<Self, VectorError> {
        let mut reader = VectorReader::new(file, input)?;
        let mut canonicalizer = Canonicalizer::new();
        let mut vector = HashVector::new();
        while reader.advance()? {
            let Some(event) = reader.event() else { break };
            let mut payload = None;
            if let Some(text) = event.payload {
                let (canonical, actual, _) = canonicalizer
                    .canonical_and_hash(text.as_bytes())
                    .map_err(|error| reader.error(VectorErrorKind::Payload(Box::new(error))))?;
                if actual != event.hash {
                    return Err(reader.error(VectorErrorKind::Misstated { actual }));
                }
                payload = Some(String::from_utf8_lossy(canonical).into());
            }
            let entry = Entry { hash: event.hash, payload };
            vector.insert(&StreamId::new(event.stream), &ClientId::new(event.client), Seq(event.seq), entry);
        }
        Ok(vector)
    }

    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        write_vector(self, out)
    }
}
