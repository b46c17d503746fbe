//! Defects of idempotency keys.

use spacetimedb::Table;

use super::rows::{event, rewrite};
use super::{Armed, is_remembered, text};
use crate::event::checked_hash;
use crate::event::db::{NewEvent, SyncAppendKey, sync_append_key};
use crate::key::pair_key;
use crate::refusal::Refusal;
use crate::stream::db::{SyncStream, sync_stream};

/// What two keys have in common that a defect takes for one: of the stream, the key and the payload.
type Alias = fn(&NewEvent) -> String;

const ALIASES: [(&str, Alias); 10] = [
    ("key-ignores-case", |asked| pair_key(&asked.stream_id, &asked.idempotency_key.to_lowercase())),
    ("key-trimmed", |asked| pair_key(&asked.stream_id, asked.idempotency_key.trim())),
    ("key-cut-at-64", |asked| pair_key(&asked.stream_id, text::cut(&asked.idempotency_key, 64))),
    ("key-cut-at-255", |asked| pair_key(&asked.stream_id, text::cut(&asked.idempotency_key, 255))),
    ("key-composed", |asked| pair_key(&asked.stream_id, &text::compose(&asked.idempotency_key))),
    ("key-joined-to-stream", |asked| {
        let id = asked.stream_id.rsplit('.').nth(1).unwrap_or_default();
        format!("{id}{}", asked.idempotency_key)
    }),
    ("key-shared-by-streams", |asked| asked.idempotency_key.clone()),
    ("key-checksum", |asked| format!("{}:{}", asked.stream_id, text::checksum(&asked.idempotency_key))),
    ("one-key-per-payload-in-all-streams", |asked| checked_hash(&asked.payload, "").unwrap_or_default()),
    ("one-key-per-payload", |asked| {
        format!("{}:{}", asked.stream_id, checked_hash(&asked.payload, "").unwrap_or_default())
    }),
];

fn earlier(armed: &Armed, asked: &NewEvent) -> Option<SyncAppendKey> {
    let key = pair_key(&asked.stream_id, &asked.idempotency_key);
    armed.ctx.db.sync_append_key().append_key().find(key)
}

/// Whether a conflict is taken for a repeat; a refusal where a repeat is taken for a conflict.
pub fn accepts(armed: &Armed, asked: &NewEvent) -> Result<bool, Refusal> {
    let hash = checked_hash(&asked.payload, &asked.given_hash)?;
    let (Some(earlier), Some(stream)) = (earlier(armed, asked), armed.stream(&asked.stream_id)) else {
        return Ok(false);
    };
    let stored = event(armed, &asked.stream_id, earlier.seq).map(|event| event.payload);
    if earlier.payload_hash == hash {
        let respelled = stored.is_some_and(|stored| stored != asked.payload);
        let refused = (armed.has("repeat-compared-as-text") && respelled)
            || (armed.has("repeat-refused-after-pruning") && earlier.seq < stream.oldest_seq);
        return if refused { Err(Refusal::IdempotencyConflict { seq: earlier.seq }) } else { Ok(false) };
    }
    if armed.has("conflict-replaces-the-newest") && earlier.seq == stream.head_seq {
        rewrite(armed, &asked.stream_id, earlier.seq, |event| event.payload = asked.payload.clone());
        return Ok(true);
    }
    let alike = |name, same: fn(&str) -> String| {
        armed.has(name) && stored.as_ref().is_some_and(|stored| same(stored) == same(&asked.payload))
    };
    Ok((armed.has("conflict-accepted-after-pruning") && earlier.seq < stream.oldest_seq)
        || alike("conflict-accepted-of-same-length", |text| text.len().to_string())
        || alike("conflict-accepted-beyond-64-kib", |text| text::cut(text, 65_536).to_owned())
        || alike("conflict-accepted-of-another-type", |text| text.replace('"', ""))
        || alike("conflict-accepted-with-nulls", text::without_nulls)
        || (armed.has("conflict-accepted-after-100") && stream.head_seq >= earlier.seq + 100)
        || (armed.has("conflict-accepted-second-time") && is_remembered(format!("conflict {}", earlier.append_key)))
        || (armed.has("conflict-accepted-after-restart") && !is_remembered(format!("key {}", earlier.append_key))))
}

