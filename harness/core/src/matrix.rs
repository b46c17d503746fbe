//! The verification matrix: what must be shown before the legacy lane may go, and what each lane must have seen for a
//! row to count as shown.
//!
//! A row is made of parts. A scenario that claims a row must let each lane see one part of it at least; the row is
//! shown once every part was seen on each lane, in scenarios that claim it and passed.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::LaneId;
use crate::topic::Form;

/// So many publishes at the same moment show [`Part::WritersTogether`].
pub const WRITERS: u64 = 16;

#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub meaning: &'static str,
    /// What each lane must have seen, but for what only the other one can show.
    pub parts: &'static [Part],
}

/// Something that a lane must have seen: [`Part::says`] has the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    FollowedLive,
    LateBootstrap,
    ReplayAfterReconnect,
    ReplayAcrossKill,
    RepeatedFrame,
    RepeatedPublish,
    OverlappingReplay,
    LostAnswer,
    FloorBreach,
    BudgetExceeded,
    CarriedOver,
    ResumedRun,
    ResumedWorker,
    ResumedUser,
    ResumedGuest,
    OtherHistory,
    DeviceReturns,
    DevicesEqual,
    ConfirmedSurvives,
    RefusedWithoutBuild,
    RefusedProtocol,
    RefusedSchema,
    RefusedTooOld,
    RefusedTooNew,
    LetIn,
    LetInUnasked,
    CountedTogether,
    CountedGone,
    CountedAfterCrash,
    CountedAcrossKill,
    TokenAccepted,
    TokenReminted,
    TokensRefused,
    LeewayEdges,
    KeyRotated,
    RevokedConnected,
    ExpiryStorm,
    ReadsWithinGrants,
    WritesWithinRights,
    TenantsApart,
    WithdrawnConnected,
    CallsRepeated,
    CallsRefused,
    WritersTogether,
    SeqExpected,
    HashRefused,
    CheckpointBack,
    DeliveriesTimed,
    RecoveriesTimed,
    RestoredHot,
    RestoredCold,
    RestoredBelowCursor,
    TornTailNamed,
    MissingSegmentNamed,
    OlderCopyNamed,
    OutboxMirrored,
    RelayDown,
    RelaySlow,
    RelayRefusing,
    RelayBlocking,
    RelaySilent,
    RelayGarbling,
    RelayFlapping,
    BridgeKilled,
    SlowThrottled,
    SlowDropped,
    SlowRecovered,
    OthersOnTime,
}

