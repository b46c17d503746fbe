//! Sends events: a replay batch by batch, then the live tail, two topics a tick.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::batch::{self, Update, UpdateBatch};
use super::plant::{self, Neighbour, Sending};
use super::queue::Overflow;
use super::{CHANNEL_TOPIC, Channel, End};
use crate::defects::{CRASH_AFTER, Defect};
use crate::outbox::Outbox;

#[derive(Debug)]
pub(super) struct Replay {
    reference: Value,
    topics: Vec<String>,
    at: usize,
    batch_size: u64,
    /// Whether the topic under way is begun.
    is_begun: bool,
}

impl Replay {
    pub(super) fn new(reference: Value, topics: Vec<String>, batch_size: u64) -> Self {
        Self { reference, topics, at: 0, batch_size, is_begun: false }
    }
}

impl Channel {
    /// Sends as much of a replay as there is room for, and returns it where more is left.
    pub(super) fn go_on(&mut self, mut replay: Replay, out: &mut Outbox) -> Option<Replay> {
        while let Some(topic) = replay.topics.get(replay.at) {
            if !out.has_room() {
                return Some(replay);
            }
            if !replay.is_begun {
                replay.is_begun = true;
                self.begin_replay(topic, replay.batch_size, out);
            }
            if self.send_next(topic, replay.batch_size, false, out).is_none_or(|is_complete| is_complete) {
                replay.at += 1;
                replay.is_begun = false;
            }
        }
        let defects = &self.shared.config.defects;
        let mut answer = json!({
            "subscription_id": self.subscription_id,
            "topics": replay.topics,
            "current_watermarks": self.watermarks_of(&replay.topics),
        });
        if defects.has(Defect::AnswerRotates)
            && let Some(watermarks) = answer["current_watermarks"].as_array_mut()
        {
            plant::rotate(watermarks);
        }
        if defects.has(Defect::SubscriptionChanges) && self.subscribes > 1 {
            answer["subscription_id"] = format!("{}-2", self.subscription_id).into();
        }
        out.reply(&self.instance, &replay.reference, CHANNEL_TOPIC, &Ok(answer));
        None
    }

    /// Moves new notices into the outbound queue and drains it while there is room. It overflows only where it is full
    /// and the client does not read.
    pub(super) fn send_live(&mut self, out: &mut Outbox) -> Option<End> {
        if self.shared.config.defects.has(Defect::SlowLoses) && !out.has_room() {
            self.lose_what_is_due();
        }
        let topics_per_tick = self.shared.config.limits.drain_topics_per_tick.max(1);
        loop {
            while !(self.queue.is_full() && out.has_room()) {
                let Some(topic) = self.mailbox.pop_dirty() else { break };
                if self.is_dead || !self.subscribed.contains(&topic) {
                    continue;
                }
                if let Err(overflow) = self.queue.push(topic.clone()) {
                    self.push_slow_consumer(&topic, overflow, out);
                    if overflow.is_last {
                        return Some(End::Error);
                    }
                }
            }
            for nth in 0..topics_per_tick {
                if !out.has_room() {
                    return None;
                }
                match self.queue.pop() {
                    Some(topic) => self.drain(topic, out),
                    None if nth == 0 => return None,
                    None => break,
                }
            }
            if self.live_events >= CRASH_AFTER && self.shared.config.defects.has(Defect::ChannelCrash) {
                return Some(End::Error);
            }
        }
    }

    fn drain(&mut self, topic: String, out: &mut Outbox) {
        let batch_size = self.shared.config.limits.replay_batch_size.max(1);
        let before = self.watermark(&topic);
        let is_complete = self.send_next(&topic, batch_size, true, out);
        self.live_events += self.watermark(&topic).saturating_sub(before);
        if is_complete == Some(false) {
            self.queue.requeue(topic);
        }
    }

    /// Where a defect is planted: leaves out all that was announced.
    fn lose_what_is_due(&mut self) {
        while let Some(topic) = self.mailbox.pop_dirty() {
            let head = self.shared.store.view().info(&topic).head_seq;
            if let Some(watermark) = self.watermarks.get_mut(&topic) {
                *watermark = head;
            }
        }
    }

