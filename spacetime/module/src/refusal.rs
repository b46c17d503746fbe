//! A refusal, and the JSON text that carries it to the caller.

#[cfg(target_arch = "wasm32")]
use spacetimedb::ReducerContext;

use crate::canonical::{JsonError, write_string};

/// The longest stream id, idempotency key, client id or scope, in bytes.
pub const MAX_NAME_BYTES: usize = 1024;

/// The format of a snapshot plan, and of the snapshots that it names.
const SNAPSHOT_FORMAT: &str = "openagents.sync.snapshot.v1";

/// Why a reducer refused. Nothing has changed in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    BadArgument {
        argument: &'static str,
        message: &'static str,
    },
    /// The payload has no canonical form.
    InvalidPayload(JsonError),
    PayloadHashMismatch {
        given: String,
        computed: String,
    },
    /// The key was used before, for another payload, with this seq.
    IdempotencyConflict {
        seq: u64,
    },
    /// The stream's next seq is not the expected one.
    SequenceConflict {
        expected: u64,
        actual: u64,
    },
    /// A stream of that id exists with other content.
    StreamConflict,
    /// The acknowledgement contradicts the client's checkpoint, which is this one.
    CheckpointConflict {
        seq: u64,
        durable_offset: u64,
    },
    CheckpointBeyondHead {
        head_seq: u64,
    },
    /// A resume that names no stream, a blank one, or one stream with two cursors.
    BadSubscription,
    /// Unknown streams.
    ForbiddenTopic(Vec<String>),
    StaleCursor(Vec<StaleStream>),
    /// The caller's token is not good.
    Denied(Denial),
    /// Only the owner of the database may do this.
    NotTheOwner,
    /// The client id is not the one of the caller's lease.
    ForbiddenClient,
    /// The identity has a lease with other content.
    LeaseConflict,
    UnknownLease,
    /// The key was used before, for a call with other content.
    KeyConflict,
    /// The session has another client.
    PresenceConflict,
    UnknownAssignment,
    /// The assignment has another provider.
    AssignmentConflict,
    IllegalTransition {
        from: String,
        to: String,
    },
    UnknownBridgeEvent,
    Incompatible {
        code: &'static str,
        message: &'static str,
        window: Window,
    },
}

/// Why a cursor is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaleReason {
    /// Events after the cursor are gone.
    RetentionFloorBreach,
    /// There are more events after the cursor than the stream replays.
    ReplayBudgetExceeded,
}

impl StaleReason {
    /// The legacy lane's word for the reason.
    pub fn word(self) -> &'static str {
        match self {
            Self::RetentionFloorBreach => "retention_floor_breach",
            Self::ReplayBudgetExceeded => "replay_budget_exceeded",
        }
    }
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// There is no lease for it.
    MissingAuthorization,
    TokenExpired,
    TokenNotYetValid,
    /// Another audience, or a key that was retired.
    InvalidToken,
    TokenTooOld,
    MissingTokenId,
    TokenRevoked,
}

impl Denial {
    pub fn word(self) -> &'static str {
        match self {
            Self::MissingAuthorization => "missing_authorization",
            Self::TokenExpired => "token_expired",
            Self::TokenNotYetValid => "token_not_yet_valid",
            Self::InvalidToken => "invalid_token",
            Self::TokenTooOld => "token_too_old",
            Self::MissingTokenId => "missing_jti",
            Self::TokenRevoked => "token_revoked",
        }
    }
}

/// The clients that are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub protocol_version: String,
    pub min_schema_version: u64,
    pub max_schema_version: u64,
    pub min_client_build_id: String,
    pub max_client_build_id: Option<String>,
}

/// A cursor that can't be resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleStream {
    pub stream_id: String,
    /// The first of the checks that the cursor failed.
    pub reason: StaleReason,
    /// The word for the quality of service of the stream's class.
    pub qos_tier: &'static str,
    pub resume_after: u64,
    pub retention_floor: u64,
    pub head_seq: u64,
    /// How many events the cursor is behind the head.
    pub replay_lag: u64,
    pub replay_budget_events: u64,
    /// The table that a summary stream's snapshot is read from.
    pub summary_table: Option<&'static str>,
}