impl Part {
    /// What must be seen, in words that follow "missing:".
    pub fn says(self) -> &'static str {
        match self {
            Part::FollowedLive => "events that a client followed live",
            Part::LateBootstrap => "a bootstrap that brought what was published before",
            Part::ReplayAfterReconnect => "a reconnect with a replay of what was missed",
            Part::ReplayAcrossKill => "a server kill, and a replay of what was published before it",
            Part::RepeatedFrame => "a message that came again and was suppressed",
            Part::RepeatedPublish => "a repeated publish that was answered with the first seq",
            Part::OverlappingReplay => "a replay of events that were applied before",
            Part::LostAnswer => "a publish whose answer was lost and that was retried",
            Part::FloorBreach => "a refusal for retention_floor_breach, then a bootstrap that applied events",
            Part::BudgetExceeded => "a refusal for replay_budget_exceeded, then a bootstrap that applied events",
            Part::CarriedOver => "a cursor that was carried over and resumed at the next event",
            Part::ResumedRun => "a resume at the next event of a run:<id>:events",
            Part::ResumedWorker => "a resume at the next event of a worker:<id>:lifecycle",
            Part::ResumedUser => "a resume at the next event of a fleet:user:<id>:workers",
            Part::ResumedGuest => "a resume at the next event of a fleet:guest:<id>:workers",
            Part::OtherHistory => "a cursor beyond the head, given up for a bootstrap",
            Part::DeviceReturns => "one of several devices that left and was given what it missed",
            Part::DevicesEqual => "several devices that ended with equal cursors",
            Part::ConfirmedSurvives => "a kill at once, and a replay of all that confirmed reads had shown",
            Part::RefusedWithoutBuild => "a client that names no build, refused for that",
            Part::RefusedProtocol => "a client of another protocol version, refused for that",
            Part::RefusedSchema => "a client of another schema version, refused for that",
            Part::RefusedTooOld => "a client of a build before the first one, refused for that",
            Part::RefusedTooNew => "a client of a build behind the last one, refused for that",
            Part::LetIn => "a client within the window, let in while builds and schemas are checked",
            Part::LetInUnasked => "a client that says what it likes, let in while nothing is checked",
            Part::CountedTogether => "two connected clients, counted as two",
            Part::CountedGone => "clients that were counted and left, counted no more",
            Part::CountedAfterCrash => "a client that died, counted no more",
            Part::CountedAcrossKill => "a server kill, and the count of the clients that came back",
            Part::TokenAccepted => "a good token that was accepted",
            Part::TokenReminted => "a client that took another token before its own expired",
            Part::TokensRefused => "a refusal of each kind of bad token",
            Part::LeewayEdges => "tokens on both sides of the leeway, at both ends of their time",
            Part::KeyRotated => "a key that was good after a rotation, and refused once it was retired",
            Part::RevokedConnected => "a connection that got nothing more once its token was revoked",
            Part::ExpiryStorm => "several clients whose tokens expired, all of them back with new ones",
            Part::ReadsWithinGrants => "each way to read a stream, tried without a grant",
            Part::WritesWithinRights => "each way to write, tried without the right",
            Part::TenantsApart => "two tenants with streams of one id, each of which got its own alone",
            Part::WithdrawnConnected => "a connection that got nothing more of a stream once its grant was withdrawn",
            Part::CallsRepeated => "a call of each reducer that was repeated under its key and changed nothing",
            Part::CallsRefused => "a call of each reducer that was refused with its code and changed nothing",
            Part::WritersTogether => "16 publishes at the same moment that got a seq each",
            Part::SeqExpected => "publishes that expect the right, a wrong and a stale seq",
            Part::HashRefused => "a publish that was refused for a wrong hash",
            Part::CheckpointBack => "a checkpoint that was to go back and was refused",
            Part::DeliveriesTimed => "deliveries at a rate, by turns with the other lane, enough for a p95",
            Part::RecoveriesTimed => "recoveries by turns with the other lane, enough for a p95",
            Part::RestoredHot => "a backup taken while writing, restored with all that was acknowledged before it",
            Part::RestoredCold => "a backup of a stopped server, restored with all its events",
            Part::RestoredBelowCursor => {
                "clients with cursors beyond the restored head, told so, with all that the restored server holds"
            }
            Part::TornTailNamed => "a backup with a torn tail, found by its list of files and by its heads",
            Part::MissingSegmentNamed => "a backup that lacks a file of the log, found by its list and its heads",
            Part::OlderCopyNamed => "an older backup in place of the newer one, found by its list and its heads",
            Part::OutboxMirrored => "an outbox that was mirrored once and in order, with each row marked",
            Part::RelayDown => "events published and delivered while the relay was down, and mirrored later",
            Part::RelaySlow => "events published and delivered while the relay was slow, and mirrored",
            Part::RelayRefusing => "events published and delivered while the relay refused for now, and mirrored later",
            Part::RelayBlocking => "an event that the relay blocked, and later ones that were mirrored",
            Part::RelaySilent => "an event whose answer never came, sent again as the same one",
            Part::RelayGarbling => "events published and delivered while the relay sent garbage, and mirrored later",
            Part::RelayFlapping => "events published and delivered while the relay came and went, and mirrored later",
            Part::BridgeKilled => "a bridge that was killed while rows waited, and mirrored them after its restart",
            Part::SlowThrottled => "a client that reads too slowly, told so twice with the action throttle",
            Part::SlowDropped => "a client that reads too slowly, dropped by the lane",
            Part::SlowRecovered => "a client that read too slowly and lost its connection, given what it missed",
            Part::OthersOnTime => "clients that got all that was published while another one did not read",
        }
    }

    /// The only lane that can show it; `None` is each.
    pub fn only(self) -> Option<LaneId> {
        match self {
            Part::SlowThrottled => Some(LaneId::Legacy),
            Part::CallsRepeated | Part::CallsRefused | Part::HashRefused | Part::CheckpointBack => {
                Some(LaneId::Candidate)
            }
            part if part.is_of_the_bridge() => Some(LaneId::Candidate),
            _ => None,
        }
    }

    pub fn is_of_the_bridge(self) -> bool {
        use Part::{BridgeKilled, OutboxMirrored};
        matches!(self, OutboxMirrored | BridgeKilled) || self.is_of_the_relay()
    }

    fn is_of_the_relay(self) -> bool {
        use Part::{RelayBlocking, RelayDown, RelayFlapping, RelayGarbling, RelayRefusing, RelaySilent, RelaySlow};
        matches!(
            self,
            RelayDown | RelaySlow | RelayRefusing | RelayBlocking | RelaySilent | RelayGarbling | RelayFlapping
        )
    }

    pub fn is_owed_by(self, lane: LaneId) -> bool {
        self.only().is_none_or(|only| only == lane)
    }

    pub fn needs_a_kill(self) -> bool {
        use Part::{ConfirmedSurvives, CountedAcrossKill, ReplayAcrossKill};
        matches!(self, ReplayAcrossKill | ConfirmedSurvives | CountedAcrossKill) || self.is_of_a_restore()
    }

    fn is_of_a_restore(self) -> bool {
        use Part::{
            MissingSegmentNamed, OlderCopyNamed, RestoredBelowCursor, RestoredCold, RestoredHot, TornTailNamed,
        };
        matches!(
            self,
            RestoredHot | RestoredCold | RestoredBelowCursor | TornTailNamed | MissingSegmentNamed | OlderCopyNamed
        )
    }

    pub fn is_a_count(self) -> bool {
        use Part::{CountedAcrossKill, CountedAfterCrash, CountedGone, CountedTogether};
        matches!(self, CountedTogether | CountedGone | CountedAfterCrash | CountedAcrossKill)
    }

    /// Whether a lane shows it only once its queue and all buffers before a client are full.
    pub fn needs_full_buffers(self) -> bool {
        matches!(self, Part::SlowThrottled | Part::SlowDropped)
    }

    /// What a client shows that says something of itself as it joins: it is refused by a code, or let in, while that is
    /// `checked` or not.
    pub fn joined(refused: Option<&str>, checked: bool) -> Option<Part> {
        match refused {
            None if checked => Some(Part::LetIn),
            None => Some(Part::LetInUnasked),
            Some("invalid_client_build") => Some(Part::RefusedWithoutBuild),
            Some("unsupported_protocol_version") => Some(Part::RefusedProtocol),
            Some("unsupported_schema_version") => Some(Part::RefusedSchema),
            Some("upgrade_required") => Some(Part::RefusedTooOld),
            Some("unsupported_client_build") => Some(Part::RefusedTooNew),
            Some(_) => None,
        }
    }

    pub fn resumed(topic: &str) -> Option<Part> {
        match Form::of(topic) {
            Form::Run(_) => Some(Part::ResumedRun),
            Form::Worker(_) => Some(Part::ResumedWorker),
            Form::FleetUser(_) => Some(Part::ResumedUser),
            Form::FleetGuest(_) => Some(Part::ResumedGuest),
            Form::CodexWorkerEvents | Form::Other => None,
        }
    }
}

