//! The plan: one scenario and one seed, with all random choices made.
//!
//! Both lanes are driven with the same plan, and the checkers judge by it. It lists every event that will be published,
//! with its seq and payload hash, every fault with its position, and the least that the run must have seen.
#![allow(missing_docs, reason = "the names say it")]

mod access;
mod bridge;
pub mod defect;
pub mod fault;
mod habit;
mod misuse;
mod outbox;
mod program;
mod reducers;
mod restore;
mod step;
mod toxic;
mod window;

pub use access::{
    CONNECT, Change, DEEDS, Deed, EXPIRED, FIRST_KEY, Flaw, GOOD, HELD, HOLD, INVALID_TOKEN, Identity, Needs, Refused,
    Right, TOKENS, Token, deed_of, token_of,
};
pub use bridge::{BRIDGE, Beside, Bridge, Mood, RelayState};
pub use fault::{
    Cut, FaultKind, MessageFilter, MessageKind, Mutation, PlannedFault, Position, Predicate, Release, Scope, Times,
    When, rules,
};
pub use habit::{HABITS, Habit, habit_of};
pub use misuse::{MISUSES, Misuse, Request, STREAM, misuse};
pub use outbox::{ENQUEUE, Enqueued, enqueued};
pub use program::{ClientDefect, Programs};
pub use reducers::{Act, REDUCERS, SCRIPTS, Script};
pub use restore::{Copying, Damage, NextEvent, Restore};
pub use step::{
    Claims, HASH_MISMATCH, IDEMPOTENCY_CONFLICT, INVALID_PAYLOAD, ModuleUpdate, NextSeq, PublishExpect,
    SEQUENCE_CONFLICT, ServerAction, Step,
};
pub use toxic::{ByteToxic, Direction, PlannedToxic, Reading, TOXICS, ToxicSpec};
pub use window::{JoinParams, OWN_PROTOCOL, SaidProtocol, Window};

use serde::{Deserialize, Serialize};

use crate::hash::sha256;
use crate::ids::{ClientId, FaultId, LaneId, OpId, Seed, StreamId};
use crate::stats::Budgets;

pub const PLAN_SCHEMA: &str = "cutover.plan/1";

