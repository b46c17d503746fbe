//! Which parts of the matrix a lane's history shows, counted from the plan and the history alone.

mod rules;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::earned_unsaid::Unsaid;
use crate::history::{
    Closed, Completion, History, KillWait, Outcome, Process, Record, RewindReason, Spoken, Verdict, Via,
};
use crate::ids::{ClientId, FaultId, OpId, Seq, StreamId, SubId};
use crate::matrix::Part;
use crate::plan::fault::spec::Effect;
use crate::plan::{Plan, PublishExpect, Step, WRITER};
use rules::Rules;

type Pair<'a> = (&'a ClientId, &'a StreamId);

/// The parts that one lane saw.
pub fn earned(plan: &Plan, history: &History) -> BTreeSet<Part> {
    let (mut watch, mut rules, mut stale) = (Watch::of(plan), Rules::of(plan), Unsaid::of(plan));
    for (at, record) in history.records.iter().enumerate() {
        watch.record(at, record);
        stale.record(record);
        if let Record::Complete { op, completion, .. } = record {
            rules.completed(*op, completion);
        }
    }
    let mut earned = watch.finish();
    earned.append(&mut stale.earned);
    earned.append(&mut rules.finish());
    earned.append(&mut super::earned_rights::earned(plan, history));
    earned.append(&mut super::earned_measured::earned(plan, history));
    earned.append(&mut super::earned_restore::earned(plan, history));
    earned.append(&mut super::earned_bridge::earned(plan, history));
    earned.append(&mut super::earned_slow::earned(plan, history));
    earned
}

/// A subscription, and what it was to show once it is accepted.
struct Sub<'a> {
    at: usize,
    stream: &'a StreamId,
    cursor: Option<u64>,
    again: bool,
    killed_at: Option<usize>,
    had: u64,
    accepted_at: Option<usize>,
    began: bool,
    came: HashSet<(Seq, Via)>,
    pending: BTreeSet<Part>,
}

