//! Defects of seqs and of the rows of events.

use spacetimedb::{Table, TimeDuration, Timestamp};

use super::{Armed, first_seen, is_remembered, replace, text};
use crate::event::db::{NewEvent, SyncEvent, sync_event};
use crate::stream::db::{SyncStream, sync_stream};

pub fn event(armed: &Armed, stream_id: &str, seq: u64) -> Option<SyncEvent> {
    armed.ctx.db.sync_event().by_stream_and_seq().filter((stream_id, seq)).next()
}

fn remove(armed: &Armed, stream_id: &str, seq: u64) {
    armed.ctx.db.sync_event().by_stream_and_seq().delete((stream_id, seq));
}

fn clone_of(event: &SyncEvent) -> SyncEvent {
    SyncEvent {
        stream_id: event.stream_id.clone(),
        idempotency_key: event.idempotency_key.clone(),
        payload_hash: event.payload_hash.clone(),
        payload: event.payload.clone(),
        ..*event
    }
}

/// Replaces an event's row by a changed one.
pub fn rewrite(armed: &Armed, stream_id: &str, seq: u64, change: impl FnOnce(&mut SyncEvent)) {
    if let Some(mut row) = event(armed, stream_id, seq) {
        change(&mut row);
        remove(armed, stream_id, seq);
        armed.ctx.db.sync_event().insert(row);
    }
}

/// Changes the head from which the next seq follows, and brings what was held back.
pub fn before(armed: &Armed, stream_id: &str) {
    let Some(mut row) = armed.stream(stream_id) else {
        return;
    };
    let (oldest, head) = (row.oldest_seq, row.head_seq);
    let is_first_since_start = !is_remembered(format!("stream {stream_id}")) && head > 0;
    if armed.has("seq-counted-as-u8") && head == 255 {
        row.head_seq = 0;
    }
    if armed.has("seq-skipped-after-200") && head == 200 {
        row.head_seq += 1;
    }
    if armed.has("seq-begins-again-when-empty") && head > 0 && oldest > head {
        (row.oldest_seq, row.head_seq) = (1, 0);
    }
    if armed.has("seq-reused-after-restart") && is_first_since_start {
        row.head_seq -= 1;
    }
    if armed.has("head-row-lags-at-256") && head % 256 == 255 && event(armed, stream_id, head + 1).is_some() {
        row.head_seq += 1;
    }
    if (row.oldest_seq, row.head_seq) != (oldest, head) {
        armed.ctx.db.sync_stream().stream_id().update(row);
    }
    if let Some(held) = armed.note(&format!("held {stream_id}")).filter(|held| !held.is_empty()) {
        armed.keep(&format!("held {stream_id}"), String::new());
        if let Some(event) = unpacked(armed, stream_id, &held) {
            armed.ctx.db.sync_event().insert(event);
        }
    }
}

/// Keeps an event as text: seq, key, hash, payload.
fn packed(event: &SyncEvent) -> String {
    [&event.seq.to_string(), &event.idempotency_key, &event.payload_hash, &event.payload].map(String::as_str).join("\n")
}

fn unpacked(armed: &Armed, stream_id: &str, text: &str) -> Option<SyncEvent> {
    let mut parts = text.splitn(4, '\n');
    let mut next = || parts.next().map(str::to_owned);
    Some(SyncEvent {
        stream_id: stream_id.to_owned(),
        seq: next()?.parse().ok()?,
        idempotency_key: next()?,
        payload_hash: next()?,
        payload: next()?,
        committed_at: armed.ctx.timestamp,
        confirmed_read: true,
    })
}

