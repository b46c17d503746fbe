//! Every field that the contract names, and what judges it. docs/CONTRACT.md has the same list with the meaning of each
//! field; a test compares the two.
#![allow(missing_docs, reason = "the names say it")]

use crate::ids::LaneId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub lane: LaneId,
    /// The message, the answer or the table.
    pub place: &'static str,
    pub name: &'static str,
    pub judged: Judged,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// By these reasons, each as `checker/reason`.
    By(&'static [&'static str]),
    /// Not at all, and why.
    Not(&'static str),
}

impl Judged {
    /// As a cell of a table.
    pub fn cell(self) -> String {
        match self {
            Judged::By(reasons) => reasons.iter().map(|reason| format!("`{reason}`")).collect::<Vec<_>>().join(", "),
            Judged::Not(why) => format!("not: {why}"),
        }
    }
}

macro_rules! fields {
    (@judged by $($reason:literal),+) => { Judged::By(&[$($reason),+]) };
    (@judged not $why:literal) => { Judged::Not($why) };
    ($($lane:ident $place:literal { $($name:literal: $how:ident $($what:literal),+;)+ })+) => {
        pub static FIELDS: &[Field] = &[$($(Field {
            lane: LaneId::$lane,
            place: $place,
            name: $name,
            judged: fields!(@judged $how $($what),+),
        },)+)+];
    };
}