/// Forgets the key, so that a repeat is written again.
pub fn forget(armed: &Armed, asked: &NewEvent) {
    let (Some(earlier), Some(stream)) = (earlier(armed, asked), armed.stream(&asked.stream_id)) else {
        return;
    };
    let further = stream.head_seq.saturating_sub(earlier.seq);
    let age = event(armed, &asked.stream_id, earlier.seq)
        .map(|event| armed.now() - event.committed_at.to_micros_since_unix_epoch());
    let forgotten = (armed.has("key-window-of-64") && further >= 64)
        || (armed.has("key-window-of-500") && further >= 500)
        || (armed.has("key-window-of-2000") && further >= 2000)
        || (armed.has("key-forgotten-after-pruning") && earlier.seq < stream.oldest_seq)
        || (armed.has("key-forgotten-after-restart") && !is_remembered(format!("key {}", earlier.append_key)))
        || (armed.has("key-forgotten-after-4s") && age.is_some_and(|age| age > 4_000_000))
        || (armed.has("keys-dropped-by-second-prune") && earlier.seq < stream.oldest_seq && prunes(armed, asked) >= 2)
        || (armed.has("keys-dropped-by-policy-change")
            && armed.note(&format!("changed {}", asked.stream_id)).is_some())
        || (armed.has("key-known-late") && age.is_some_and(|age| age < 250_000))
        || (armed.has("third-repeat-is-written") && armed.count(&format!("key {}", earlier.append_key)) == 2);
    if forgotten {
        armed.ctx.db.sync_append_key().append_key().delete(earlier.append_key);
    }
}

fn prunes(armed: &Armed, asked: &NewEvent) -> u64 {
    armed.note(&format!("prunes {}", asked.stream_id)).and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Gives a new key the event of another key that a defect takes for it.
pub fn confuse(armed: &Armed, asked: &NewEvent) {
    if earlier(armed, asked).is_some() {
        return;
    }
    let keys = armed.ctx.db.sync_append_key();
    for (name, alias) in ALIASES.into_iter().filter(|(name, _)| armed.has(name)) {
        let other = armed.note(&format!("{name} {}", alias(asked))).and_then(|key| keys.append_key().find(key));
        if let Some(other) = other {
            let append_key = pair_key(&asked.stream_id, &asked.idempotency_key);
            keys.insert(SyncAppendKey { append_key, ..other });
            return;
        }
    }
}

/// What follows an event that was written.
pub fn written(armed: &Armed, asked: &NewEvent) {
    let append_key = pair_key(&asked.stream_id, &asked.idempotency_key);
    for (name, alias) in ALIASES.into_iter().filter(|(name, _)| armed.has(name)) {
        armed.keep(&format!("{name} {}", alias(asked)), append_key.clone());
    }
    is_remembered(format!("key {append_key}"));
}

/// What follows a repeat.
pub fn repeated(armed: &Armed, asked: &NewEvent, mut stream: SyncStream) {
    let Some(earlier) = earlier(armed, asked) else {
        return;
    };
    let (stream_id, seq) = (&asked.stream_id, earlier.seq);
    if armed.has("repeat-is-stamped-again") {
        rewrite(armed, stream_id, seq, |event| event.committed_at = armed.ctx.timestamp);
    }
    if armed.has("repeat-is-spelled-again") {
        rewrite(armed, stream_id, seq, |event| event.payload = asked.payload.clone());
    }
    if armed.has("repeat-marks-the-key") {
        rewrite(armed, stream_id, seq, |event| event.idempotency_key = format!("{}/", event.idempotency_key));
    }
    if armed.has("repeat-of-a-pruned-event-takes-a-seq") && seq < stream.oldest_seq {
        stream.head_seq += 1;
        armed.ctx.db.sync_stream().stream_id().update(stream);
    }
}
