//! Planted defects of fields, of frames, and of copies.

use serde_json::{Value, json};

use super::{Neighbour, Planted, Sending, replace_payload};
use crate::channel::batch::UpdateBatch;
use crate::defects::{Defect, Defects};

const LARGE: usize = 64 * 1024;
/// From this event on, some fields are wrong.
const LATER: u64 = 20;

impl Planted {
    pub(super) fn change_fields(
        &self,
        batch: &mut UpdateBatch,
        sending: Sending,
        neighbour: Option<&Neighbour>,
        defects: &Defects,
    ) {
        let is_replay = !sending.is_live;
        let is_first = self.batches == 0;
        if is_replay
            && ((defects.has(Defect::CompleteEarly) && is_first) || defects.has(Defect::NeverComplete) && !is_first)
        {
            batch.replay_complete = is_first;
        }
        if defects.has(Defect::HeadOfOther)
            && is_replay
            && let Some(other) = neighbour
        {
            batch.head = other.next_seq;
        }
        if defects.has(Defect::HeadBeyond) && sending.is_live && batch.seq() >= LATER {
            batch.head += 1;
        }
        if defects.has(Defect::DocKeyBefore) {
            let keys: Vec<_> = batch.updates.iter().map(|update| update.key.clone()).collect();
            for (update, key) in batch.updates.iter_mut().skip(1).zip(keys) {
                if update.seq >= LATER {
                    update.key = key;
                }
            }
        }
        for update in &mut batch.updates {
            let is_large = update.payload.get().len() > LARGE;
            if defects.has(Defect::DocKeyCut) {
                update.key = update.key.chars().take(64).collect();
            }
            if defects.has(Defect::SeqWraps) && update.seq > 255 {
                update.seq &= 0xff;
            }
            if defects.has(Defect::HashMissingLarge) && is_large {
                update.hash = None;
            }
            if defects.has(Defect::WrongHashLarge)
                && is_large
                && let Some(hash) = &mut update.hash
            {
                hash[0] ^= 1;
            }
        }
    }
}

/// How often a batch is sent.
pub(in crate::channel) fn copies(batch: &UpdateBatch, planted: &Planted, sending: Sending, defects: &Defects) -> u32 {
    let flood = |defect, when: bool| when && defects.has(defect);
    let is_sixtieth = batch.updates.iter().any(|update| update.seq.is_multiple_of(60));
    let is_second = !sending.is_live && planted.replayed > batch.updates.len() as u64;
    let many = flood(Defect::FloodLive, sending.is_live)
        || flood(Defect::Every60Again, is_sixtieth)
        || flood(Defect::FloodAfterJoins, sending.is_live && sending.joins > 3)
        || flood(Defect::BatchAgain, is_second);
    if many { 3 } else { 1 }
}

/// Whether a batch is sent a second time, as a frame.
pub(in crate::channel) fn is_framed(
    planted: &Planted,
    batch: &UpdateBatch,
    sending: Sending,
    defects: &Defects,
) -> bool {
    let is_second = !sending.is_live && planted.replayed > batch.updates.len() as u64;
    !(defects.has(Defect::FrameMissing) && is_second)
}

/// The batch that a frame carries.
pub(in crate::channel) fn frame_of(batch: &UpdateBatch, is_live: bool, defects: &Defects) -> UpdateBatch {
    let mut batch = batch.clone();
    for update in batch.updates.iter_mut().filter(|_| !is_live) {
        if defects.has(Defect::FrameWithoutHash) {
            update.hash = None;
        }
        if defects.has(Defect::FrameChanged) {
            replace_payload(update, "\"changed\"".to_owned());
        }
    }
    batch
}

pub(in crate::channel) fn heartbeat(watermarks: Value, defects: &Defects) -> Value {
    let Value::Array(mut all) = watermarks else { return watermarks };
    if defects.has(Defect::HeartbeatRotates) {
        rotate(&mut all);
    }
    if defects.has(Defect::HeartbeatOmits) && all.len() > 1 {
        all.pop();
    }
    for one in all.iter_mut().filter(|_| defects.has(Defect::HeartbeatBelow)) {
        if let Some(watermark) = one["watermark"].as_u64().filter(|watermark| *watermark >= LATER) {
            one["watermark"] = json!(watermark - 1);
        }
    }
    Value::Array(all)
}

/// Gives each topic the watermark of the next one.
pub(in crate::channel) fn rotate(all: &mut [Value]) {
    let watermarks: Vec<_> = all.iter().map(|one| one["watermark"].clone()).collect();
    for (one, watermark) in all.iter_mut().zip(watermarks.iter().cycle().skip(1)) {
        one["watermark"] = watermark.clone();
    }
}