/// The name of the writer where clients are named, as in a fault that cuts an ack.
pub const WRITER: &str = "writer";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub schema: String,
    pub scenario: String,
    pub title: String,
    pub proves: Vec<String>,
    /// The seed that all chance was drawn from.
    pub seed: Seed,
    /// `sha256:` of the scenario file's bytes.
    pub scenario_digest: String,
    /// Defects planted in the reference legacy server by name; empty in an honest scenario.
    pub legacy_defects: Vec<String>,
    /// Defects of the SpacetimeDB module that the candidate is armed with by name; empty in an honest scenario.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidate_defects: Vec<String>,
    /// Which clients each lane lets in; `None` is everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The bridge from the candidate's outbox to a relay; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<Bridge>,
    /// Independent scripts that run side by side: one, or one for each position where the scenario is expanded.
    pub cases: Vec<Case>,
    pub faults: Vec<PlannedFault>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub toxics: Vec<PlannedToxic>,
    /// The least that each lane must have seen for the run to prove anything.
    pub at_least: AtLeast,
    pub expect: Expectation,
    /// By how much a lane may be slower than the other; `None` is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Budgets>,
    /// Longest time from heal to convergence, in milliseconds of wall time.
    pub converge_within_ms: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum PlanReadError {
    #[error("this is no plan ({0}); give the plan.json that a run wrote")]
    Malformed(#[from] serde_json::Error),
    #[error("the plan is of schema `{found}`, but this tool reads `{PLAN_SCHEMA}`; use the version that wrote it")]
    Schema { found: String },
}

impl Plan {
    /// The toxics of one client on one lane that are on before the first step, since no step arms them.
    pub fn toxics_from_start<'p>(
        &'p self,
        client: &'p ClientId,
        lane: LaneId,
    ) -> impl Iterator<Item = &'p PlannedToxic> {
        let arms = |step: &Step, id: &FaultId| matches!(step, Step::Arm { toxics } if toxics.contains(id));
        let later = move |id: &FaultId| self.cases.iter().flat_map(|case| &case.steps).any(|step| arms(step, id));
        let mine = self.toxics.iter().filter(move |toxic| toxic.client == *client && toxic.applies_to(lane));
        mine.filter(move |toxic| !later(&toxic.id))
    }

    pub fn kills_at_once(&self, lane: LaneId) -> usize {
        let steps = self.cases.iter().flat_map(|case| &case.steps);
        steps
            .filter(|step| match step {
                Step::Server { lane: only, action } => {
                    only.is_none_or(|only| only == lane) && action.waits_for_nothing()
                }
                _ => false,
            })
            .count()
    }

    /// Roughly how many seconds its clients spend waiting: for a silent connection, for a server that starts, or for
    /// what a defect keeps back.
    pub fn waits(&self) -> usize {
        let steps = self.cases.iter().flat_map(|case| &case.steps);
        let starts = |step: &&Step| {
            let is_of_a_server = matches!(step, Step::Server { .. } | Step::Backup { .. } | Step::Restore(_));
            is_of_a_server || matches!(step, Step::Beside { .. } | Step::UpdateModule { .. })
        };
        let servers = steps.filter(starts).count();
        let bridged = self.bridge.as_ref().map_or(0, |bridge| 1 + 3 * bridge.defects.len());
        let faults = self.faults.iter().map(|fault| match fault.kind {
            FaultKind::Drop | FaultKind::Cut { how: Cut::Silence, .. } => 3,
            FaultKind::Mutate { .. } => 1,
            _ if matches!(fault.at, Position::HeartbeatReply { .. }) => 3,
            _ => 0,
        });
        // A writer gets some 500 answers a second.
        let writes = self.ops().count() / 500;
        servers
            + faults.sum::<usize>()
            + 2 * (self.legacy_defects.len() + self.candidate_defects.len())
            + self.toxics.len()
            + bridged
            + writes
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.cases.iter().flat_map(|case| &case.steps)
    }

    /// Whether the lanes take turns, since times are measured. No other plan is driven meanwhile.
    pub fn takes_turns(&self) -> bool {
        self.steps().any(|step| matches!(step, Step::TakeTurn { .. }))
    }

    /// Whether publishes are sent at a rate.
    pub fn has_rate(&self) -> bool {
        self.steps().any(|step| matches!(step, Step::Publish { due_us: Some(_), .. }))
    }

    /// Whether the time that clients need to recover is measured.
    pub fn times_recoveries(&self) -> bool {
        self.takes_turns() && !self.has_rate() && !self.faults.is_empty()
    }

    pub fn budgets(&self) -> Budgets {
        self.budgets.unwrap_or_default()
    }

    /// The updates of the module, in order.
    pub fn module_updates(&self) -> impl Iterator<Item = ModuleUpdate> {
        self.steps().filter_map(|step| match step {
            Step::UpdateModule { update } => Some(*update),
            _ => None,
        })
    }

    /// The names of the backups.
    pub fn backups(&self) -> impl Iterator<Item = &str> {
        let steps = self.cases.iter().flat_map(|case| &case.steps);
        steps.filter_map(|step| match step {
            Step::Backup { backup, .. } => Some(backup.as_str()),
            _ => None,
        })
    }

    /// Whether tokens decide who may do what.
    pub fn has_identities(&self) -> bool {
        self.cases.iter().any(|case| !case.identities.is_empty())
    }

    pub fn ops(&self) -> impl Iterator<Item = OpId> {
        let steps = self.cases.iter().flat_map(|case| case.steps.iter().chain(&case.proof_of_life));
        steps.filter_map(|step| match step {
            Step::Policy { op, .. }
            | Step::Publish { op, .. }
            | Step::Prune { op, .. }
            | Step::Checkpoint { op, .. }
            | Step::Count { op, .. }
            | Step::Call { op, .. }
            | Step::Rows { op, .. }
            | Step::Misuse { op, .. }
            | Step::Attempt { op, .. } => Some(*op),
            _ => None,
        })
    }

    /// The plan as JSON: the same plan, the same bytes.
    pub fn to_json(&self) -> String {
        // Every map in a plan has text keys and nothing in it refuses to be serialized, so there is always a text.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `sha256:` of the plan's JSON.
    pub fn digest(&self) -> String {
        sha256(self.to_json().as_bytes())
    }

    /// Reads a plan back.
    ///
    /// # Errors
    /// Where the text is no plan, or one of another schema.
    pub fn from_json(text: &str) -> Result<Plan, PlanReadError> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let head: Head = serde_json::from_str(text)?;
        if head.schema != PLAN_SCHEMA {
            return Err(PlanReadError::Schema { found: head.schema });
        }
        Ok(serde_json::from_str(text)?)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The case's name within the scenario: `main`, or the position that it was expanded for.
    pub name: String,
    pub streams: Vec<PlannedStream>,
    /// Whose tokens are used. Where there are none, nothing is asked of a token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<Identity>,
    /// The clients that it drives. No client belongs to two cases.
    pub clients: Vec<PlannedClient>,
    /// The wait before each further attempt of the writer at one operation, drawn and meant as a client's `backoff_ms`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writer_backoff_ms: Vec<u64>,
    pub steps: Vec<Step>,
    /// One more publish to every stream, done once all has healed and converged. Each must reach every connected client
    /// live, on the connection that it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proof_of_life: Vec<Step>,
}

