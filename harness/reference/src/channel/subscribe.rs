//! Handles `sync:subscribe`: topics, grants, cursors, and whether these can be resumed.

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{Channel, bad_subscription, deliver::Replay, request};
use crate::defects::{Defect, RESUME_LATE};
use crate::outbox::Outbox;
use crate::stale::{self, StaleTopic};
use crate::topics::{grant_begins, grant_covers};
use crate::wire::Inbound;

type Wanted = (Vec<String>, Vec<(String, u64)>);

impl Channel {
    pub(super) fn subscribe(&mut self, message: &Inbound, payload: &Map<String, Value>, out: &mut Outbox) {
        let (topics, cursors) = match self.checked(payload) {
            Ok(checked) => checked,
            Err(refusal) => return self.reply(message, &Err(refusal), out),
        };
        let shared = self.shared.clone();
        let defects = &shared.config.defects;
        let stale = self.stale(&topics, &cursors);
        if let Some(first) = stale.first() {
            stale.iter().for_each(|stale| shared.count("stale_cursors", stale.reason));
            let refusal = stale::refusal(&stale, defects);
            self.push_error(&first.topic, &refusal, out);
            if defects.has(Defect::RefusedSubscribed) {
                self.follow(&topics);
            }
            return self.reply(message, &Err(refusal), out);
        }
        self.is_dead |= defects.has(Defect::DeadAfterResume) && !cursors.is_empty();
        self.subscribes += 1;
        self.is_resumed = !cursors.is_empty();
        if self.is_resumed && defects.has(Defect::SlowResume) {
            self.held_until = Some(Instant::now() + RESUME_LATE);
        }
        for (topic, cursor) in cursors {
            if topics.contains(&topic) {
                shared.metrics.resumed(shared.store.view().info(&topic).head_seq.saturating_sub(cursor));
                let skipped = u64::from(defects.has(Defect::ResumeSkips) && cursor >= 20);
                self.watermarks.insert(topic, cursor + skipped);
            }
        }
        for topic in &topics {
            // Before the replay reads, so that no event is lost between the replay and the live tail.
            self.shared.store.hub().subscribe(topic, &self.mailbox);
            if !self.subscribed.contains(topic) {
                self.subscribed.push(topic.clone());
            }
        }
        let limits = &self.shared.config.limits;
        let asked = request::batch_size(payload).filter(|_| !defects.has(Defect::BatchSizeIgnored));
        let batch_size = asked.unwrap_or(limits.replay_batch_size);
        let batch_size = batch_size.clamp(1, limits.max_replay_batch_size.max(1));
        self.replay = Some(Replay::new(message.reference.clone(), topics, batch_size));
    }

    fn checked(&self, payload: &Map<String, Value>) -> Result<Wanted, Value> {
        let topics = request::topics(payload).map_err(|_| bad_subscription())?;
        let view = self.shared.store.view();
        let unknown: Vec<_> = topics.iter().filter(|topic| !view.is_known(topic)).collect();
        if !unknown.is_empty() {
            return Err(forbidden(&unknown));
        }
        drop(view);
        let ungranted: Vec<_> = topics.iter().filter(|topic| !self.is_granted(topic)).collect();
        if !ungranted.is_empty() {
            return Err(forbidden(&ungranted));
        }
        let cursors = request::resume_after(payload).map_err(|_| bad_subscription())?;
        Ok((topics, cursors))
    }

    fn is_granted(&self, topic: &str) -> bool {
        match &self.grants {
            Some(grants) if !self.shared.config.defects.has(Defect::IgnoreGrants) => {
                let by_prefix = self.shared.config.defects.has(Defect::GrantsByPrefix);
                grants.iter().any(|grant| grant_covers(grant, topic) || (by_prefix && grant_begins(grant, topic)))
            }
            _ => true,
        }
    }

    /// Those of the named cursors that cannot be resumed, in the order of the topics.
    fn stale(&self, topics: &[String], cursors: &[(String, u64)]) -> Vec<StaleTopic> {
        let view = self.shared.store.view();
        let defects = &self.shared.config.defects;
        let checked = match () {
            () if defects.has(Defect::StaleFirstOnly) => 1,
            () if defects.has(Defect::StaleFirstFive) => 5,
            () => topics.len(),
        };
        let listed = if defects.has(Defect::ListFirst) { 1 } else { topics.len() };
        let named =
            topics.iter().take(checked).filter_map(|topic| cursors.iter().rev().find(|(name, _)| name == topic));
        named
            .filter_map(|(topic, resume_after)| {
                let window = view.window(topic);
                let reason = stale::reason(*resume_after, &window, &self.shared.config.defects)?;
                Some(StaleTopic { topic: topic.clone(), resume_after: *resume_after, reason, window })
            })
            .take(listed)
            .collect()
    }

    /// A planted defect: subscribes topics to the live tail from their heads.
    fn follow(&mut self, topics: &[String]) {
        for topic in topics {
            self.shared.store.hub().subscribe(topic, &self.mailbox);
            self.watermarks.insert(topic.clone(), self.shared.store.view().info(topic).head_seq);
            if !self.subscribed.contains(topic) {
                self.subscribed.push(topic.clone());
            }
        }
    }
}

fn forbidden(topics: &[&String]) -> Value {
    json!({"code": "forbidden_topic", "forbidden_topics": topics})
}