pub const ROWS: [Row; 16] = [
    Row {
        name: "replay-determinism",
        meaning: "same history, same vectors, across reconnects, server restarts and snapshot boundaries",
        parts: &[Part::FollowedLive, Part::LateBootstrap, Part::ReplayAfterReconnect, Part::ReplayAcrossKill],
    },
    Row {
        name: "duplicate-idempotency",
        meaning: "repeated frames, repeated publishes, overlapping replays: applied once",
        parts: &[Part::RepeatedFrame, Part::RepeatedPublish, Part::OverlappingReplay, Part::LostAnswer],
    },
    Row {
        name: "stale-cursor-recovery",
        meaning: "refused with the right reason, rebootstrapped, then exactly the log",
        parts: &[Part::FloorBreach, Part::BudgetExceeded],
    },
    Row {
        name: "cursor-continuity",
        meaning: "a legacy cursor carried over resumes at the same event; topic and stream map both ways",
        parts: &[
            Part::CarriedOver,
            Part::ResumedRun,
            Part::ResumedWorker,
            Part::ResumedUser,
            Part::ResumedGuest,
            Part::OtherHistory,
        ],
    },
    Row {
        name: "durability-gated-delivery",
        meaning: "what a confirmed subscriber saw survives a kill -9; no kill can prove an fsync",
        parts: &[Part::ConfirmedSurvives],
    },
    Row {
        name: "compatibility-negotiation",
        meaning: "every refusal of a join: same code and same window on both lanes",
        parts: &[
            Part::RefusedWithoutBuild,
            Part::RefusedProtocol,
            Part::RefusedSchema,
            Part::RefusedTooOld,
            Part::RefusedTooNew,
            Part::LetIn,
            Part::LetInUnasked,
        ],
    },
    Row {
        name: "token-lifecycle",
        meaning: "tokens minted, refreshed, expired, revoked and rotated are treated alike",
        parts: &[
            Part::TokenAccepted,
            Part::TokenReminted,
            Part::TokensRefused,
            Part::LeewayEdges,
            Part::KeyRotated,
            Part::RevokedConnected,
            Part::ExpiryStorm,
        ],
    },
    Row {
        name: "authorization",
        meaning: "nothing is delivered beyond its grants or written beyond its claims; tenants never mix",
        parts: &[Part::ReadsWithinGrants, Part::WritesWithinRights, Part::TenantsApart, Part::WithdrawnConnected],
    },
    Row {
        name: "presence-handshake",
        meaning: "clients are seen while connected, and no longer once gone or killed",
        parts: &[Part::CountedTogether, Part::CountedGone, Part::CountedAfterCrash, Part::CountedAcrossKill],
    },
    Row {
        name: "reducer-rules",
        meaning: "reducers are idempotent by key, conflicts explicit, seqs gap-free, wrong hashes refused",
        parts: &[
            Part::CallsRepeated,
            Part::CallsRefused,
            Part::WritersTogether,
            Part::SeqExpected,
            Part::HashRefused,
            Part::CheckpointBack,
        ],
    },
    Row {
        name: "restore-drill",
        meaning: "a restored backup replays to the same vectors; a torn copy is detected",
        parts: &[
            Part::RestoredHot,
            Part::RestoredCold,
            Part::RestoredBelowCursor,
            Part::TornTailNamed,
            Part::MissingSegmentNamed,
            Part::OlderCopyNamed,
        ],
    },
    Row {
        name: "bridge-isolation",
        meaning: "streams progress whatever the relay does; the outbox drains once and in order",
        parts: &[
            Part::OutboxMirrored,
            Part::RelayDown,
            Part::RelaySlow,
            Part::RelayRefusing,
            Part::RelayBlocking,
            Part::RelaySilent,
            Part::RelayGarbling,
            Part::RelayFlapping,
            Part::BridgeKilled,
        ],
    },
    Row {
        name: "slow-consumer",
        meaning: "a client that does not read is throttled, then dropped, and recovers by replay",
        parts: &[Part::SlowThrottled, Part::SlowDropped, Part::SlowRecovered, Part::OthersOnTime],
    },
    Row {
        name: "multi-device",
        meaning: "one user's devices, coming and going, end with equal state",
        parts: &[Part::DeviceReturns, Part::DevicesEqual],
    },
    Row {
        name: "recovery-time",
        meaning: "bounded time from heal to convergence, per lane, compared",
        parts: &[Part::RecoveriesTimed],
    },
    Row {
        name: "latency-parity",
        meaning: "the candidate's delivery latency is within its budget of the legacy lane's",
        parts: &[Part::DeliveriesTimed],
    },
];

impl Row {
    /// Whether a lane that saw these parts saw one of the row.
    pub fn is_seen(&self, parts: &BTreeSet<Part>) -> bool {
        self.parts.iter().any(|part| parts.contains(part))
    }

    /// Whether a scenario may show the row on one lane alone, because only that lane has a part of it.
    pub fn is_of_one_lane(&self) -> bool {
        self.parts.iter().any(|part| part.only().is_some())
    }
}

pub fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

pub fn listed(parts: &BTreeSet<Part>) -> String {
    let parts: Vec<_> = parts.iter().map(|part| part.says()).collect();
    parts.join("; ")
}
