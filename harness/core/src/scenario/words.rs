//! The words that a scenario may use, and what each stands for. The JSON Schema for editors lists the same ones.

use super::script::{Cut, Keys, Lanes, Payload, Spread, When};
use crate::ids::LaneId;
use crate::plan::{Compression, Defect, Direction, MessageKind, Scope, Serializer, ServerAction};

/// The rows of the verification matrix.
pub const MATRIX_ROWS: &[&str] = &ROW_NAMES;

const ROW_NAMES: [&str; 16] = {
    let mut names = [""; 16];
    let mut at = 0;
    while at < names.len() {
        names[at] = crate::matrix::ROWS[at].name;
        at += 1;
    }
    names
};

/// The checkers that a known-bad scenario can expect a finding of.
pub const CHECKERS: &[&str] = &[
    "lost-write",
    "duplicate-apply",
    "nonmonotonic",
    "gap",
    "unseen",
    "hash-mismatch",
    "phantom",
    "wrong-stream",
    "stale-cursor",
    "observed-then-lost",
    "wrong-answer",
    "convergence",
    "not-live",
    "excess-copies",
    "contradiction",
    "unreached",
    "unplanned-end",
    "vacuity",
];

/// The defects that the reference legacy server can plant.
pub const LEGACY_DEFECTS: &[&str] = Defect::NAMES;

/// Lanes by name.
pub const LANES: &[(&str, LaneId)] = &[("legacy", LaneId::Legacy), ("candidate", LaneId::Candidate)];

/// Whose server, by name.
pub(super) const SERVERS: &[(&str, Lanes)] =
    &[("legacy", Some(LaneId::Legacy)), ("candidate", Some(LaneId::Candidate)), ("both", None)];

/// What the idempotency keys of a stream are.
pub const KEYS: &[(&str, Keys)] = &[("own", Keys::Own), ("shared", Keys::Shared)];

/// Kinds of payloads.
pub const PAYLOADS: &[(&str, Payload)] = &[
    ("small", Payload::Small),
    ("large", Payload::Large),
    ("unicode", Payload::Unicode),
    ("numbers", Payload::Numbers),
    ("nested", Payload::Nested),
    ("empty", Payload::Empty),
    ("awkward", Payload::Awkward),
    ("mixed", Payload::Mixed),
];

/// Serializers of a Phoenix socket.
pub const SERIALIZERS: &[(&str, Serializer)] = &[("v1", Serializer::V1), ("v2", Serializer::V2)];

/// Compressions of a SpacetimeDB socket.
pub const COMPRESSIONS: &[(&str, Compression)] =
    &[("none", Compression::None), ("gzip", Compression::Gzip), ("brotli", Compression::Brotli)];

/// How a publish of many streams is spread.
pub const SPREADS: &[(&str, Spread)] =
    &[("even", Spread::Even), ("shuffled", Spread::Shuffled), ("skewed", Spread::Skewed)];

/// Whether a publish waits for its readers after each event.
pub const PACES: &[(&str, bool)] = &[("lockstep", true), ("burst", false)];

/// What may be done to a server.
pub const ACTIONS: &[(&str, ServerAction)] = &[
    ("kill", ServerAction::Kill),
    ("restart", ServerAction::Restart),
    ("pause", ServerAction::Pause),
    ("resume", ServerAction::Resume),
];

/// When a kill falls; true is at once.
pub const KILL_TIMES: &[(&str, bool)] = &[("durable", false), ("at-once", true)];

/// How a connection may be cut; `random` and `each` stand beside them.
pub const CUTS: &[(&str, Cut)] =
    &[("close", Cut::Close), ("drop", Cut::Drop), ("reset", Cut::Reset), ("silence", Cut::Silence)];

/// On which side of a frame a cut falls; `random` and `each` stand beside them.
pub const WHENS: &[(&str, When)] = &[("before", When::Before), ("after", When::After)];

/// How often a fault strikes; true is always.
pub const TIMES: &[(&str, bool)] = &[("once", false), ("always", true)];

/// What a step may do, with the keys that it takes beside `do`.
pub const STEPS: &[(&str, &[&str])] = &[
    ("connect", &["clients"]),
    ("disconnect", &["clients"]),
    ("crash", &["clients"]),
    ("resubscribe", &["clients"]),
    ("await", &["clients"]),
    ("await-fault", &["fault"]),
    ("publish", &["stream", "streams", "count", "pace", "spread"]),
    ("republish", &["stream", "seqs"]),
    ("conflict", &["stream", "seqs"]),
    ("policy", &["stream", "streams", "retention", "replay_budget"]),
    ("set-cursor", &["client", "stream", "to"]),
    ("arm", &["toxics"]),
    ("disarm", &["toxics"]),
    ("server", &["lane", "action", "when"]),
];