impl Case {
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().chain(&self.proof_of_life)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStream {
    pub id: StreamId,
    /// How many of the newest events are retained; `None` leaves the class's default (which no scenario reaches).
    pub retention: Option<u64>,
    /// How many events a resume may replay; `None` leaves the class's default (which no scenario reaches).
    pub replay_budget: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedClient {
    /// Unique in the plan.
    pub id: ClientId,
    pub streams: Vec<StreamId>,
    /// Events per replay batch, on a lane that batches.
    pub replay_batch: u32,
    /// On a Phoenix lane.
    pub serializer: Serializer,
    /// On a SpacetimeDB lane.
    pub compression: Compression,
    /// Whose tokens it presents; `None` in a case without identities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The wait before each reconnect in a row, in milliseconds, full jitter already drawn; past its end the
    /// last one doubles each time, up to a cap.
    pub backoff_ms: Vec<u64>,
    /// How it reconnects on the legacy lane, by its name in [`HABITS`]; `None` where it does as the plan drew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub habit: Option<String>,
    /// What it says of itself as it joins; `None` leaves that to the lane's profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinParams>,
    /// Known-bad: it asks for reads that are not confirmed, and says that they were.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passes_off: bool,
    /// The programs that stand in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programs: Option<Programs>,
    /// The code by which each lane must refuse it. Such a client follows no stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// The two wire formats of a Phoenix socket (contract, "Transport").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Serializer {
    /// `vsn=1.0.0`: objects.
    V1,
    /// `vsn=2.0.0`: arrays.
    V2,
}

/// The compressions of a SpacetimeDB socket (contract, candidate lane).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    None,
    /// Messages over the server's threshold are gzip.
    Gzip,
    /// Messages over the server's threshold are Brotli.
    Brotli,
}

/// The least that each lane must have seen. Short of it, a green run is vacuous and the verdict is `Unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AtLeast {
    /// Events applied by clients.
    pub deliveries: u64,
    /// Subscribes with a cursor that the lane accepted.
    pub resumes: u64,
    /// Resumes that the lane refused as stale.
    pub refusals: u64,
    /// Repeated deliveries that a client suppressed.
    pub duplicates: u64,
    pub faults: u64,
}

/// What the gate must make of a scenario: an honest one is allowed, a known-bad one is blocked with exactly its
/// findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "lowercase")]
pub enum Expectation {
    Allow,
    /// Exactly these findings, by checker, on that lane.
    Block {
        /// Names of checkers, sorted.
        findings: Vec<String>,
        lane: LaneId,
    },
}