/// What follows an event that was written.
pub fn written(armed: &Armed, asked: &NewEvent, row: &SyncStream) {
    let (id, seq) = (asked.stream_id.as_str(), row.head_seq);
    let events = armed.ctx.db.sync_event();
    let Some(new) = event(armed, id, seq) else {
        return;
    };
    // Loss.
    let idle = replace(format!("appended {id}"), armed.now() as u64).map(|last| armed.now() as u64 - last);
    let is_first_since_start = !is_remembered(format!("written {id}")) && seq > 1;
    let others = armed.ctx.db.sync_stream().iter().filter(|other| other.stream_id.as_str() < id).count();
    let lost = (armed.has("event-lost-at-201") && seq == 201)
        || (armed.has("event-lost-after-idle") && idle.is_some_and(|idle| idle > 1_500_000))
        || (armed.has("event-lost-after-restart") && is_first_since_start)
        || (armed.has("event-lost-of-third-stream") && others == 2 && seq % 8 == 0)
        || (armed.has("event-lost-when-interleaved") && is_interleaved(armed, id))
        || (armed.has("event-lost-of-64-kib") && asked.payload.len() >= 65_536);
    if lost {
        remove(armed, id, seq);
        return;
    }
    if armed.has("event-held-at-100") && seq % 100 == 0 {
        armed.keep(&format!("held {id}"), packed(&new));
        remove(armed, id, seq);
        return;
    }
    if armed.has("old-event-lost-at-150") && seq == 150 {
        remove(armed, id, 75);
    }
    if armed.has("events-expire-after-4s") {
        expire(armed, id, row.oldest_seq);
    }
    // Copies.
    let later = |event: &SyncEvent, micros| event.committed_at + TimeDuration::from_micros(micros);
    if armed.has("event-copied-to-another-stream") && seq % 60 == 0 {
        let other = armed.ctx.db.sync_stream().iter().find(|other| other.stream_id != id && other.head_seq > 0);
        if let Some(other) = other {
            events.insert(SyncEvent { stream_id: other.stream_id, seq: other.head_seq + 1, ..clone_of(&new) });
        }
    }
    if armed.has("event-before-rewritten-at-64") && seq % 64 == 0 {
        rewrite(armed, id, seq - 1, |event| event.committed_at = armed.ctx.timestamp);
    }
    if armed.has("payloads-exchanged-at-128")
        && seq % 128 == 0
        && let Some(before) = event(armed, id, seq - 1)
    {
        rewrite(armed, id, seq - 1, |event| (event.payload, event.payload_hash) = content(&new));
        rewrite(armed, id, seq, |event| (event.payload, event.payload_hash) = content(&before));
    }
    // Columns.
    rewrite_columns(armed, asked, &new);
    if armed.has("two-rows-at-200") && seq == 200 {
        events.insert(SyncEvent { committed_at: later(&new, 1), ..clone_of(&new) });
    }
    if armed.has("head-row-lags-at-256")
        && seq % 256 == 0
        && let Some(mut row) = armed.stream(id)
    {
        row.head_seq -= 1;
        armed.ctx.db.sync_stream().stream_id().update(row);
    }
}

fn content(event: &SyncEvent) -> (String, String) {
    (event.payload.clone(), event.payload_hash.clone())
}

fn rewrite_columns(armed: &Armed, asked: &NewEvent, new: &SyncEvent) {
    let (id, seq) = (asked.stream_id.as_str(), new.seq);
    let mut changed = clone_of(new);
    let before = event(armed, id, seq.saturating_sub(1));
    if armed.has("commit-time-stands-after-100")
        && seq > 100
        && let Some(before) = &before
    {
        changed.committed_at = before.committed_at;
    }
    if armed.has("commit-time-in-seconds") {
        let seconds = armed.now() / 1_000_000;
        changed.committed_at = Timestamp::from_micros_since_unix_epoch(seconds);
    }
    if armed.has("commit-time-of-an-hour-ago-at-64") && seq % 64 == 0 {
        changed.committed_at = Timestamp::from_micros_since_unix_epoch(armed.now() - 3_600_000_000);
    }
    if armed.has("unconfirmed-after-100") && seq > 100 {
        changed.confirmed_read = false;
    }
    if armed.has("row-key-cut-at-64") {
        changed.idempotency_key = text::cut(&asked.idempotency_key, 64).to_owned();
    }
    if armed.has("row-key-of-the-event-before-at-64")
        && seq % 64 == 0
        && let Some(before) = &before
    {
        changed.idempotency_key = before.idempotency_key.clone();
    }
    if armed.has("row-key-in-lower-case") {
        changed.idempotency_key = asked.idempotency_key.to_lowercase();
    }
    if armed.has("hash-of-the-event-before-at-128")
        && seq % 128 == 0
        && let Some(before) = &before
    {
        changed.payload_hash = before.payload_hash.clone();
    }
    if armed.has("payload-cached-by-length")
        && let Some(before) = &before
        && before.payload.len() == new.payload.len()
    {
        (changed.payload, changed.payload_hash) = content(before);
    }
    if armed.has("hash-over-text") {
        changed.payload_hash = text::plain_hash(&asked.payload);
    }
    if armed.has("hash-over-text-beyond-4096") && asked.payload.len() > 4096 {
        changed.payload_hash = text::plain_hash(&asked.payload);
    }
    if armed.has("hash-in-upper-case-after-64") && seq > 64 {
        changed.payload_hash = format!("sha256:{}", new.payload_hash[7..].to_uppercase());
    }
    rewrite(armed, id, seq, |event| *event = changed);
}

/// Whether the last four events came to two streams in turn.
fn is_interleaved(armed: &Armed, stream_id: &str) -> bool {
    let last = armed.note("last streams").unwrap_or_default();
    let mut last: Vec<&str> = last.split('\n').collect();
    last.push(stream_id);
    let from = last.len().saturating_sub(6);
    armed.keep("last streams", last[from..].join("\n"));
    match last[from..] {
        [a, b, c, d, e, f] => a == c && c == e && b == d && d == f && a != b,
        _ => false,
    }
}

/// Removes the oldest event, where it is older than four seconds. The stream's row stays.
fn expire(armed: &Armed, stream_id: &str, oldest_seq: u64) {
    let expired = first_seen(format!("expired {stream_id}"), oldest_seq).max(oldest_seq);
    if let Some(old) = event(armed, stream_id, expired)
        && armed.now() - old.committed_at.to_micros_since_unix_epoch() > 4_000_000
    {
        remove(armed, stream_id, expired);
        replace(format!("expired {stream_id}"), expired + 1);
    }
}