/// What a fault may do, with the keys that it takes beside those of every fault.
pub const FAULTS: &[(&str, &[&str])] = &[
    ("cut", &["how", "code", "when"]),
    ("repeat", &["more"]),
    ("delay", &["ms"]),
    ("hold", &["until"]),
    ("rewrite-cursor", &["stream", "to", "of"]),
    ("drop", &[]),
    ("reorder", &["behind", "within_ms"]),
    ("split", &["frames"]),
    ("merge", &["messages", "within_ms"]),
    ("drain", &["code", "within_ms"]),
    ("starve-heartbeats", &[]),
    ("drop-event", &[]),
    ("swap", &[]),
    ("flood", &["more"]),
    ("replace-payload", &[]),
    ("misdeliver", &["stream", "seq"]),
    ("set-json", &["pointer", "value"]),
    ("set-column", &["column", "value"]),
];

/// The keys that every fault takes.
pub const FAULT_KEYS: &[&str] = &["do", "name", "clients", "lane", "at", "draws", "times"];

/// Which way messages and bytes go.
pub const DIRECTIONS: &[(&str, Direction)] =
    &[("downstream", Direction::Downstream), ("upstream", Direction::Upstream)];

/// Sorts of messages.
pub const MESSAGES: &[(&str, MessageKind)] = &MessageKind::WORDS;

/// Over what `nth` counts.
pub const SCOPES: &[(&str, Scope)] = &[("proxy", Scope::Proxy), ("connection", Scope::Connection)];

/// The types of byte toxics, by Toxiproxy's names, with their attributes, by its names too.
pub const TOXICS: &[(&str, &[&str])] = &[
    ("latency", &["latency", "jitter"]),
    ("bandwidth", &["rate"]),
    ("slow_close", &["delay"]),
    ("timeout", &["timeout"]),
    ("reset_peer", &["timeout"]),
    ("slicer", &["average_size", "size_variation", "delay"]),
    ("limit_data", &["bytes"]),
];

/// The keys that every toxic takes.
pub const TOXIC_KEYS: &[&str] = &["type", "name", "clients", "lane", "stream", "toxicity"];

/// Cursors by name, for `set-cursor` and `rewrite-cursor`.
pub const CURSORS: &[&str] = &[
    "zero",
    "behind",
    "floor",
    "below-floor",
    "head",
    "beyond-head",
    "at-budget",
    "beyond-budget",
    "foreign",
    "random",
    "each",
];

/// The keys of each table of a scenario that takes the same ones always.
pub mod keys {
    /// The file's top.
    pub const SCENARIO: &[&str] = &[
        "schema",
        "name",
        "title",
        "proves",
        "legacy_defects",
        "converge_within_ms",
        "backoff",
        "expand",
        "streams",
        "clients",
        "steps",
        "faults",
        "toxics",
        "at_least",
        "expect",
    ];
    /// An entry of `streams`.
    pub const STREAM: &[&str] = &["topic", "retention", "replay_budget", "payload", "keys"];
    /// An entry of `clients`.
    pub const CLIENT: &[&str] = &["name", "streams", "replay_batch", "serializer", "compression"];
    /// `backoff`.
    pub const BACKOFF: &[&str] = &["base_ms", "cap_ms"];
    /// `expand`.
    pub const EXPAND: &[&str] = &["position", "how", "when"];
    /// `at_least`.
    pub const AT_LEAST: &[&str] = &["deliveries", "resumes", "refusals", "duplicates", "faults"];
    /// `expect`.
    pub const EXPECT: &[&str] = &["decision", "findings", "lane"];
    /// `at` of a fault.
    pub const AT: &[&str] = &[
        "delivery",
        "proof",
        "ack",
        "seq",
        "resume",
        "resume_reply",
        "heartbeat_reply",
        "message",
        "kind",
        "event",
        "topic",
        "pointer",
        "equals",
        "nth",
        "per",
    ];
    /// What says more of a `message` in `at`.
    pub const PICK: &[&str] = &["kind", "event", "topic", "seq", "pointer", "equals", "nth", "per"];
    /// `until` of a hold.
    pub const UNTIL: &[&str] = &["acked", "seq"];
}
