//! Hash vectors: what each client applied, as a payload hash per stream and seq.
//!
//! A [`HashVector`] is kept in order of stream, client and seq (names compared as bytes), written and read as JSON
//! Lines ([`mod@file`]), and compared by [`diff`](super::diff).
#![allow(missing_docs, reason = "the names say it")]

mod error;
pub mod file;
mod line;

pub use error::{VectorError, VectorErrorKind};
pub use file::{Event, MAX_LINE_BYTES, SCHEMA, VectorReader, write_vector};

use std::collections::BTreeMap;
use std::collections::btree_map;

use super::payload::PayloadHash;
use crate::ids::{ClientId, Seq, StreamId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub hash: PayloadHash,
    /// Its payload's canonical text, where it is kept, so that a divergence can be named down to the value.
    pub payload: Option<Box<str>>,
}

impl Entry {
    pub fn bare(hash: PayloadHash) -> Self {
        Self { hash, payload: None }
    }

    /// An entry that keeps a text, which is known to be canonical, and takes its hash.
    pub fn with_canonical(text: &str) -> Self {
        Self { hash: PayloadHash::of_canonical(text.as_bytes()), payload: Some(text.into()) }
    }
}

/// The payload hashes of what every client applied, in order of stream, client and seq.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HashVector {
    series: BTreeMap<StreamId, BTreeMap<ClientId, BTreeMap<Seq, Entry>>>,
    len: usize,
}

impl HashVector {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry. Returns whether it is new; an entry that is there stays.
    pub fn insert(&mut self, stream: &StreamId, client: &ClientId, seq: Seq, entry: Entry) -> bool {
        let btree_map::Entry::Vacant(place) = self.series_mut(stream, client).entry(seq) else {
            return false;
        };
        place.insert(entry);
        self.len += 1;
        true
    }

    /// The series of a client on a stream; the names are copied only where they are new.
    fn series_mut(&mut self, stream: &StreamId, client: &ClientId) -> &mut BTreeMap<Seq, Entry> {
        if !self.series.get(stream).is_some_and(|clients| clients.contains_key(client)) {
            self.series.entry(stream.clone()).or_default().insert(client.clone(), BTreeMap::new());
        }
        self.series.entry(stream.clone()).or_default().entry(client.clone()).or_default()
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get(&self, stream: &StreamId, client: &ClientId, seq: Seq) -> Option<&Entry> {
        self.series.get(stream)?.get(client)?.get(&seq)
    }

    /// What a client applied of a stream, in order of seq.
    pub fn series(&self, stream: &StreamId, client: &ClientId) -> impl Iterator<Item = (Seq, &Entry)> {
        let series = self.series.get(stream).and_then(|clients| clients.get(client));
        series.into_iter().flatten().map(|(seq, entry)| (*seq, entry))
    }

    /// All entries, in order of stream, client and seq.
    pub fn iter(&self) -> impl Iterator<Item = (&StreamId, &ClientId, Seq, &Entry)> {
        self.series.iter().flat_map(|(stream, clients)| {
            clients
                .iter()
                .flat_map(move |(client, series)| series.iter().map(move |(&seq, entry)| (stream, client, seq, entry)))
        })
    }
}
