//! Which scenarios two lanes can be put through. It follows from the plan and from what can be done to each lane, so
//! that recheck computes it again.
#![allow(missing_docs, reason = "the names say it")]

mod wanted;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::module;
pub use super::updates::Updates;
use crate::ids::{LaneId, Protocol};
use crate::matrix::Part;
use crate::plan::{
    Cut, Expectation, FIRST_KEY, FaultKind, HASH_MISMATCH, MessageKind, Mutation, Plan, PlannedClient, PlannedFault,
    Position, SEQUENCE_CONFLICT, ServerAction, Step, WRITER, Window, deed_of, token_of,
};
use crate::topic;
use wanted::{publishes_wrongly, repeats_what_may_be_pruned, rewrites_one_of_several, wants_only_a_budget};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerKind {
    /// The one inside this tool, started by the run.
    BuiltIn,
    /// Another binary, started by the run.
    Binary,
    /// A server that was there before the run.
    Outside,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Means {
    /// Where its server comes from. One that the run did not start is not killed and not paused.
    pub server: ServerKind,
    /// Whether a stream's retention and replay budget can be set.
    pub sets_policies: bool,
    /// Whether the run's streams are created beside those of others.
    pub shared: bool,
    /// Whether the run's streams carry a word of the run in their ids.
    pub scoped: bool,
    /// Whether its subscribers see an event only once it is on disk.
    pub confirms_reads: bool,
    /// Whether an unsubscribe leaves the watermark, so that a subscribe without a cursor goes on from there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_watermarks: bool,
    /// Whether the seq of a repeated publish can't be read once its event is pruned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hides_keys: bool,
    /// Whether the connections of its clients can be counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts_connections: bool,
    #[serde(default, skip_serializing_if = "Windows::is_chosen")]
    pub windows: Windows,
    /// Whether the run's tokens are good there, and end when the run says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_tokens: bool,
    /// Whether the run owns no database there with our module, so that no bridge can read its outbox.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lacks_outbox: bool,
    /// The tokens and deeds of a plan that can't be asked of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
    /// The tables and reducers of this tool's module that its module does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Whether its profile describes another module than this tool's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other_module: bool,
    /// Whether a publish names no hash, or no seq that it expects.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_no_hash: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_no_seq: bool,
    /// Whether its module tells signals that it does not keep.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sends_signals: bool,
    /// What its module may be updated to while clients follow it.
    #[serde(default, skip_serializing_if = "Updates::is_none")]
    pub updates: Updates,
    /// Whether no call judges the cursors of a resume, so that none is ever stale.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub judges_no_cursor: bool,
    /// Whether a client subscribes to one stream after the other, each by a join of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joins_each_topic: bool,
    /// What its server speaks, where that is not usual for its role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
}

/// Which clients a lane lets in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Windows {
    /// Those that a run chooses.
    #[default]
    Chosen,
    /// Those of this window; everybody where there is none.
    Fixed(Option<Window>),
    /// The profile does not say.
    Unsaid,
}

impl Windows {
    fn is_chosen(&self) -> bool {
        *self == Windows::Chosen
    }
}

impl Means {
    /// A server that the run started: everything can be done to it.
    pub fn of_ours(server: ServerKind) -> Means {
        Means {
            server,
            sets_policies: true,
            shared: false,
            scoped: false,
            confirms_reads: false,
            keeps_watermarks: false,
            hides_keys: false,
            counts_connections: true,
            windows: Windows::Chosen,
            takes_tokens: true,
            lacks_outbox: false,
            lacks: Vec::new(),
            missing: Vec::new(),
            other_module: false,
            takes_no_hash: false,
            takes_no_seq: false,
            sends_signals: false,
            updates: if server == ServerKind::Outside { Updates::None } else { Updates::Additive },
            judges_no_cursor: false,
            joins_each_topic: false,
            protocol: None,
        }
    }

    pub fn protocol(&self, role: LaneId) -> Protocol {
        self.protocol.unwrap_or(Protocol::usual(role))
    }

    /// The first of these names that its module does not have.
    fn misses<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        names.into_iter().find(|name| self.missing.iter().any(|missing| missing == name))
    }

    fn has_outbox(&self, lane: LaneId) -> bool {
        !self.lacks_outbox && self.misses([module::OUTBOX]).is_none() && self.protocol(lane) == Protocol::Spacetime
    }

    /// Whether the run started the server, and so may kill and pause it.
    pub fn is_ours(&self) -> bool {
        self.server != ServerKind::Outside
    }
}

