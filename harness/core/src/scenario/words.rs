//! The words that a scenario may use, and what each stands for. The JSON Schema for editors lists the same ones.

use super::cast::Keys;
use super::compile::payload::Payload;
use super::open::CursorWord;
use crate::ids::LaneId;
use crate::plan::defect::reference::Defect;
use crate::plan::defect::{bridge, module};
use crate::plan::{Compression, Direction, Habit, SaidProtocol, Serializer};

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

pub const LEGACY_DEFECTS: &[&str] = Defect::NAMES;
pub const CANDIDATE_DEFECTS: &[&str] = module::NAMES;

pub const BRIDGE_DEFECTS: &[&str] = bridge::Defect::NAMES;

pub const LANES: &[(&str, LaneId)] = &[("legacy", LaneId::Legacy), ("candidate", LaneId::Candidate)];

/// The lane that a step, fault or toxic applies to; `None` is both.
pub(super) const SERVERS: &[(&str, Option<LaneId>)] =
    &[("legacy", Some(LaneId::Legacy)), ("candidate", Some(LaneId::Candidate)), ("both", None)];

/// Who stands in the place of a client: a program, or a client with a defect that speaks as one.
pub(super) const DRIVERS: &[(&str, Driver)] = &[("exec", Driver::Exec), ("planted", Driver::Planted)];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Driver {
    Exec,
    Planted,
}

/// What a client asks for beside what it says.
pub(super) const READS: &[(&str, bool)] = &[("unconfirmed", true)];

pub(super) const KEYS: &[(&str, Keys)] = &[
    ("own", Keys::Own),
    ("shared", Keys::Shared),
    ("long", Keys::Long),
    ("alike", Keys::Alike),
    ("joined", Keys::Joined),
];

pub(super) const PAYLOADS: &[(&str, Payload)] = &[
    ("small", Payload::Small),
    ("large", Payload::Large),
    ("unicode", Payload::Unicode),
    ("numbers", Payload::Numbers),
    ("nested", Payload::Nested),
    ("empty", Payload::Empty),
    ("awkward", Payload::Awkward),
    ("lengths", Payload::Lengths),
    ("mebibyte", Payload::Mebibyte),
    ("members", Payload::Members),
    ("depths", Payload::Depths),
    ("bare", Payload::Bare),
    ("lookalikes", Payload::Lookalikes),
    ("names", Payload::Names),
    ("equal", Payload::Equal),
    ("mixed", Payload::Mixed),
];

pub const SERIALIZERS: &[(&str, Serializer)] = &[("v1", Serializer::V1), ("v2", Serializer::V2)];

/// How a client reconnects on the legacy lane.
pub const HABITS: &[(&str, &Habit)] = &HABITS_BY_NAME;

const HABITS_BY_NAME: [(&str, &Habit); 3] = {
    let habits = crate::plan::HABITS;
    [(habits[0].name, &habits[0]), (habits[1].name, &habits[1]), (habits[2].name, &habits[2])]
};

pub const COMPRESSIONS: &[(&str, Compression)] =
    &[("none", Compression::None), ("gzip", Compression::Gzip), ("brotli", Compression::Brotli)];

/// The protocol version that a client says it speaks.
pub const SAID_PROTOCOLS: &[(&str, SaidProtocol)] = &[("own", SaidProtocol::Own), ("another", SaidProtocol::Another)];

/// How often a fault fires; true is always.
pub const TIMES: &[(&str, bool)] = &[("once", false), ("always", true)];

pub const FAULT_KEYS: &[&str] = &["do", "name", "clients", "lane", "at", "draws", "times"];

pub const DIRECTIONS: &[(&str, Direction)] =
    &[("downstream", Direction::Downstream), ("upstream", Direction::Upstream)];

pub const TOXIC_KEYS: &[&str] = &["type", "name", "clients", "lane", "stream", "toxicity"];

/// Cursors by name, for `set-cursor` and `rewrite-cursor`. The stream of a foreign one stands beside it.
pub(super) const CURSORS: &[(&str, CursorWord)] = &[
    ("zero", CursorWord::Zero),
    ("behind", CursorWord::Behind),
    ("floor", CursorWord::Floor),
    ("below-floor", CursorWord::BelowFloor),
    ("head", CursorWord::Head),
    ("beyond-head", CursorWord::BeyondHead),
    ("at-budget", CursorWord::AtBudget),
    ("beyond-budget", CursorWord::BeyondBudget),
    ("foreign", CursorWord::Foreign(0)),
    ("random", CursorWord::Random),
    ("each", CursorWord::Each),
];

fn named<T>(words: &[(&'static str, T)]) -> Vec<&'static str> {
    words.iter().map(|(word, _)| *word).collect()
}

pub fn payload_words() -> Vec<&'static str> {
    named(PAYLOADS)
}

pub fn key_words() -> Vec<&'static str> {
    named(KEYS)
}

/// The cursors that stand for one by themselves.
pub fn cursor_words() -> Vec<&'static str> {
    named(CURSORS).into_iter().filter(|word| *word != "each").collect()
}

/// The keys of each table of a scenario that takes the same ones always.
pub mod keys {
    pub const SCENARIO: &[&str] = &[
        "schema",
        "name",
        "title",
        "proves",
        "legacy_defects",
        "candidate_defects",
        "converge_within_ms",
        "backoff",
        "expand",
        "window",
        "bridge",
        "streams",
        "identities",
        "clients",
        "steps",
        "faults",
        "toxics",
        "at_least",
        "expect",
        "seed",
        "found",
    ];
    pub const STREAM: &[&str] = &["topic", "retention", "replay_budget", "payload", "keys"];
    pub const IDENTITY: &[&str] = &["name", "tenant", "reads", "writes"];
    pub const CLIENT: &[&str] = &[
        "name",
        "as",
        "streams",
        "replay_batch",
        "serializer",
        "compression",
        "habit",
        "join",
        "reads",
        "driver",
        "legacy",
        "candidate",
        "defect",
    ];
    pub const JOIN: &[&str] = &["build", "protocol", "schema"];
    pub const WINDOW: &[&str] = &["min_build", "max_build", "min_schema", "max_schema"];
    pub const BRIDGE: &[&str] = &["defects"];
    pub const BACKOFF: &[&str] = &["base_ms", "cap_ms"];
    pub const EXPAND: &[&str] = &["position", "how", "when"];
    pub const AT_LEAST: &[&str] = &["deliveries", "resumes", "refusals", "duplicates", "faults"];
    pub const FOUND: &[&str] = &["checker", "reason", "lane", "came", "legacy_defects", "candidate_defects"];
    pub const EXPECT: &[&str] = &["decision", "findings", "lane"];
    /// `at` of a fault: one of these, with `seq`, or with the attributes of a filter.
    pub const POSITIONS: &[&str] =
        &["delivery", "proof", "ack", "resume", "resume_reply", "heartbeat_reply", "message"];
    pub const UNTIL: &[&str] = &["acked", "seq"];
}