impl Refusal {
    /// Writes the refusal as one JSON object.
    pub fn to_json(&self) -> String {
        match self {
            Self::BadArgument { argument, message } => {
                format!(r#"{{"code":"bad_argument","argument":"{argument}","message":"{message}"}}"#)
            }
            Self::InvalidPayload(error) => format!(
                r#"{{"code":"invalid_payload","reason":"{}","offset_bytes":{}}}"#,
                error.kind.word(),
                error.offset_bytes
            ),
            Self::PayloadHashMismatch { given, computed } => format!(
                r#"{{"code":"payload_hash_mismatch","given":{},"computed":{}}}"#,
                quoted(given),
                quoted(computed)
            ),
            Self::IdempotencyConflict { seq } => format!(r#"{{"code":"idempotency_conflict","seq":{seq}}}"#),
            Self::SequenceConflict { expected, actual } => {
                format!(r#"{{"code":"sequence_conflict","expected":{expected},"actual":{actual}}}"#)
            }
            Self::StreamConflict => coded("stream_conflict"),
            Self::CheckpointConflict { seq, durable_offset } => {
                format!(r#"{{"code":"checkpoint_conflict","seq":{seq},"durable_offset":{durable_offset}}}"#)
            }
            Self::CheckpointBeyondHead { head_seq } => {
                format!(r#"{{"code":"checkpoint_beyond_head","head_seq":{head_seq}}}"#)
            }
            Self::BadSubscription => coded("bad_subscription"),
            Self::ForbiddenTopic(streams) => {
                let streams = list(streams.iter().map(|stream| quoted(stream)));
                format!(r#"{{"code":"forbidden_topic","forbidden_topics":{streams}}}"#)
            }
            Self::StaleCursor(stale) => stale_cursor(stale),
            Self::Denied(denial) => coded(denial.word()),
            Self::NotTheOwner => coded("not_the_owner"),
            Self::ForbiddenClient => coded("forbidden_client"),
            Self::LeaseConflict => coded("lease_conflict"),
            Self::UnknownLease => coded("unknown_lease"),
            Self::KeyConflict => coded("idempotency_conflict"),
            Self::PresenceConflict => coded("presence_conflict"),
            Self::UnknownAssignment => coded("unknown_assignment"),
            Self::AssignmentConflict => coded("assignment_conflict"),
            Self::IllegalTransition { from, to } => {
                format!(r#"{{"code":"illegal_transition","from":{},"to":{}}}"#, quoted(from), quoted(to))
            }
            Self::UnknownBridgeEvent => coded("unknown_bridge_event"),
            Self::Incompatible { code, message, window } => incompatible(code, message, window),
        }
    }
}

fn coded(code: &str) -> String {
    format!(r#"{{"code":"{code}"}}"#)
}

fn incompatible(code: &str, message: &str, window: &Window) -> String {
    format!(
        concat!(
            r#"{{"code":"{}","message":"{}","upgrade_required":true,"retryable":false,"min_client_build_id":{},"#,
            r#""max_client_build_id":{},"min_schema_version":{},"max_schema_version":{},"protocol_version":{}}}"#
        ),
        code,
        message,
        quoted(&window.min_client_build_id),
        window.max_client_build_id.as_deref().map_or("null".to_owned(), quoted),
        window.min_schema_version,
        window.max_schema_version,
        quoted(&window.protocol_version)
    )
}

/// Writes the stale reply, with the fields of the legacy lane's and the stream's id where that has the topic.
fn stale_cursor(stale: &[StaleStream]) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for stream in stale {
        if !reasons.contains(&stream.reason.word()) {
            reasons.push(stream.reason.word());
        }
    }
    let reasons = list(reasons.iter().map(|reason| quoted(reason)));
    let streams = list(stale.iter().map(stale_stream));
    let snapshots = list(stale.iter().filter_map(snapshot));
    format!(
        concat!(
            r#"{{"code":"stale_cursor","message":"cursor cannot be resumed","full_resync_required":true,"#,
            r#""reason_codes":{},"stale_topics":{},"snapshot_plan":{{"format":"{}","topics":{}}}}}"#
        ),
        reasons, streams, SNAPSHOT_FORMAT, snapshots
    )
}

fn stale_stream(stale: &StaleStream) -> String {
    format!(
        concat!(
            r#"{{"topic":{},"reason":"{}","qos_tier":"{}","resume_after":{},"retention_floor":{},"#,
            r#""head_watermark":{},"replay_lag":{},"replay_budget_events":{}}}"#
        ),
        quoted(&stale.stream_id),
        stale.reason.word(),
        stale.qos_tier,
        stale.resume_after,
        stale.retention_floor,
        stale.head_seq,
        stale.replay_lag,
        stale.replay_budget_events
    )
}

/// A summary stream's entry in the snapshot plan; an event stream has none.
fn snapshot(stale: &StaleStream) -> Option<String> {
    let source_table = stale.summary_table?;
    let topic = quoted(&stale.stream_id);
    Some(format!(
        concat!(
            r#"{{"topic":{},"head_watermark":{},"snapshot":{{"topic":{},"format":"{}","schema_version":1,"#,
            r#""cadence_seconds":300,"source_table":"{}"}}}}"#
        ),
        topic, stale.head_seq, topic, SNAPSHOT_FORMAT, source_table
    ))
}

fn quoted(value: &str) -> String {
    let mut out = String::new();
    write_string(&mut out, value);
    out
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// Refuses a name that is blank or longer than [`MAX_NAME_BYTES`].
pub fn check_name(argument: &'static str, name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        return Err(Refusal::BadArgument { argument, message: "it is blank" });
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(Refusal::BadArgument { argument, message: "it is longer than 1024 bytes" });
    }
    Ok(())
}

/// The result of a reducer: nothing, or a refusal's JSON. An error rolls the transaction back.
#[cfg(target_arch = "wasm32")]
pub type Answer = Result<(), String>;

/// Carries out what a caller asks.
#[cfg(all(target_arch = "wasm32", not(feature = "planted")))]
pub fn answer<Asked>(ctx: &ReducerContext, asked: Asked, rule: Rule<Asked>) -> Answer {
    rule(ctx, asked).map_err(|refusal| refusal.to_json())
}

#[cfg(all(target_arch = "wasm32", feature = "planted"))]
pub use crate::planted::answer;

/// A function that reads rows, decides, and writes.
#[cfg(target_arch = "wasm32")]
pub type Rule<Asked> = fn(&ReducerContext, Asked) -> Result<(), Refusal>;

#[cfg(test)]
mod tests;