/// Whether programs can stand in the place of a plan's clients. A program does what `docs/CLIENTS.md` lists, and no
/// more.
///
/// # Errors
/// What the plan has its clients do that a program can't be told.
pub fn takes_programs(plan: &Plan) -> Result<(), &'static str> {
    let clients = || plan.cases.iter().flat_map(|case| &case.clients);
    let step = |step: &Step| match step {
        Step::Resubscribe { .. } => Some("unsubscribe"),
        Step::SetCursor { .. } => Some("overwrite its checkpoint"),
        Step::Count { .. } => Some("be counted by name"),
        Step::Backup { .. } | Step::Restore(_) => Some("come back to a restored server"),
        _ => None,
    };
    let can_not = if plan.has_identities() {
        Some("present tokens of the run")
    } else if plan.window.is_some() || clients().any(|client| client.join.is_some() || client.passes_off) {
        Some("say of itself what a scenario chooses")
    } else if plan.takes_turns() {
        Some("be measured")
    } else if plan.toxics.iter().any(|toxic| toxic.reading().is_some()) {
        Some("read too slowly")
    } else {
        plan.steps().find_map(step)
    };
    can_not.map_or(Ok(()), Err)
}

/// Whether a program that knows nothing of a plan can stand in the place of its clients. Programs differ in how often
/// they ask to resume, whether they ask for that in one message, and how soon they notice silence.
pub fn takes_any_program(plan: &Plan) -> bool {
    use MessageKind::{Heartbeat, HeartbeatReply, Resume, ResumeReply};
    let counts = |fault: &PlannedFault| match (&fault.at, &fault.kind) {
        (_, FaultKind::RewriteCursor { .. } | FaultKind::Cut { how: Cut::Silence, .. }) => true,
        (Position::Resume { nth } | Position::ResumeReply { nth }, _) => *nth > 2,
        (Position::HeartbeatReply { .. }, _) => true,
        (Position::Message(filter), _) => {
            filter.kind.is_some_and(|kind| [Heartbeat, HeartbeatReply, Resume, ResumeReply].contains(&kind))
        }
        (Position::Delivery { .. } | Position::Ack { .. }, _) => false,
    };
    let pauses = |step: &Step| matches!(step, Step::Server { action: ServerAction::Pause, .. });
    let of_clients = |fault: &&PlannedFault| fault.client.as_str() != WRITER;
    takes_programs(plan).is_ok() && !plan.faults.iter().filter(of_clients).any(counts) && !plan.steps().any(pauses)
}

/// Why a plan can't be driven over these lanes; `None` where it can. `aa` is the lane that runs against itself.
pub fn unfit(plan: &Plan, lanes: &BTreeMap<LaneId, Means>, aa: Option<LaneId>) -> Option<String> {
    let lane_of = |role: LaneId| aa.unwrap_or(role);
    let runs = |lane, ours: fn(&Means) -> bool| lane_of(lane) == lane && lanes.get(&lane).is_some_and(ours);
    if !plan.legacy_defects.is_empty() && !runs(LaneId::Legacy, |means| means.server == ServerKind::BuiltIn) {
        return Some("it plants a defect in the built-in legacy server, which does not run here".to_owned());
    }
    let has_programs = plan.cases.iter().flat_map(|case| &case.clients).any(|client| client.programs.is_some());
    if let (true, Err(what)) = (has_programs, takes_programs(plan)) {
        return Some(format!("a program stands in a client's place, and none can be told to {what}"));
    }
    let plants = |client: &PlannedClient| client.programs.as_ref().is_some_and(|programs| programs.defect.is_some());
    let plants_a_client = plan.cases.iter().flat_map(|case| &case.clients).any(plants);
    if let (true, Expectation::Block { lane, .. }) = (plants_a_client, &plan.expect)
        && lane_of(*lane) != *lane
    {
        return Some(format!("it plants a defect in a client of the {lane} lane, which does not run here"));
    }
    let plants_a_bridge = plan.bridge.as_ref().is_some_and(|bridge| !bridge.defects.is_empty());
    if plants_a_bridge && lane_of(LaneId::Candidate) != LaneId::Candidate {
        return Some("it plants a defect in the bridge, and no candidate runs here".to_owned());
    }
    if !plan.candidate_defects.is_empty() && !runs(LaneId::Candidate, Means::is_ours) {
        return Some("it plants a defect in the module, and this tool did not start the candidate".to_owned());
    }
    if !plan.candidate_defects.is_empty() && runs(LaneId::Candidate, |means| means.other_module) {
        return Some("it plants a defect in this tool's module, and the candidate has another one".to_owned());
    }
    let alone = lanes.contains_key(&LaneId::Candidate) && !lanes.contains_key(&lane_of(LaneId::Legacy));
    if alone && plan.takes_turns() {
        return Some("it compares the times of two lanes, and baselines stand for one of them in this run".to_owned());
    }
    if alone && matches!(plan.expect, Expectation::Block { lane: LaneId::Legacy, .. }) {
        return Some("its defect is on the legacy lane, for which baselines stand in this run".to_owned());
    }
    let is_spacetime =
        |role| lanes.get(&lane_of(role)).is_none_or(|means| means.protocol(lane_of(role)) == Protocol::Spacetime);
    if changes_an_argument(plan, is_spacetime) {
        return Some("it changes an argument of a SpacetimeDB call, and no SpacetimeDB runs here".to_owned());
    }
    if plan.module_updates().next().is_some() && !LaneId::BOTH.into_iter().any(is_spacetime) {
        return Some("it updates the module of a SpacetimeDB lane, and no SpacetimeDB runs here".to_owned());
    }
    if plan.has_signals() && !LaneId::BOTH.into_iter().any(is_spacetime) {
        return Some("it sends signals through an event table, and no SpacetimeDB runs here".to_owned());
    }
    let has_our_module =
        |role| is_spacetime(role) && !lanes.get(&lane_of(role)).is_some_and(|means| means.other_module);
    if changes_an_argument(plan, has_our_module) {
        let what = "it changes an argument of a SpacetimeDB call by its place, and the module";
        return Some(format!("{what} that runs here takes others"));
    }
    LaneId::BOTH.into_iter().find_map(|role| {
        let lane = lane_of(role);
        unfit_for(plan, role, lane, lanes.get(&lane)?, aa.is_some())
    })
}