    fn push_slow_consumer(&self, topic: &str, overflow: Overflow, out: &mut Outbox) {
        let limits = &self.shared.config.limits;
        let defects = &self.shared.config.defects;
        if overflow.is_last && defects.has(Defect::StrikeUntold) {
            return;
        }
        let topic = if defects.has(Defect::StrikeTopic) { "run:none:events" } else { topic };
        let queue_depth = if defects.has(Defect::StrikeDepth) { 0 } else { overflow.queue_depth };
        let error = json!({
            "code": "slow_consumer",
            "action": if overflow.is_last { "disconnect" } else { "throttle" },
            "topic": topic,
            "queue_depth": queue_depth,
            "queue_limit": limits.queue_topics,
            "reconnect_after_ms": limits.reconnect_after_ms,
        });
        self.push_error(topic, &error, out);
    }

    /// Sends the next batch of a topic. Returns whether it was the last one; `None` where there is no event.
    fn send_next(&mut self, topic: &str, batch_size: u64, is_live: bool, out: &mut Outbox) -> Option<bool> {
        let cursor = self.watermark(topic);
        let limit = usize::try_from(batch_size).unwrap_or(usize::MAX);
        let batch = self.shared.store.view().read_after(topic, cursor, limit);
        // A batch is also bounded in bytes, so that large payloads do not pile up for a client that reads slowly.
        let (max_bytes, mut bytes) = (self.shared.config.limits.out_high_water_bytes, 0);
        let events = batch.events.iter().take_while(|event| {
            let is_in = bytes == 0 || bytes + event.payload.get().len() <= max_bytes;
            bytes += event.payload.get().len().max(1);
            is_in
        });
        let events: Vec<_> = events.collect();
        let updates: Vec<_> = events.iter().map(|event| Update::of(event)).collect();
        let last = updates.last()?.seq;
        self.shared.metrics.sent(topic, batch.head.saturating_sub(last));
        if is_live {
            events.iter().for_each(|event| self.shared.metrics.fanned_out(event.since.elapsed()));
        }
        let is_complete = last >= batch.head;
        let batch = UpdateBatch { topic: topic.to_owned(), updates, head: batch.head, replay_complete: is_complete };
        self.watermarks.insert(topic.to_owned(), last);
        let neighbour = self.neighbour(topic);
        let shared = self.shared.clone();
        let defects = &shared.config.defects;
        let sending = Sending {
            is_live,
            is_v1: out.is_v1(),
            is_resumed: self.is_resumed,
            subscribes: self.subscribes,
            joins: shared.joins.load(Ordering::Relaxed),
        };
        let off = u64::from(defects.has(Defect::WrongFrameSeq));
        let version = if !is_live && defects.has(Defect::SchemaInReplay) { 2 } else { 1 };
        let planted = self.planted.entry(topic.to_owned()).or_default();
        for batch in planted.spoil(batch, sending, neighbour, defects) {
            let payload = batch.payload(defects);
            let framed = plant::frame_of(&batch, is_live, defects).payload(defects);
            let seq = batch.seq() + off;
            let frame = batch::frame_of_schema(&batch.topic, seq, batch::KIND_UPDATE_BATCH, &framed, version);
            for _ in 0..plant::copies(&batch, planted, sending, defects) {
                out.push(&self.instance, CHANNEL_TOPIC, "sync:update_batch", &payload);
                if plant::is_framed(planted, &batch, sending, defects) {
                    out.push(&self.instance, CHANNEL_TOPIC, "sync:frame", &frame);
                }
            }
        }
        Some(is_complete)
    }

    /// Where defects are planted: the next batch is the first of a replay, and the newest event may come before it.
    fn begin_replay(&mut self, topic: &str, batch_size: u64, out: &mut Outbox) {
        let shared = self.shared.clone();
        if shared.config.defects.is_empty() {
            return;
        }
        self.planted.entry(topic.to_owned()).or_default().begin_replay();
        let (cursor, head) = (self.watermark(topic), shared.store.view().info(topic).head_seq);
        if shared.config.defects.has(Defect::LiveFirst) && head.saturating_sub(cursor) > batch_size {
            self.watermarks.insert(topic.to_owned(), head - 1);
            self.send_next(topic, 1, true, out);
            self.watermarks.insert(topic.to_owned(), cursor);
        }
    }

    fn neighbour(&self, topic: &str) -> Option<Neighbour> {
        let other = self.subscribed.iter().find(|other| *other != topic)?;
        Some(Neighbour { topic: other.clone(), next_seq: self.watermark(other).saturating_add(1) })
    }
}
