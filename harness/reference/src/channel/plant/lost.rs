//! Planted defects of what is sent at all, how often, and in which order.

use super::{Planted, Sending};
use crate::channel::batch::{Update, UpdateBatch};
use crate::defects::{Defect, Defects};

impl Planted {
    /// Forgets the replay before: the next batch is the first of a replay.
    pub(in crate::channel) fn begin_replay(&mut self) {
        (self.replayed, self.batches) = (0, 0);
    }

    pub(super) fn count(&mut self, whole: u64, batch: &UpdateBatch, is_live: bool) {
        if is_live {
            self.live += whole;
        } else {
            self.replayed += whole;
            self.batches += u64::from(!batch.replay_complete);
        }
        self.before = batch.updates.last().and_then(|update| update.hash);
    }

    pub(super) fn lose(&mut self, batch: &mut UpdateBatch, sending: Sending, defects: &Defects) {
        let (mut before, mut place) = (self.before, 0);
        batch.updates.retain(|update| {
            let is_lost = self.is_lost(update, place, before, sending, defects);
            (before, place) = (update.hash, place + 1);
            !is_lost
        });
    }

    fn is_lost(
        &self,
        update: &Update,
        place: u64,
        before: Option<[u8; 32]>,
        sending: Sending,
        defects: &Defects,
    ) -> bool {
        let Sending { is_live, is_v1, subscribes, .. } = sending;
        let bytes = update.payload.get().len();
        let lost = |defect, when: bool| when && defects.has(defect);
        lost(Defect::ReplayCut, !is_live && self.replayed + place >= 200)
            || lost(Defect::BatchBorderSkip, !is_live && self.batches > 0 && place == 0)
            || lost(Defect::Skip256Live, is_live && update.seq.is_multiple_of(256))
            || lost(Defect::Skip128Replay, !is_live && update.seq.is_multiple_of(128))
            || lost(Defect::SkipAfterReplay, is_live && self.live + place == 0 && self.batches > 0)
            || lost(Defect::SkipEqual, before.is_some() && update.hash == before)
            || lost(Defect::SkipLargeReplay, !is_live && bytes > 65_535)
            || lost(Defect::SkipNullLive, is_live && update.payload.get() == "null")
            || lost(Defect::SkipV1, is_v1 && update.seq == 10)
            || lost(Defect::DeadAfter300, is_live && self.live + place >= 300)
            || lost(Defect::DeadAfterResubscribe, is_live && subscribes > 1)
    }

    pub(super) fn reorder(&self, batch: &mut UpdateBatch, sending: Sending, defects: &Defects) {
        let is_replay = !sending.is_live;
        if defects.has(Defect::ReverseBatch) && is_replay && self.batches == 1 {
            batch.updates.reverse();
        }
        if defects.has(Defect::SwapResumed)
            && is_replay
            && sending.is_resumed
            && self.batches == 0
            && let [first, second, ..] = &mut batch.updates[..]
        {
            std::mem::swap(first, second);
        }
    }
}