fn unfit_for(plan: &Plan, role: LaneId, lane: LaneId, means: &Means, aa: bool) -> Option<String> {
    if plan.kills_at_once(role) > 0 && means.protocol(lane) == Protocol::Spacetime && !means.confirms_reads {
        let what = format!("it kills the {lane} at once, and the lane promises nothing of what was seen");
        return Some(format!("{what}: its profile does not say `confirmed = true`"));
    }
    if let Some(name) = means.misses(module::used_by(plan)) {
        return Some(format!("it uses `{name}`, and the module of the {lane} lane has none like it"));
    }
    if plan.has_signals() && means.protocol(lane) == Protocol::Spacetime && !means.sends_signals {
        return Some(format!("it sends signals through an event table, and by its profile the {lane} lane has none"));
    }
    let wanted = plan.module_updates().map(Updates::from).max().unwrap_or_default();
    if wanted > means.updates && means.protocol(lane) == Protocol::Spacetime {
        return Some(match means.updates {
            Updates::None => {
                format!("it updates this tool's module on a server of the run, which the {lane} lane is not")
            }
            _ => format!(
                "it publishes a breaking update, and the server of the {lane} lane asks for a migration by hand"
            ),
        });
    }
    let claimed = [(HASH_MISMATCH, means.takes_no_hash, "hash"), (SEQUENCE_CONFLICT, means.takes_no_seq, "seq")];
    for (code, _, what) in claimed.iter().filter(|(_, untaken, _)| *untaken) {
        if publishes_wrongly(plan, role, code) {
            return Some(format!("it publishes with a wrong {what}, and a publish of the {lane} lane names none"));
        }
    }
    if means.joins_each_topic && rewrites_one_of_several(plan, role) {
        let what = "it rewrites one cursor of a resume with several, and by its profile the";
        return Some(format!("{what} {lane} lane resumes one stream after the other"));
    }
    if let Some(why) = unfit_window(plan, lane, &means.windows) {
        return Some(why);
    }
    if plan.has_identities() && !means.takes_tokens {
        let what = "it uses tokens of this run, which the";
        return Some(format!("{what} {lane} lane does not take: docs/LANES.md says what its profile needs"));
    }
    if plan.bridge.is_some() && role == LaneId::Candidate && !means.has_outbox(lane) {
        let what = "it has a bridge, which reads the outbox of a database with our module that the run owns, and the";
        return Some(format!("{what} {lane} lane has none"));
    }
    let shows_no_judge = means.judges_no_cursor && wants_only_a_budget(plan);
    if sets_policies(plan) && !means.sets_policies && !shows_no_judge {
        let what = "it sets retention or a replay budget, which by its profile can't be set on";
        return Some(format!("{what} the {lane} lane"));
    }
    if means.is_ours() {
        return None;
    }
    if plan.backups().next().is_some() {
        return Some(format!("it copies the files of the {lane} server, which this tool did not start"));
    }
    if harms(plan, role) {
        return Some(format!("it kills or pauses the {lane} server, which this tool did not start"));
    }
    if resubscribes(plan) && means.keeps_watermarks {
        let what = "a client unsubscribes and expects a replay from the beginning, and by its profile";
        return Some(format!("{what} the {lane} lane goes on from the watermark"));
    }
    if means.hides_keys && repeats_what_may_be_pruned(plan) {
        let what =
            "it repeats publishes whose events may be pruned, and only the database's owner can read their seqs on";
        return Some(format!("{what} the {lane} lane: give the owner's token"));
    }
    if !means.shared {
        return None;
    }
    if aa && !means.scoped {
        let what = "both of its lanes would write to the same streams, as the profile says `scoped = false` of";
        return Some(format!("{what} the {lane} lane"));
    }
    let streams = plan.cases.iter().flat_map(|case| &case.streams);
    let without_id =
        streams.map(|stream| stream.id.as_str()).find(|id| means.scoped && topic::scoped(id, "x").is_none())?;
    Some(format!("`{without_id}` has no id to carry a word of this run, and the {lane} lane is shared with others"))
}

