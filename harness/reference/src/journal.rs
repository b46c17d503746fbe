//! The journal on disk: append-only, checksummed, synced before anything is acknowledged.
//!
//! The file starts with [`MAGIC`]. Each record is a header of 12 bytes (length of the body, CRC-32 of that length,
//! CRC-32 of the body, little endian) and a body of JSON. The length has a checksum of its own, so that a damaged
//! length in the middle cannot pass for a torn tail and take acknowledged records with it.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The first bytes of a journal; the digit is the format's version.
const MAGIC: &[u8] = b"cutover-journal-1\n";
const HEADER_BYTES: usize = 12;
/// A length above this is damage, not data.
const MAX_BODY_BYTES: usize = 256 * 1024 * 1024;
const LAGGING_RECORDS: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum JournalError {
    #[error("{} is not a journal of this version: it does not start with `cutover-journal-1`", path.display())]
    NotAJournal { path: PathBuf },
    #[error(
        "the journal {} is damaged at byte {offset}: {what}; restore it from a copy, or move the data directory away \
         to start empty",
        path.display()
    )]
    Corrupt { path: PathBuf, offset: u64, what: String },
    #[error("cannot {action} the journal {}: {source}", path.display())]
    Io { path: PathBuf, action: &'static str, source: io::Error },
}

#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
    pending: Vec<u8>,
    /// Records that the planted defect holds back; `None` without it.
    held: Option<VecDeque<Vec<u8>>>,
}

#[derive(Debug)]
pub(crate) struct Opened {
    pub journal: Journal,
    /// The bodies of all whole records, oldest first, each with its offset.
    pub records: Vec<(u64, Vec<u8>)>,
    pub torn_bytes: u64,
}

impl Journal {
    /// Opens or makes the journal, and cuts off a torn last record.
    pub(crate) fn open(path: &Path, ack_before_journal: bool) -> Result<Opened, JournalError> {
        let io = |action| move |source| JournalError::Io { path: path.to_owned(), action, source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(io("open"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io("read"))?;
        if bytes.len() < MAGIC.len() && MAGIC.starts_with(&bytes) {
            file.rewind().map_err(io("write"))?;
            file.write_all(MAGIC).map_err(io("write"))?;
            file.sync_all().map_err(io("sync"))?;
            if let Some(dir) = path.parent() {
                File::open(dir).and_then(|dir| dir.sync_all()).map_err(io("sync the directory of"))?;
            }
            bytes = MAGIC.to_vec();
        }
        if !bytes.starts_with(MAGIC) {
            return Err(JournalError::NotAJournal { path: path.to_owned() });
        }
        let (records, end) = scan(&bytes, path)?;
        let torn_bytes = (bytes.len() - end) as u64;
        if torn_bytes > 0 {
            file.set_len(end as u64).map_err(io("cut the torn tail of"))?;
            file.sync_all().map_err(io("sync"))?;
        }
        file.seek(SeekFrom::Start(end as u64)).map_err(io("seek in"))?;
        let held = ack_before_journal.then(VecDeque::new);
        Ok(Opened { journal: Self { file, path: path.to_owned(), pending: Vec::new(), held }, records, torn_bytes })
    }

    /// Takes a record to be written by the next [`commit`](Self::commit).
    pub(crate) fn append(&mut self, body: &[u8]) {
        let record = encode(body);
        match &mut self.held {
            None => self.pending.extend_from_slice(&record),
            Some(held) => {
                held.push_back(record);
                // The defect's memory is bounded too: beyond this many records the oldest are written after all.
                if held.len() > LAGGING_RECORDS {
                    self.pending.extend(held.pop_front().unwrap_or_default());
                }
            }
        }
    }

    /// Writes and syncs what was appended. After an error nothing may be acknowledged any more.
    pub(crate) fn commit(&mut self) -> Result<(), JournalError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let path = &self.path;
        let io = |action| move |source| JournalError::Io { path: path.clone(), action, source };
        self.file.write_all(&self.pending).map_err(io("append to"))?;
        self.file.sync_data().map_err(io("sync"))?;
        self.pending.clear();
        Ok(())
    }

    /// Writes what a planted defect held back, and syncs: the end of a clean stop.
    pub(crate) fn close(mut self) -> Result<(), JournalError> {
        for record in self.held.take().into_iter().flatten() {
            self.pending.extend_from_slice(&record);
        }
        self.commit()
    }
}

fn encode(body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_le_bytes();
    let mut record = Vec::with_capacity(HEADER_BYTES + body.len());
    record.extend_from_slice(&length);
    record.extend_from_slice(&crc32fast::hash(&length).to_le_bytes());
    record.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
    record.extend_from_slice(body);
    record
}

type Record = (u64, Vec<u8>);

fn scan(bytes: &[u8], path: &Path) -> Result<(Vec<Record>, usize), JournalError> {
    let corrupt = |offset: usize, what: &str| JournalError::Corrupt {
        path: path.to_owned(),
        offset: offset as u64,
        what: what.to_owned(),
    };
    let mut records = Vec::new();
    let mut at = MAGIC.len();
    while at < bytes.len() {
        let rest = &bytes[at..];
        // A crash of the machine can leave a tail of zeros, a crash of the process a prefix of a record.
        if rest.len() < HEADER_BYTES || rest.iter().all(|byte| *byte == 0) {
            break;
        }
        let word = |index: usize| u32::from_le_bytes([rest[index], rest[index + 1], rest[index + 2], rest[index + 3]]);
        let length = word(0) as usize;
        if crc32fast::hash(&rest[..4]) != word(4) || length > MAX_BODY_BYTES {
            return Err(corrupt(at, "the length of the record does not match its checksum"));
        }
        let Some(body) = rest.get(HEADER_BYTES..HEADER_BYTES + length) else {
            break;
        };
        let end = at + HEADER_BYTES + length;
        if crc32fast::hash(body) != word(8) {
            if end == bytes.len() {
                break;
            }
            return Err(corrupt(at, "the record does not match its checksum, and more records follow it"));
        }
        records.push((at as u64, body.to_vec()));
        at = end;
    }
    Ok((records, at))
}

#[cfg(test)]
mod tests;
