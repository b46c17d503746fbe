//! Requests of the writer or an operator that a lane must refuse, each with its code. They write nothing.
#![allow(missing_docs, reason = "the names say it")]

use crate::ids::LaneId;

/// Stands for the stream's name on the wire.
pub const STREAM: &str = "{stream}";

#[derive(Debug, PartialEq, Eq)]
pub struct Misuse {
    pub word: &'static str,
    /// What is wrong with it.
    pub says: &'static str,
    pub legacy: Option<Request>,
    pub candidate: Option<Request>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// The method and path, or the reducer.
    pub call: &'static str,
    /// The body, or the list of arguments, as JSON.
    pub body: &'static str,
    pub code: &'static str,
}

impl Misuse {
    pub fn on(&self, lane: LaneId) -> Option<&Request> {
        match lane {
            LaneId::Legacy => self.legacy.as_ref(),
            LaneId::Candidate => self.candidate.as_ref(),
        }
    }
}

pub fn misuse(word: &str) -> Option<&'static Misuse> {
    MISUSES.iter().find(|misuse| misuse.word == word)
}

const PUBLISH: &str = "POST /internal/v1/sync/publish";
const POLICY: &str = "PUT /internal/v1/sync/topics/{stream}";

const fn legacy(call: &'static str, body: &'static str, code: &'static str) -> Option<Request> {
    Some(Request { call, body, code })
}

const fn candidate(call: &'static str, body: &'static str, code: &'static str) -> Option<Request> {
    Some(Request { call, body, code })
}

const fn misused(
    word: &'static str,
    says: &'static str,
    legacy: Option<Request>,
    candidate: Option<Request>,
) -> Misuse {
    Misuse { word, says, legacy, candidate }
}

pub static MISUSES: &[Misuse] = &[
    misused(
        "blank-key",
        "a publish under a blank key",
        legacy(PUBLISH, r#"{"topic":"{stream}","idempotency_key":" ","payload":1}"#, "bad_request"),
        candidate("append_sync_event", r#"["{stream}"," ","1","",null]"#, "bad_argument"),
    ),
    misused(
        "no-key",
        "a publish under an empty key",
        legacy(PUBLISH, r#"{"topic":"{stream}","idempotency_key":"","payload":1}"#, "bad_request"),
        candidate("append_sync_event", r#"["{stream}","","1","",null]"#, "bad_argument"),
    ),
    misused(
        "blank-stream",
        "a publish to a blank stream",
        None,
        candidate("append_sync_event", r#"[" ","k","1","",null]"#, "bad_argument"),
    ),
    misused(
        "no-payload",
        "a publish without a payload",
        legacy(PUBLISH, r#"{"topic":"{stream}","idempotency_key":"misuse"}"#, "bad_request"),
        candidate("append_sync_event", r#"["{stream}","misuse","","",null]"#, "invalid_payload"),
    ),
    misused(
        "no-json",
        "a publish of what is no JSON",
        legacy(PUBLISH, r#"{"topic":"{stream}","idempotency_key":"misuse","payload":{"a":}}"#, "invalid_json"),
        candidate("append_sync_event", r#"["{stream}","misuse","{\"a\":}","",null]"#, "invalid_payload"),
    ),
    misused(
        "no-number",
        "a publish that expects a seq which is no number",
        legacy(
            PUBLISH,
            r#"{"topic":"{stream}","idempotency_key":"misuse","payload":1,"expected_next_seq":"1"}"#,
            "bad_request",
        ),
        None,
    ),
    misused(
        "no-retention",
        "a policy that retains no event",
        legacy(POLICY, r#"{"retention_events":0}"#, "bad_request"),
        candidate("set_stream_policy", r#"["{stream}",null,null,{"some":0},null]"#, "bad_argument"),
    ),
    misused(
        "blank-policy",
        "a policy of a blank stream",
        None,
        candidate("set_stream_policy", r#"["",null,null,null,{"some":5}]"#, "bad_argument"),
    ),
    misused(
        "created-otherwise",
        "a stream that is created again with another owner",
        None,
        candidate("create_stream", r#"["{stream}","","somebody else",null,null]"#, "stream_conflict"),
    ),
    misused(
        "prune-unknown",
        "a prune of an unknown stream",
        None,
        candidate("prune_stream", r#"["{stream}.unknown",1]"#, "forbidden_topic"),
    ),
    misused(
        "checkpoint-blank-client",
        "a checkpoint of a client without a name",
        None,
        candidate("ack_checkpoint", r#"["","{stream}",0,0]"#, "bad_argument"),
    ),
    misused(
        "checkpoint-blank-stream",
        "a checkpoint of a blank stream",
        None,
        candidate("ack_checkpoint", r#"["misuse"," ",0,0]"#, "bad_argument"),
    ),
    misused(
        "checkpoint-unknown",
        "a checkpoint of an unknown stream",
        None,
        candidate("ack_checkpoint", r#"["misuse","{stream}.unknown",0,0]"#, "forbidden_topic"),
    ),
    misused("resume-nothing", "a resume of no stream", None, candidate("resume_stream", "[[]]", "bad_subscription")),
    misused(
        "resume-blank",
        "a resume of a blank stream",
        None,
        candidate("resume_stream", r#"[[["",0]]]"#, "bad_subscription"),
    ),
    misused(
        "resume-twice",
        "a resume of one stream from two cursors",
        None,
        candidate("resume_stream", r#"[[["{stream}",0],["{stream}",1]]]"#, "bad_subscription"),
    ),
    misused(
        "resume-unknown",
        "a resume of an unknown stream",
        None,
        candidate("resume_stream", r#"[[["{stream}.unknown",0]]]"#, "forbidden_topic"),
    ),
];