fn unfit_window(plan: &Plan, lane: LaneId, windows: &Windows) -> Option<String> {
    let mut clients = plan.cases.iter().flat_map(|case| &case.clients);
    if !clients.any(|client| client.join.is_some()) {
        return None;
    }
    match windows {
        Windows::Chosen => None,
        Windows::Fixed(window) if *window == plan.window => None,
        Windows::Fixed(_) => Some(format!("it is about other clients than those that the {lane} lane lets in")),
        Windows::Unsaid => {
            let what = format!("it is about which clients the {lane} lane lets in, and a run can't choose that");
            Some(format!("{what}: `[window]` of a profile says it"))
        }
    }
}

/// What a report says of a part whose promise a lane does not make; `None` where it does.
pub fn cannot_promise(part: Part, lane: LaneId, means: &Means) -> Option<String> {
    let promises = means.confirms_reads || means.protocol(lane) != Protocol::Spacetime;
    (part == Part::ConfirmedSurvives && !promises)
        .then(|| format!("unknown: this {lane} cannot promise it, since its profile does not say `confirmed = true`"))
}

/// Why a lane can't show a part of the matrix, whatever scenario it is put through; `None` where it can.
pub fn cannot_show(part: Part, lane: LaneId, means: &Means) -> Option<String> {
    if part.needs_a_kill() && !means.is_ours() {
        return Some(format!("the server of {lane} was not started by this tool"));
    }
    if part.is_of_the_bridge() && !means.has_outbox(lane) {
        return Some(format!("{lane} has no database of the run with our module"));
    }
    if part.needs_full_buffers() && !means.is_ours() {
        return Some(format!("how much the server of {lane} and what stands before it keep for a client is not known"));
    }
    let lacks = |is: fn(&str) -> bool| means.lacks.iter().any(|word| is(word));
    let lacks_it = match part {
        Part::TokensRefused => lacks(|word| token_of(word).is_some_and(|token| token.refused.is_some())),
        Part::KeyRotated => lacks(|word| word == FIRST_KEY),
        Part::WritesWithinRights => lacks(|word| deed_of(word).is_some()),
        _ => false,
    };
    if lacks_it {
        return Some(format!("the profile of {lane} says in `[tokens]` what it does not check"));
    }
    if let Some(name) = means.misses(module::needed_for(part).iter().copied()) {
        return Some(format!("the module of {lane} has no `{name}` like this tool's"));
    }
    (part.is_a_count() && !means.counts_connections)
        .then(|| format!("the profile of {lane} names no count of its connections"))
}

pub fn harms(plan: &Plan, role: LaneId) -> bool {
    plan.cases.iter().flat_map(|case| &case.steps).any(|step| match step {
        Step::Server { lane: only, action } => {
            only.is_none_or(|only| only == role) && !matches!(action, ServerAction::Restart)
        }
        // The files of a server that others use, too, hold more than the plan knows.
        Step::Backup { .. } => true,
        _ => false,
    })
}

/// Whether a fault changes a call by the place of an argument, and can't fire: only a SpacetimeDB call has such
/// arguments.
fn changes_an_argument(plan: &Plan, is_spacetime: impl Fn(LaneId) -> bool) -> bool {
    let by_place = |pointer: &str| pointer.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let of_candidate = |fault: &PlannedFault| !fault.applies_to(LaneId::Legacy);
    plan.faults.iter().any(|fault| match &fault.kind {
        FaultKind::Mutate { mutation: Mutation::SetJson { pointer, .. } } if by_place(pointer) => {
            let none = !LaneId::BOTH.into_iter().any(&is_spacetime);
            none || (of_candidate(fault) && !is_spacetime(LaneId::Candidate))
        }
        _ => false,
    })
}

pub fn resubscribes(plan: &Plan) -> bool {
    let mut steps = plan.cases.iter().flat_map(|case| &case.steps);
    steps.any(|step| matches!(step, Step::Resubscribe { .. }))
}

pub fn sets_policies(plan: &Plan) -> bool {
    plan.cases.iter().any(|case| {
        let streams = case.streams.iter().map(|stream| (stream.retention, stream.replay_budget));
        let steps = case.steps.iter().filter_map(|step| match step {
            Step::Policy { retention, replay_budget, .. } => Some((*retention, *replay_budget)),
            _ => None,
        });
        streams.chain(steps).any(|policy| policy != (None, None))
    })
}
