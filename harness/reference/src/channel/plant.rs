//! Planted delivery defects: changes to a batch before it is sent.

mod fields;
mod lost;

use serde_json::value::RawValue;

use super::batch::{Update, UpdateBatch};
use crate::canonical::canonical_sha256;
use crate::defects::{DEFECT_SEQ, Defect, Defects};
use crate::plant;

pub(super) use fields::{copies, frame_of, heartbeat, is_framed, rotate};

/// How many bytes of a payload are tried before the whole payload is replaced.
const MAX_TRIED_BYTES: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Planted {
    held: Option<Update>,
    has_crossed: bool,
    has_phantom: bool,
    has_strange: bool,
    /// Events and whole batches that the replay under way has sent, and events that were sent live.
    replayed: u64,
    batches: u64,
    live: u64,
    /// The payload of the event that was sent last.
    before: Option<[u8; 32]>,
}

/// How a batch is sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sending {
    pub(super) is_live: bool,
    pub(super) is_v1: bool,
    /// Whether the subscribe named a cursor.
    pub(super) is_resumed: bool,
    pub(super) subscribes: u64,
    /// How many joins the server has had.
    pub(super) joins: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    pub(super) topic: String,
    pub(super) next_seq: u64,
}

impl Planted {
    /// The batches that are sent in place of `batch`: itself where nothing is planted.
    pub(super) fn spoil(
        &mut self,
        mut batch: UpdateBatch,
        sending: Sending,
        neighbour: Option<Neighbour>,
        defects: &Defects,
    ) -> Vec<UpdateBatch> {
        if defects.is_empty() {
            return vec![batch];
        }
        let is_live = sending.is_live;
        let whole = batch.updates.len() as u64;
        self.lose(&mut batch, sending, defects);
        self.reorder(&mut batch, sending, defects);
        self.change_fields(&mut batch, sending, neighbour.as_ref(), defects);
        self.count(whole, &batch, is_live);
        let fifth = batch.updates.iter().find(|update| update.seq == DEFECT_SEQ).cloned();
        let drops = defects.has(Defect::DropEvent) || (is_live && defects.has(Defect::SkipLive));
        batch.updates.retain(|update| {
            let is_stopped = defects.has(Defect::StopTail) && update.seq > DEFECT_SEQ;
            let is_dropped = drops && update.seq == DEFECT_SEQ;
            !is_stopped && !is_dropped
        });
        batch.updates.iter_mut().for_each(|update| spoil_update(update, is_live, defects));
        let mut out = if is_live && defects.has(Defect::SwapLive) { self.swap(batch) } else { vec![batch] };
        if let Some(fifth) = fifth {
            out.extend(self.extra(&fifth, &out, neighbour, defects));
        }
        out.retain(|batch| !batch.updates.is_empty());
        out
    }

    fn swap(&mut self, mut batch: UpdateBatch) -> Vec<UpdateBatch> {
        if let Some(at) = batch.updates.iter().position(|update| update.seq == DEFECT_SEQ) {
            self.held = Some(batch.updates.remove(at));
        }
        let Some(after) = batch.updates.iter().position(|update| update.seq > DEFECT_SEQ) else {
            return vec![batch];
        };
        let Some(held) = self.held.take() else {
            return vec![batch];
        };
        let rest = batch.updates.split_off(after + 1);
        let (mut late, mut last) = (batch.clone(), batch.clone());
        (late.updates, last.updates) = (vec![held], rest);
        vec![batch, late, last]
    }

    fn extra(
        &mut self,
        fifth: &Update,
        out: &[UpdateBatch],
        neighbour: Option<Neighbour>,
        defects: &Defects,
    ) -> Vec<UpdateBatch> {
        let mut extra = Vec::new();
        if defects.has(Defect::CrossStreams)
            && !self.has_crossed
            && let Some(Neighbour { topic, next_seq }) = neighbour
        {
            self.has_crossed = true;
            let updates = vec![Update { seq: next_seq, ..fifth.clone() }];
            extra.push(UpdateBatch { topic, updates, head: next_seq, replay_complete: true });
        }
        if defects.has(Defect::StrangeTopic) && !self.has_strange {
            self.has_strange = true;
            extra.push(UpdateBatch {
                topic: "run:of-another-tenant:events".to_owned(),
                updates: vec![fifth.clone()],
                head: fifth.seq,
                replay_complete: true,
            });
        }
        if defects.has(Defect::Phantom)
            && !self.has_phantom
            && let Some(last) = out.last()
        {
            self.has_phantom = true;
            let seq = last.head + 1;
            let mut phantom = Update { seq, key: "phantom".to_owned(), payload: fifth.payload.clone(), hash: None };
            replace_payload(&mut phantom, "{\"phantom\":true}".to_owned());
            let topic = last.topic.clone();
            extra.push(UpdateBatch { topic, updates: vec![phantom], head: seq, replay_complete: true });
        }
        extra
    }
}

fn spoil_update(update: &mut Update, is_live: bool, defects: &Defects) {
    if let Some(text) = plant::altered(update.payload.get(), defects) {
        replace_payload(update, text);
    }
    if defects.has(Defect::ChangeInReplay) && !is_live && update.seq.is_multiple_of(7) {
        replace_payload(update, "\"changed\"".to_owned());
    }
    if defects.has(Defect::DuplicateSeq) && update.seq == DEFECT_SEQ + 1 {
        update.seq = DEFECT_SEQ;
        return;
    }
    if update.seq != DEFECT_SEQ {
        return;
    }
    if defects.has(Defect::ChangePayload) {
        let changed = changed_by_one_byte(update.payload.get()).unwrap_or_else(|| "\"changed\"".to_owned());
        replace_payload(update, changed);
    }
    if defects.has(Defect::WrongHash) {
        let mut hash = update.hash.unwrap_or_default();
        hash[0] ^= 1;
        update.hash = Some(hash);
    }
}

fn replace_payload(update: &mut Update, text: String) {
    if let (Ok(hash), Ok(payload)) = (canonical_sha256(&text), RawValue::from_string(text)) {
        (update.payload, update.hash) = (payload, Some(hash));
    }
}

/// The first change of one letter or digit that leaves the payload JSON, and another value than before.
fn changed_by_one_byte(text: &str) -> Option<String> {
    let before = canonical_sha256(text).ok()?;
    let places = text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_alphanumeric());
    for (at, byte) in places.take(MAX_TRIED_BYTES) {
        let other = match byte {
            b'0' | b'a' | b'A' => byte + 1,
            _ => byte - 1,
        };
        let mut changed = text.as_bytes().to_vec();
        changed[at] = other;
        if let Ok(changed) = String::from_utf8(changed)
            && canonical_sha256(&changed).is_ok_and(|after| after != before)
        {
            return Some(changed);
        }
    }
    None
}

#[cfg(test)]
mod tests;
