//! The writer's state, by which it decides: heads, keys, policies and what is pruned.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use super::command::{Publish, Published, Refused};
use super::rate::RateWindow;
use super::record::Record;
use crate::config::Config;
use crate::defects::{DEFECT_SEQ, Defect};
use crate::plant;
use crate::topics::{Class, TopicPolicy};

#[derive(Clone, Debug)]
struct KeyUse {
    seq: u64,
    hash: [u8; 32],
    /// By which a payload under the same key is compared; the hash, unless a defect is planted.
    compared: [u8; 32],
    is_null: bool,
}

#[derive(Debug, Default)]
struct Topic {
    head: u64,
    oldest: u64,
    /// The hash of the newest event.
    newest: Option<[u8; 32]>,
    policy: TopicPolicy,
    /// A planted defect: whether a publish was acknowledged and not written.
    has_lost_one: bool,
}

pub(super) struct Model {
    config: Arc<Config>,
    topics: BTreeMap<String, Topic>,
    /// By topic and key.
    keys: HashMap<(String, String), KeyUse>,
    rates: HashMap<Class, RateWindow>,
}

pub(super) enum Decision {
    Write(Record, Published),
    Known(Published),
}

impl Model {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self { config, topics: BTreeMap::new(), keys: HashMap::new(), rates: HashMap::new() }
    }

    /// Decides on a publish. The state then holds its event as written.
    pub(super) fn decide(&mut self, publish: Publish, now: Instant) -> Result<Decision, Refused> {
        let config = self.config.clone();
        let defects = &config.defects;
        let topic = self.topics.entry(publish.topic.clone()).or_default();
        let is_null = publish.payload.get() == "null";
        let shown = |hash, is_null: bool| (!is_null).then_some(hash);
        let class = topic.policy.class_of(&publish.topic);
        let key = plant::key_of(&publish.topic, class.name(), &publish.key, defects);
        let compared = plant::compared_hash(publish.payload.get(), publish.hash, defects);
        if let Some(used) = self.keys.get(&key)
            && plant::is_remembered(used.seq, topic.head, topic.oldest, defects)
        {
            if used.compared != compared && !plant::tolerated(used.seq, topic.oldest, defects) {
                if defects.has(Defect::RefusalTakesSeq) {
                    topic.head += 1;
                }
                if defects.has(Defect::PrunedCode) && used.seq < topic.oldest {
                    return Err(Refused::SequenceConflict { expected: used.seq, actual: topic.head + 1 });
                }
                return Err(Refused::IdempotencyConflict { seq: used.seq });
            }
            let hash = shown(used.hash, used.is_null);
            let answer = Published { seq: used.seq, hash, duplicate: true };
            return Ok(Decision::Known(plant::repeat_answer(answer, topic.head, defects)));
        }
        if plant::is_same(topic.newest, publish.hash, defects) {
            let hash = shown(publish.hash, is_null);
            return Ok(Decision::Known(Published { seq: topic.head, hash, duplicate: true }));
        }
        let seq = topic.head + 1;
        if let Some(expected) = publish.expected_next_seq
            && !plant::fits(Some(expected), seq, defects)
        {
            return Err(Refused::SequenceConflict { expected, actual: seq });
        }
        let limit = class.limits(&config).publish_rate_per_second;
        if !self.rates.entry(class).or_default().take(limit, now) {
            return Err(Refused::RateLimited { class: class.name(), limit });
        }
        let published = Published { seq, hash: shown(publish.hash, is_null), duplicate: false };
        if seq == DEFECT_SEQ && defects.has(Defect::AckWithoutWrite) && !topic.has_lost_one {
            topic.has_lost_one = true;
            return Ok(Decision::Known(published));
        }
        topic.head = seq;
        topic.prune(&publish.topic, &config);
        topic.newest = Some(publish.hash);
        self.keys.insert(key, KeyUse { seq, hash: publish.hash, compared, is_null });
        let record = Record::Event {
            topic: publish.topic,
            seq,
            key: publish.key,
            hash: publish.hash,
            oldest: topic.oldest,
            payload: Some(publish.payload),
        };
        Ok(Decision::Write(record, published))
    }

    pub(super) fn set_policy(&mut self, name: String, change: &TopicPolicy) -> Record {
        let topic = self.topics.entry(name.clone()).or_default();
        topic.policy = plant::merged(&topic.policy, change, topic.head, &self.config.defects);
        topic.prune(&name, &self.config);
        Record::Policy { policy: topic.policy.clone(), oldest: topic.oldest, topic: name }
    }

    /// Applies a record of the journal; the error says why it cannot follow those before it.
    pub(super) fn apply(&mut self, record: &Record) -> Result<(), String> {
        match record {
            Record::Event { topic: name, seq, key, hash, oldest, payload } => {
                let topic = self.topics.entry(name.clone()).or_default();
                if *seq != topic.head + 1 && !self.config.defects.has(Defect::RefusalTakesSeq) {
                    return Err(format!("event {seq} of `{name}` follows event {}", topic.head));
                }
                topic.head = *seq;
                topic.oldest = topic.oldest.max(*oldest);
                topic.newest = Some(*hash);
                let defects = &self.config.defects;
                let text = payload.as_ref().map_or("", |payload| payload.get());
                let class = topic.policy.class_of(name);
                if !defects.has(Defect::ForgetKeysRestart) {
                    let key = plant::key_of(name, class.name(), key, defects);
                    let compared = plant::compared_hash(text, *hash, defects);
                    self.keys.insert(key, KeyUse { seq: *seq, hash: *hash, compared, is_null: text == "null" });
                }
            }
            Record::Policy { topic: name, policy, oldest } => {
                let topic = self.topics.entry(name.clone()).or_default();
                topic.policy = policy.clone();
                topic.oldest = topic.oldest.max(*oldest);
            }
            Record::Forgotten { topic: name, head } => {
                if let Some(topic) = self.topics.get_mut(name) {
                    topic.head = *head;
                    topic.oldest = topic.oldest.min(*head);
                    self.keys.retain(|(of, _), used| of != name || used.seq <= *head);
                }
            }
            Record::Revoked { .. } => {}
        }
        Ok(())
    }

    /// The events that a planted defect removes when an existing journal is opened.
    pub(super) fn planted_forgetting(&self, last: Option<(String, u64)>) -> Option<Record> {
        if let Some((topic, head)) = last {
            return Some(Record::Forgotten { topic, head });
        }
        let (name, topic) = self.topics.iter().find(|(_, topic)| topic.head > 0)?;
        let head = if self.config.defects.has(Defect::ForgetTopicAfterRestart) {
            0
        } else if self.config.defects.has(Defect::ForgetAfterRestart) {
            topic.head.saturating_sub(2)
        } else {
            return None;
        };
        Some(Record::Forgotten { topic: name.clone(), head })
    }
}

impl Topic {
    fn prune(&mut self, name: &str, config: &Config) {
        if self.head == 0 {
            return;
        }
        let keep = self.policy.retention(name, config);
        let keep = plant::kept(keep, &self.policy, self.head, &config.defects);
        let by_retention = (self.head + 1).saturating_sub(keep);
        self.oldest = self.oldest.max(by_retention).max(1);
    }
}
