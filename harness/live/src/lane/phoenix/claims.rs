//! Compares what a batch and a frame claim about their events with those events.
//!
//! A client does not need them to follow a stream, so only a comparison shows that they are wrong. A missing claim is
//! not compared, because a lane may not have it.

use cutover_core::history::Contradiction;

use super::answers::missing;
use super::batch::Update;
use super::fields::Kind;
use super::object::RawObject;
use super::profile::PhoenixProfile;

/// The one version of a frame's schema.
const SCHEMA_VERSION: u64 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    topic: Option<String>,
    seq: Option<u64>,
    pub complete: Option<bool>,
    heads: Vec<(String, u64)>,
    /// What is wrong with its fields, of a service that has every field.
    broken: Vec<(Contradiction, String)>,
    every_field: bool,
}

impl Claims {
    pub fn of_batch(profile: &PhoenixProfile, channel: &str, batch: &str) -> Claims {
        let Ok(batch) = RawObject::parse(batch) else {
            return Claims::default();
        };
        let fields = &profile.fields;
        let heads = batch.get(&fields.head_watermarks).map(|text| profile.marks(channel, text)).unwrap_or_default();
        let wanted = [(fields.replay_complete.as_str(), Kind::Flag), (fields.head_watermarks.as_str(), Kind::List)];
        let every_field = profile.has_every_field();
        Claims {
            broken: if every_field { missing("a batch", &wanted, &batch) } else { Vec::new() },
            every_field,
            complete: batch.get(&fields.replay_complete).and_then(|word| word.parse().ok()),
            heads,
            ..Claims::default()
        }
    }

    pub fn of_frame(profile: &PhoenixProfile, frame: &str) -> Claims {
        let Ok(frame) = RawObject::parse(frame) else {
            return Claims::default();
        };
        let (fields, every_field) = (&profile.fields, profile.has_every_field());
        let topic = frame.text(&fields.topic);
        let seq = frame.get(&fields.seq).and_then(|text| profile.read_seq(text));
        let wanted = [
            (fields.topic.as_str(), Kind::Text),
            (fields.seq.as_str(), Kind::Number),
            (fields.schema_version.as_str(), Kind::Number),
        ];
        let mut broken = if every_field { missing("a frame", &wanted, &frame) } else { Vec::new() };
        let version = frame.number(&fields.schema_version).filter(|version| every_field && *version != SCHEMA_VERSION);
        broken.extend(version.map(|version| (Contradiction::SchemaVersion, format!("schema_version {version}"))));
        Claims { topic, seq, broken, ..Claims::default() }
    }

    /// The head that a batch names of a topic.
    pub fn head_of(&self, topic: &str) -> Option<u64> {
        self.heads.iter().find(|(named, _)| named == topic).map(|(_, head)| *head)
    }

    /// Each rule that the events break, with the other word.
    pub fn contradictions(&self, updates: &[&Update]) -> Vec<(Contradiction, String)> {
        let Some(last) = updates.iter().max_by_key(|update| update.seq) else {
            return Vec::new();
        };
        let mut broken = self.broken.clone();
        if let Some(topic) = self.topic.as_ref().filter(|topic| **topic != last.topic) {
            broken.push((Contradiction::FrameTopic, format!("topic {topic}")));
        }
        if let Some(seq) = self.seq.filter(|seq| *seq != last.seq) {
            broken.push((Contradiction::FrameSeq, format!("seq {seq}")));
        }
        let head = self.head_of(&last.topic);
        if let Some(head) = head.filter(|head| *head < last.seq) {
            broken.push((Contradiction::HeadBelowEvent, format!("head {head}")));
        }
        if !self.every_field {
            return broken;
        }
        let is_own = self.heads.len() == 1 && head.is_some();
        if !is_own {
            let heads: Vec<String> = self.heads.iter().map(|(topic, head)| format!("{topic} {head}")).collect();
            broken.push((Contradiction::HeadOfOther, format!("heads {}", heads.join(", "))));
        }
        match (self.complete, head) {
            (Some(true), Some(head)) if last.seq < head => {
                broken.push((Contradiction::CompleteTooSoon, format!("complete, head {head}")));
            }
            (Some(false), Some(head)) if last.seq >= head => {
                broken.push((Contradiction::CompleteTooLate, format!("not complete, head {head}")));
            }
            _ => {}
        }
        broken
    }
}

#[cfg(test)]
mod tests;