#[derive(Default)]
struct Watch<'a> {
    ops: HashMap<OpId, (&'a StreamId, &'a PublishExpect)>,
    /// Clients that say something of themselves as they join, each with what that shows.
    joining: HashMap<&'a ClientId, (Option<&'a str>, Part)>,
    counts: HashMap<OpId, &'a [ClientId]>,
    counted: bool,
    crashed: HashSet<&'a ClientId>,
    repeats: HashSet<&'a FaultId>,
    carried: HashSet<(Pair<'a>, u64)>,
    earned: BTreeSet<Part>,
    sent_at: HashMap<(&'a StreamId, Seq), usize>,
    subs: HashMap<(&'a ClientId, SubId), Sub<'a>>,
    applied: HashMap<Pair<'a>, u64>,
    ended: HashSet<&'a ClientId>,
    killed_at: Option<usize>,
    unconfirmed: HashSet<&'a ClientId>,
    /// How far clients with confirmed reads had come when the last kill fell, where that waited for nothing.
    seen_at_kill: HashMap<&'a StreamId, u64>,
    owed: HashMap<Pair<'a>, BTreeSet<Part>>,
    repeated_to: HashSet<&'a ClientId>,
    came_again: HashSet<&'a ClientId>,
    unanswered: HashSet<OpId>,
    writer_struck: bool,
    retried: bool,
    marks: BTreeMap<&'a StreamId, BTreeMap<&'a ClientId, u64>>,
}

impl<'a> Watch<'a> {
    fn of(plan: &'a Plan) -> Watch<'a> {
        let mut watch = Watch::default();
        for step in plan.cases.iter().flat_map(|case| &case.steps) {
            match step {
                Step::Publish { op, stream, expect, .. } => drop(watch.ops.insert(*op, (stream, expect))),
                Step::Count { op, present, .. } => drop(watch.counts.insert(*op, present)),
                Step::SetCursor { client, stream, cursor } => {
                    watch.carried.insert(((client, stream), cursor.0));
                }
                _ => {}
            }
        }
        for client in plan.cases.iter().flat_map(|case| &case.clients).filter(|client| client.join.is_some()) {
            let refused = client.refused.as_deref();
            if let Some(part) = Part::joined(refused, plan.window.is_some()) {
                watch.joining.insert(&client.id, (refused, part));
            }
        }
        let repeats = plan.faults.iter().filter(|fault| fault.kind.spec().does(Effect::Repeats));
        watch.repeats = repeats.map(|fault| &fault.id).collect();
        watch
    }

    fn record(&mut self, at: usize, record: &'a Record) {
        match record {
            Record::Invoke { op, .. } => {
                if let Some((stream, PublishExpect::Accepted { seq })) = self.ops.get(op) {
                    self.sent_at.entry((stream, *seq)).or_insert(at);
                }
            }
            Record::Complete { op, completion, .. } => self.completed(*op, completion),
            Record::NotLetIn { client, refusal, .. } => {
                let planned = self.joining.get(client).filter(|(code, _)| *code == Some(&refusal.code));
                self.earned.extend(planned.map(|(_, part)| *part));
            }
            Record::Closed { client, why, .. } => {
                self.ended.insert(client);
                if matches!(why, Closed::Crashed) {
                    self.crashed.insert(client);
                }
            }
            Record::Connections { op: Some(op), listed, missing, left } if missing.is_empty() && left.is_empty() => {
                self.counted(*op, *listed);
            }
            Record::Subscribed { client, sub, stream, cursor, .. } => {
                let sub_of = Sub {
                    at,
                    stream,
                    cursor: cursor.map(|cursor| cursor.0),
                    again: self.ended.contains(client),
                    killed_at: self.killed_at,
                    had: self.applied.get(&(client, stream)).copied().unwrap_or(0),
                    accepted_at: None,
                    began: false,
                    came: HashSet::new(),
                    pending: BTreeSet::new(),
                };
                self.subs.insert((client, *sub), sub_of);
            }
            Record::Accepted { client, sub, .. } => {
                let let_in = self.joining.get(client).filter(|(refused, _)| refused.is_none());
                self.earned.extend(let_in.map(|(_, part)| *part));
                if let Some(sub) = self.subs.get_mut(&(client, *sub)) {
                    sub.accepted_at = Some(at);
                    self.earned.append(&mut sub.pending);
                }
            }
            Record::Refused { client, sub, refusal, .. } => {
                self.subs.remove(&(client, *sub));
                for stale in &refusal.stale {
                    let part = match stale.reason.as_str() {
                        "retention_floor_breach" => Part::FloorBreach,
                        "replay_budget_exceeded" => Part::BudgetExceeded,
                        _ => continue,
                    };
                    self.owed.entry((client, &stale.stream)).or_default().insert(part);
                }
            }
            Record::Rewound { client, stream, why: RewindReason::AheadOfHead, .. } => {
                self.owed.entry((client, stream)).or_default().insert(Part::OtherHistory);
            }
            Record::Delivered { client, sub, stream, seq, via, verdict, .. } => {
                self.delivered((client, stream), *sub, *seq, *via, *verdict)
            }
            Record::Watermark { client, stream, cursor } => {
                self.marks.entry(stream).or_default().insert(client, cursor.0);
            }
            Record::Fault { fault, client, .. } => {
                self.writer_struck |= client.as_str() == WRITER;
                if self.repeats.contains(fault) {
                    self.repeated_to.insert(client);
                }
            }
            Record::Opened { client, spoken, .. } => {
                let confirmed = spoken.as_ref().is_none_or(Spoken::may_be_confirmed);
                if confirmed {
                    self.unconfirmed.remove(client);
                } else {
                    self.unconfirmed.insert(client);
                }
            }
            Record::Process { process: Process::Killed { waited_for } } => {
                self.killed_at = Some(at);
                self.note_seen(*waited_for);
            }
            _ => {}
        }
    }

    fn counted(&mut self, op: OpId, listed: u64) {
        let Some(present) = self.counts.get(&op).filter(|present| present.len() as u64 == listed) else { return };
        let left = |client: &&&ClientId| !present.contains(client);
        let parts = [
            (listed > 1, Part::CountedTogether),
            (listed == 0 && self.counted, Part::CountedGone),
            (self.crashed.iter().any(|client| left(&client)), Part::CountedAfterCrash),
            (listed > 0 && self.killed_at.is_some(), Part::CountedAcrossKill),
        ];
        self.earned.extend(parts.into_iter().filter(|(shown, _)| *shown).map(|(_, part)| part));
        self.counted |= listed > 0;
    }

    fn note_seen(&mut self, waited_for: KillWait) {
        self.seen_at_kill.clear();
        if waited_for == KillWait::Nothing {
            for ((client, stream), seq) in &self.applied {
                if !self.unconfirmed.contains(client) {
                    let seen = self.seen_at_kill.entry(stream).or_default();
                    *seen = (*seen).max(*seq);
                }
            }
        }
    }

    fn completed(&mut self, op: OpId, completion: &Completion) {
        let Some((_, expect)) = self.ops.get(&op) else { return };
        match completion {
            Completion::Info { .. } => drop(self.unanswered.insert(op)),
            Completion::Ok { outcome: Outcome::Published { seq, .. } } => match expect {
                PublishExpect::Repeated { seq: first } if first == seq => {
                    self.earned.insert(Part::RepeatedPublish);
                }
                PublishExpect::Accepted { seq: planned } if planned == seq => {
                    self.retried |= self.unanswered.contains(&op);
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn delivered(&mut self, pair: Pair<'a>, sub: SubId, seq: Seq, via: Via, verdict: Verdict) {
        let Some(sub) = self.subs.get_mut(&(pair.0, sub)).filter(|sub| sub.stream == pair.1) else {
            return;
        };
        let sent_at = self.sent_at.get(&(pair.1, seq)).copied();
        let mut shown = BTreeSet::new();
        let first_copy = sub.came.insert((seq, via));
        if verdict == Verdict::Duplicate {
            // The legacy lane sends each event in two kinds of message; a repeat is the same kind again.
            if !first_copy {
                self.came_again.insert(pair.0);
            }
            if sub.cursor.is_some() && seq.0 <= sub.had {
                shown.insert(Part::OverlappingReplay);
            }
        }
        if verdict == Verdict::Applied {
            shown.extend(sub.shown_by_applying(pair, seq, sent_at, &self.carried));
            if sub.killed_at == self.killed_at && self.seen_at_kill.get(pair.1) == Some(&seq.0) {
                shown.insert(Part::ConfirmedSurvives);
            }
            let others = self.applied.iter().filter(|((client, stream), _)| *client != pair.0 && *stream == pair.1);
            if shown.contains(&Part::ReplayAfterReconnect) && others.map(|(_, had)| *had).any(|had| had >= seq.0) {
                shown.insert(Part::DeviceReturns);
            }
            if sub.cursor.is_none() {
                shown.extend(self.owed.remove(&pair).unwrap_or_default());
            }
            let applied = self.applied.entry(pair).or_default();
            *applied = seq.0.max(*applied);
        }
        match sub.accepted_at {
            Some(_) => self.earned.append(&mut shown),
            None => sub.pending.append(&mut shown),
        }
    }

    fn finish(mut self) -> BTreeSet<Part> {
        if self.retried && self.writer_struck {
            self.earned.insert(Part::LostAnswer);
        }
        // Client and proxy write their records independently, so either order is right.
        if self.came_again.intersection(&self.repeated_to).next().is_some() {
            self.earned.insert(Part::RepeatedFrame);
        }
        let equal = |marks: &BTreeMap<&ClientId, u64>| {
            let head = marks.values().copied().max().unwrap_or(0);
            head > 0 && marks.len() > 1 && marks.values().all(|mark| *mark == head)
        };
        if self.marks.values().any(equal) {
            self.earned.insert(Part::DevicesEqual);
        }
        self.earned
    }
}

impl Sub<'_> {
    fn shown_by_applying(
        &mut self,
        pair: Pair<'_>,
        seq: Seq,
        sent_at: Option<usize>,
        carried: &HashSet<(Pair<'_>, u64)>,
    ) -> BTreeSet<Part> {
        let mut shown = BTreeSet::new();
        let sent_before = |moment: usize| sent_at.is_some_and(|sent| sent < moment);
        if self.accepted_at.is_some_and(|accepted| sent_at > Some(accepted)) {
            shown.insert(Part::FollowedLive);
        }
        if sent_before(self.at) {
            shown.extend(match self.cursor {
                None => Some(Part::LateBootstrap),
                Some(_) => self.again.then_some(Part::ReplayAfterReconnect),
            });
        }
        if self.killed_at.is_some_and(sent_before) {
            shown.insert(Part::ReplayAcrossKill);
        }
        let first = !std::mem::replace(&mut self.began, true);
        if let Some(cursor) = self.cursor.filter(|cursor| first && cursor.checked_add(1) == Some(seq.0)) {
            shown.extend(Part::resumed(pair.1.as_str()));
            if carried.contains(&(pair, cursor)) {
                shown.insert(Part::CarriedOver);
            }
        }
        shown
    }
}
