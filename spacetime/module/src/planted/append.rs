//! An append with armed defects around it.

use spacetimedb::Table;

use super::{Armed, Around, keys, payload, policy, reducers, replace, rows, text};
use crate::event::checked_hash;
use crate::event::db::NewEvent;
use crate::refusal::{Refusal, Rule};
use crate::stream::db::sync_stream;

impl Around for NewEvent {
    fn around(mut self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        mix_up(armed, &mut self.stream_id);
        remember_refusals(armed, &self)?;
        payload::change(armed, &mut self)?;
        expect(armed, &mut self)?;
        reducers::wait_for_the_outbox(armed)?;
        if keys::accepts(armed, &self)? {
            return Ok(());
        }
        keys::forget(armed, &self);
        keys::confuse(armed, &self);
        rows::before(armed, &self.stream_id);
        let retention = policy::before_append(armed, &self.stream_id);
        let before = armed.stream(&self.stream_id).map(|stream| (stream.oldest_seq, stream.head_seq));
        let (oldest_seq, head_seq) = before.unwrap_or((1, 0));
        let asked = NewEvent {
            stream_id: self.stream_id.clone(),
            idempotency_key: self.idempotency_key.clone(),
            payload: self.payload.clone(),
            given_hash: self.given_hash.clone(),
            expected_next_seq: self.expected_next_seq,
        };
        rule(armed.ctx, self)?;
        policy::restore(armed, &asked.stream_id, retention);
        let Some(stream) = armed.stream(&asked.stream_id) else {
            return Ok(());
        };
        if stream.head_seq > head_seq {
            keys::written(armed, &asked);
            rows::written(armed, &asked, &stream);
            policy::pruned(armed, stream, oldest_seq);
        } else {
            keys::repeated(armed, &asked, stream);
        }
        Ok(())
    }
}

/// Takes one stream for another whose id is nearly the same.
fn mix_up(armed: &Armed, stream_id: &mut String) {
    let folds: [(&str, fn(&str) -> String); 4] = [
        ("stream-ignores-case", |id| id.to_lowercase()),
        ("stream-mixes-dashes", |id| id.replace('_', "-")),
        ("stream-cut-at-64", |id| text::cut(id, 64).to_owned()),
        ("stream-composed", text::compose),
    ];
    for (_, fold) in folds.into_iter().filter(|(name, _)| armed.has(name)) {
        let alike = armed.ctx.db.sync_stream().iter().map(|stream| stream.stream_id);
        if let Some(first) = alike.filter(|id| fold(id) == fold(stream_id)).min() {
            *stream_id = first;
        }
    }
}

/// A refusal rolls back the rows, but not the memory.
fn remember_refusals(armed: &Armed, asked: &NewEvent) -> Result<(), Refusal> {
    let (burnt, taken) = (format!("burnt {}", asked.idempotency_key), format!("taken {}", asked.stream_id));
    let is_invalid = checked_hash(&asked.payload, &asked.given_hash).is_err();
    if armed.has("refused-key-is-burnt") && replace(burnt, is_invalid.into()) == Some(1) && !is_invalid {
        return Err(Refusal::IdempotencyConflict { seq: 0 });
    }
    if armed.has("refusal-takes-a-seq")
        && replace(taken, is_invalid.into()) == Some(1)
        && !is_invalid
        && let Some(mut row) = armed.stream(&asked.stream_id)
    {
        row.head_seq += 1;
        armed.ctx.db.sync_stream().stream_id().update(row);
    }
    Ok(())
}

/// The defects of the expected seq and of the given hash.
fn expect(armed: &Armed, asked: &mut NewEvent) -> Result<(), Refusal> {
    let actual = armed.stream(&asked.stream_id).map_or(0, |stream| stream.head_seq) + 1;
    if let Some(expected) = asked.expected_next_seq {
        if armed.has("expected-before-key") && expected != actual {
            return Err(Refusal::SequenceConflict { expected, actual });
        }
        let ignored = armed.has("expected-ignored")
            || (armed.has("stale-expected-accepted") && expected < actual)
            || (armed.has("expected-ignored-on-empty-streams") && actual == 1)
            || (armed.has("expected-compared-as-u8") && expected % 256 == actual % 256)
            || (armed.has("expected-ignored-after-restart") && !super::is_remembered("expected".to_owned()));
        if ignored {
            asked.expected_next_seq = None;
        } else if armed.has("expected-is-head") {
            asked.expected_next_seq = Some(expected + 1);
        }
    }
    if armed.has("given-hash-ignored") || (armed.has("given-hash-ignored-after-100") && actual > 100) {
        asked.given_hash.clear();
    }
    if armed.has("given-hash-compared-in-lower-case") {
        asked.given_hash = asked.given_hash.to_lowercase();
    }
    if armed.has("given-hash-compared-by-prefix") {
        let computed = checked_hash(&asked.payload, "")?;
        if text::cut(&asked.given_hash, 39) == text::cut(&computed, 39) {
            asked.given_hash.clear();
        }
    }
    Ok(())
}
