//! What readers see: the durable events that are retained, policies and revocations.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use serde_json::value::RawValue;

use super::record::Record;
use crate::config::Config;
use crate::defects::Defect;
use crate::stale::Window;
use crate::topics::{self, Class, FIXED_TOPICS, TopicPolicy, grant_covers};

const MAX_LISTED_TOPICS: usize = 1000;

#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its place in its topic, from 1.
    pub seq: u64,
    /// The publisher's key, delivered as `doc_key`.
    pub key: String,
    pub payload: Box<RawValue>,
    /// SHA-256 of its canonical form.
    pub hash: [u8; 32],
    /// When it could be read first.
    pub since: Instant,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub events: Vec<Arc<Event>>,
    pub head: u64,
}

/// What `GET` of a topic answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopicInfo {
    pub class: Class,
    pub retention_events: u64,
    pub replay_budget_events: u64,
    /// The oldest retained event, 0 where there never was one.
    pub oldest_seq: u64,
    /// The newest event, 0 where there is none.
    pub head_seq: u64,
}

#[derive(Debug, Default)]
struct Topic {
    events: VecDeque<Arc<Event>>,
    head: u64,
    oldest: u64,
    policy: TopicPolicy,
}

#[derive(Debug)]
pub(crate) struct View {
    config: Arc<Config>,
    topics: BTreeMap<String, Topic>,
    revoked: BTreeSet<String>,
}

impl View {
    pub(super) fn new(config: Arc<Config>) -> Self {
        let revoked = config.tokens.revoked_jti.iter().cloned().collect();
        Self { config, topics: BTreeMap::new(), revoked }
    }

    /// Takes a record in; the journal's order has been checked.
    pub(super) fn apply(&mut self, record: Record) {
        match record {
            Record::Event { topic: name, seq, key, hash, oldest, payload } => {
                let topic = self.topics.entry(name.clone()).or_default();
                let payload = payload.unwrap_or_else(|| RawValue::NULL.to_owned());
                topic.events.push_back(Arc::new(Event { seq, key, payload, hash, since: Instant::now() }));
                topic.head = seq;
                topic.prune(oldest);
                if self.config.defects.has(Defect::FloorPerClass) {
                    let class = topic.policy.class_of(&name);
                    let others = self.topics.iter_mut().filter(|(name, other)| other.policy.class_of(name) == class);
                    others
                        .filter(|(_, other)| other.head > 0)
                        .for_each(|(_, other)| other.prune(oldest.min(other.head)));
                }
            }
            Record::Policy { topic, policy, oldest } => {
                let topic = self.topics.entry(topic).or_default();
                topic.policy = policy;
                topic.prune(oldest);
            }
            Record::Revoked { jti } => {
                self.revoked.insert(jti);
            }
            Record::Forgotten { topic, head } => {
                if let Some(topic) = self.topics.get_mut(&topic) {
                    topic.events.retain(|event| event.seq <= head);
                    topic.head = head;
                    topic.oldest = topic.oldest.min(head);
                }
            }
        }
    }

    pub(crate) fn read_after(&self, topic: &str, cursor: u64, limit: usize) -> Batch {
        let Some(topic) = self.topics.get(topic) else {
            return Batch::default();
        };
        let Some(first) = topic.events.front() else {
            return Batch { events: Vec::new(), head: topic.head };
        };
        let skip = cursor.saturating_add(1).saturating_sub(first.seq);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let events = topic.events.iter().skip(skip).take(limit).cloned().collect();
        Batch { events, head: topic.head }
    }

    pub(crate) fn window(&self, name: &str) -> Window {
        let info = self.info(name);
        Window {
            oldest_seq: info.oldest_seq,
            head_seq: info.head_seq,
            replay_budget_events: info.replay_budget_events,
            qos_tier: info.class.limits(&self.config).qos_tier.clone(),
        }
    }

    pub(crate) fn info(&self, name: &str) -> TopicInfo {
        let empty = Topic::default();
        let topic = self.topics.get(name).unwrap_or(&empty);
        TopicInfo {
            class: topic.policy.class_of(name),
            retention_events: topic.policy.retention(name, &self.config),
            replay_budget_events: topic.policy.replay_budget(name, &self.config),
            oldest_seq: topic.oldest,
            head_seq: topic.head,
        }
    }

    /// Whether a topic may be subscribed and published: by its name, by the configuration, or since a policy gave it a
    /// class.
    pub(crate) fn is_known(&self, name: &str) -> bool {
        topics::is_known(name, &self.config) || self.topics.get(name).is_some_and(|topic| topic.policy.class.is_some())
    }

    /// What a join lists for a client with these grants (`None` is all): the configured topics, else those of fixed
    /// name and those that exist; for a token, the grants themselves where they name a topic.
    pub(crate) fn allowed_topics(&self, grants: Option<&[String]>) -> Vec<String> {
        let mut listed: Vec<String> = match (&self.config.topics.known, grants) {
            (Some(known), _) => known.clone(),
            (None, Some(grants)) => grants.iter().filter(|grant| self.is_known(grant)).cloned().collect(),
            (None, None) => FIXED_TOPICS.iter().map(|name| (*name).to_owned()).collect(),
        };
        let existing = self.topics.keys().filter(|name| self.is_known(name)).cloned();
        for name in existing {
            if !listed.contains(&name) && listed.len() < MAX_LISTED_TOPICS {
                listed.push(name);
            }
        }
        if let Some(grants) = grants {
            listed.retain(|name| grants.iter().any(|grant| grant_covers(grant, name)));
        }
        listed
    }

    pub(crate) fn is_revoked(&self, jti: &str) -> bool {
        self.revoked.contains(jti)
    }
}

impl Topic {
    fn prune(&mut self, oldest: u64) {
        self.oldest = self.oldest.max(oldest);
        while self.events.front().is_some_and(|event| event.seq < self.oldest) {
            self.events.pop_front();
        }
    }
}
