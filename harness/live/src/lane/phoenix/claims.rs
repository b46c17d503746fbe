//! Compares what a batch and a frame claim about their events with those events.
//!
//! A client does not need them to follow a stream, so only a comparison shows that they are wrong. A missing claim is
//! not compared, because a lane may not have it.

use cutover_core::history::Contradiction;

use super::batch::Update;
use super::object::RawObject;
use super::profile::PhoenixProfile;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    topic: Option<String>,
    seq: Option<u64>,
    pub complete: Option<bool>,
    heads: Vec<(String, u64)>,
}

impl Claims {
    pub fn of_batch(profile: &PhoenixProfile, batch: &str) -> Claims {
        let Ok(batch) = RawObject::parse(batch) else {
            return Claims::default();
        };
        let fields = &profile.fields;
        let head = |entry: &str| {
            let entry = RawObject::parse(entry).ok()?;
            Some((entry.text(&fields.topic)?, entry.number(&fields.watermark)?))
        };
        let heads = batch.list(&fields.head_watermarks).unwrap_or_default();
        Claims {
            complete: batch.get(&fields.replay_complete).and_then(|word| word.parse().ok()),
            heads: heads.iter().filter_map(|entry| head(entry.get())).collect(),
            ..Claims::default()
        }
    }

    pub fn of_frame(profile: &PhoenixProfile, frame: &str) -> Claims {
        let Ok(frame) = RawObject::parse(frame) else {
            return Claims::default();
        };
        Claims { topic: frame.text(&profile.fields.topic), seq: frame.number(&profile.fields.seq), ..Claims::default() }
    }

    /// Each rule that the events break, with the other word.
    pub fn contradictions(&self, updates: &[&Update]) -> Vec<(Contradiction, String)> {
        let Some(last) = updates.iter().max_by_key(|update| update.seq) else {
            return Vec::new();
        };
        let mut broken = Vec::new();
        if let Some(topic) = self.topic.as_ref().filter(|topic| **topic != last.topic) {
            broken.push((Contradiction::FrameTopic, format!("topic {topic}")));
        }
        if let Some(seq) = self.seq.filter(|seq| *seq != last.seq) {
            broken.push((Contradiction::FrameSeq, format!("seq {seq}")));
        }
        let head = self.heads.iter().find(|(topic, _)| *topic == last.topic);
        match head.map(|(_, head)| *head) {
            Some(head) if head < last.seq => broken.push((Contradiction::HeadBelowEvent, format!("head {head}"))),
            _ => {}
        }
        broken
    }
}

#[cfg(test)]
mod tests;