fields! {
    Legacy "join" {
        "client": not "the client sends it, and the lane's answer shows whether it was understood";
        "client_build_id": by "negotiation/let-in", "negotiation/refused";
        "protocol_version": by "negotiation/let-in", "negotiation/refused";
        "schema_version": by "negotiation/let-in", "negotiation/refused";
    }
    Legacy "join answer" {
        "subscription_id": by "contradiction/field-missing", "contradiction/subscription-id";
        "allowed_topics": by "contradiction/field-missing", "contradiction/join-answer";
        "current_watermarks": by "contradiction/field-missing", "contradiction/join-answer";
    }
    Legacy "join refusal" {
        "code": by "negotiation/another-code", "unreached/gave-up";
        "message": not "it is for people";
        "upgrade_required": by "negotiation/another-window";
        "retryable": by "negotiation/another-window";
        "min_client_build_id": by "negotiation/another-window";
        "max_client_build_id": by "negotiation/another-window";
        "min_schema_version": by "negotiation/another-window";
        "max_schema_version": by "negotiation/another-window";
        "protocol_version": by "negotiation/another-window";
    }
    Legacy "subscribe" {
        "topics": by "contradiction/odd-answer";
        "resume_after": by "contradiction/odd-answer";
        "replay_batch_size": by "contradiction/batch-too-long";
    }
    Legacy "subscribe answer" {
        "subscription_id": by "contradiction/field-missing", "contradiction/subscription-id";
        "topics": by "contradiction/field-missing", "contradiction/topics-answered";
        "current_watermarks": by
            "convergence/wrong-head", "gap/replay-cut-short", "contradiction/watermark",
            "contradiction/field-missing";
    }
    Legacy "subscribe refusal" {
        "code": by "stale-cursor/refused-otherwise", "stale-cursor/refused-without-cause", "contradiction/odd-answer";
        "forbidden_topics": by "contradiction/odd-answer";
    }
    Legacy "stale refusal" {
        "code": by "stale-cursor/refused-otherwise";
        "message": not "it is for people";
        "full_resync_required": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "reason_codes": by "stale-cursor/wrong-reason";
        "stale_topics": by "stale-cursor/not-listed", "stale-cursor/bootstrap-refused";
        "stale_topics.topic": by "stale-cursor/not-listed";
        "stale_topics.reason": by "stale-cursor/wrong-reason", "stale-cursor/refused-without-cause";
        "stale_topics.qos_tier": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "stale_topics.resume_after": by "stale-cursor/wrong-fields";
        "stale_topics.retention_floor": by "stale-cursor/wrong-fields";
        "stale_topics.head_watermark": by "stale-cursor/wrong-fields";
        "stale_topics.replay_lag": by "stale-cursor/wrong-fields";
        "stale_topics.replay_budget_events": by "stale-cursor/wrong-fields";
        "snapshot_plan.format": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "snapshot_plan.topics": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "snapshot_plan.topics.topic": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "snapshot_plan.topics.head_watermark": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "snapshot_plan.topics.snapshot": by "stale-cursor/wrong-fields", "contradiction/field-missing";
    }
    Legacy "unsubscribe" {
        "topics": by "contradiction/odd-answer";
    }
    Legacy "unsubscribe answer" {
        "subscription_id": by "contradiction/field-missing", "contradiction/subscription-id";
        "topics": by "contradiction/field-missing", "contradiction/topics-answered", "contradiction/after-unsubscribe";
    }
    Legacy "sync:heartbeat" {
        "watermarks": by "contradiction/watermark", "contradiction/field-missing", "contradiction/heartbeat-unpushed";
    }
    Legacy "heartbeat answer" {
        "subscription_id": by "contradiction/field-missing", "contradiction/subscription-id";
        "watermarks": by "contradiction/watermark", "contradiction/field-missing";
    }
    Legacy "sync:update_batch" {
        "updates": by
            "lost-write/never-delivered", "gap/skipped", "nonmonotonic/delivered-after-a-later-one",
            "excess-copies/too-many-copies";
        "updates.topic": by
            "wrong-stream/foreign-stream", "wrong-stream/not-subscribed", "wrong-stream/another-streams-event";
        "updates.doc_key": by "hash-mismatch/another-key", "contradiction/field-missing";
        "updates.doc_version": by "contradiction/doc-version", "contradiction/field-missing";
        "updates.payload": by
            "hash-mismatch/not-what-was-published", "hash-mismatch/not-canonical", "phantom/never-published";
        "updates.payload_hash": by "hash-mismatch/declared-otherwise", "contradiction/hash-missing";
        "updates.watermark": by
            "gap/skipped", "duplicate-apply/appended-twice", "phantom/never-published", "convergence/ahead-of-head";
        "updates.hydration_required": by "contradiction/hydration", "contradiction/field-missing";
        "replay_complete": by
            "contradiction/never-complete", "contradiction/complete-too-soon", "contradiction/complete-too-late",
            "contradiction/field-missing";
        "head_watermarks": by
            "contradiction/head-below-event", "contradiction/head-beyond", "contradiction/head-of-other",
            "contradiction/field-missing";
    }
    Legacy "sync:frame" {
        "topic": by "contradiction/frame-topic", "contradiction/field-missing";
        "seq": by "contradiction/frame-seq", "contradiction/field-missing", "contradiction/error-copies-differ";
        "kind": by "unreached/unreadable", "gap/copy-missing";
        "payload_bytes": by
            "unreached/unreadable", "gap/copy-missing", "contradiction/copies-differ",
            "contradiction/error-copies-differ";
        "schema_version": by "contradiction/schema-version", "contradiction/field-missing";
    }
    Legacy "sync:error" {
        "code": by "unplanned-end/few", "contradiction/error-unpushed", "contradiction/error-copies-differ";
        "action": not "no client is slow enough: the row `slow-consumer` is not proved";
        "topic": not "as `action`";
        "queue_depth": not "as `action`";
        "queue_limit": not "as `action`";
        "reconnect_after_ms": not "as `action`";
    }
    Legacy "publish" {
        "topic": not "the writer sends it";
        "idempotency_key": not "the writer sends it";
        "payload": not "the writer sends it";
        "expected_next_seq": by "wrong-answer/refused", "wrong-answer/accepted-a-conflict";
    }
    Legacy "publish answer" {
        "topic": by "wrong-answer/answered-with-another-value";
        "seq": by
            "wrong-answer/acknowledged-at-another-seq", "wrong-answer/answered-without-seq",
            "duplicate-apply/repeated-publish-appended";
        "payload_hash": by "wrong-answer/answered-with-another-value";
        "duplicate": by "wrong-answer/taken-for-a-repeat", "duplicate-apply/repeated-publish-taken-for-new";
    }
    Legacy "publish refusal" {
        "code": by
            "wrong-answer/refused-with-another-code", "wrong-answer/accepted-a-conflict", "wrong-answer/refused",
            "reducer-rule/refused-with-another-code", "reducer-rule/accepted", "reducer-rule/refused";
        "expected": by "wrong-answer/answered-with-another-value";
        "actual": by "wrong-answer/answered-with-another-value";
    }
    Legacy "policy" {
        "retention_events": not "the writer sends it";
        "replay_budget_events": not "the writer sends it";
        "class": not "no scenario gives a stream another class";
    }
    Legacy "policy answer" {
        "topic": by "stored-state/altered";
        "class": by "stored-state/other-policy";
        "retention_events": by "stored-state/other-policy";
        "replay_budget_events": by "stored-state/other-policy";
        "oldest_seq": by "stored-state/other-oldest-event";
        "head_seq": by "stored-state/other-head";
    }
    Candidate "sync_stream" {
        "stream_id": by "convergence/wrong-head";
        "class": by "stored-state/other-policy";
        "owner_scope": not "no scenario gives a stream an owner";
        "oldest_seq": by "stored-state/other-oldest-event", "contradiction/row-deleted";
        "head_seq": by "convergence/wrong-head", "stored-state/other-head", "contradiction/row-head";
        "replay_budget": by "stored-state/other-policy";
        "retention": by "stored-state/other-policy";
    }
    Candidate "sync_event" {
        "stream_id": by
            "wrong-stream/foreign-stream", "wrong-stream/not-subscribed", "wrong-stream/another-streams-event";
        "seq": by
            "gap/skipped", "duplicate-apply/appended-twice", "phantom/never-published", "convergence/ahead-of-head";
        "idempotency_key": by "hash-mismatch/another-key", "stored-state/altered";
        "payload_hash": by "hash-mismatch/declared-otherwise", "contradiction/hash-missing";
        "payload": by "hash-mismatch/not-what-was-published", "hash-mismatch/not-canonical", "phantom/never-published";
        "committed_at": by "contradiction/committed-at", "contradiction/row-rewritten", "stored-state/altered";
        "confirmed_read": by "contradiction/confirmed-read", "stored-state/altered";
    }
    Candidate "sync_append_key" {
        "append_key": by "stored-state/altered";
        "seq": by "stored-state/altered";
        "payload_hash": by "stored-state/altered";
    }
    Candidate "sync_checkpoint" {
        "checkpoint_key": not "its form is the module's own";
        "client_id": by "stored-state/other-checkpoint";
        "stream_id": by "stored-state/other-checkpoint";
        "seq": by "stored-state/other-checkpoint";
        "durable_offset": by "stored-state/other-checkpoint";
    }
    Candidate "active_connection" {
        "connection_id": by "presence/still-counted", "presence/not-counted";
        "identity": not "the server gives it to the connection";
    }
    Candidate "session_presence" {
        "session_id": by "reducer-rule/other-rows";
        "client_id": by "reducer-rule/other-rows";
        "state": by "reducer-rule/other-rows";
        "last_seen_at": not "it is the time of the server";
    }
    Candidate "provider_capability" {
        "capability_key": not "its form is the module's own";
        "provider_id": by "reducer-rule/other-rows";
        "capability": by "reducer-rule/other-rows";
        "descriptor": by "reducer-rule/other-rows";
        "descriptor_hash": by "reducer-rule/other-rows";
        "published_at": not "it is the time of the server";
    }
    Candidate "compute_assignment" {
        "assignment_id": by "reducer-rule/other-rows";
        "requester_id": by "reducer-rule/other-rows";
        "request": by "reducer-rule/other-rows";
        "request_hash": by "reducer-rule/other-rows";
        "provider_id": by "reducer-rule/other-rows";
        "state": by "reducer-rule/other-rows";
        "opened_at": not "it is the time of the server";
        "updated_at": not "it is the time of the server";
    }
    Candidate "bridge_outbox" {
        "event_key": by "reducer-rule/other-rows";
        "position": not "it depends on what other streams put into the outbox";
        "stream_id": by "reducer-rule/other-rows";
        "payload": by "reducer-rule/other-rows";
        "payload_hash": by "reducer-rule/other-rows";
        "enqueued_at": not "it is the time of the server";
        "relay_event_id": by "reducer-rule/other-rows";
    }
    Candidate "append_sync_event" {
        "stream_id": not "the writer sends it";
        "idempotency_key": not "the writer sends it";
        "payload": not "the writer sends it";
        "payload_hash": by "wrong-answer/refused", "wrong-answer/accepted-a-conflict";
        "expected_next_seq": by "wrong-answer/refused", "wrong-answer/accepted-a-conflict";
    }
    Candidate "resume_stream" {
        "cursors.stream_id": by "contradiction/odd-answer";
        "cursors.resume_after": by "contradiction/odd-answer";
    }
    Candidate "resume refusal" {
        "code": by "stale-cursor/refused-otherwise", "stale-cursor/refused-without-cause", "contradiction/odd-answer";
        "forbidden_topics": by "contradiction/odd-answer";
    }
    Candidate "stale refusal" {
        "code": by "stale-cursor/refused-otherwise";
        "message": not "it is for people";
        "full_resync_required": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "reason_codes": by "stale-cursor/wrong-reason";
        "stale_topics": by "stale-cursor/not-listed", "stale-cursor/bootstrap-refused";
        "stale_topics.topic": by "stale-cursor/not-listed";
        "stale_topics.reason": by "stale-cursor/wrong-reason", "stale-cursor/refused-without-cause";
        "stale_topics.qos_tier": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "stale_topics.resume_after": by "stale-cursor/wrong-fields";
        "stale_topics.retention_floor": by "stale-cursor/wrong-fields";
        "stale_topics.head_watermark": by "stale-cursor/wrong-fields";
        "stale_topics.replay_lag": by "stale-cursor/wrong-fields";
        "stale_topics.replay_budget_events": by "stale-cursor/wrong-fields";
        "snapshot_plan.format": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "snapshot_plan.topics": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "snapshot_plan.topics.topic": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "snapshot_plan.topics.head_watermark": by "stale-cursor/wrong-fields", "contradiction/field-missing";
        "snapshot_plan.topics.snapshot": by "stale-cursor/wrong-fields", "contradiction/field-missing";
    }
    Candidate "reducer refusal" {
        "code": by "wrong-answer/refused-with-another-code", "wrong-answer/accepted-a-conflict", "wrong-answer/refused";
        "seq": not "it is not compared yet";
        "expected": not "it is not compared yet";
        "actual": not "it is not compared yet";
    }
}

#[cfg(test)]
mod tests;
