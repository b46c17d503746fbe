//! `observed-then-lost`: a restart forgot what the lane had acknowledged or a client had seen.
//!
//! Anomalies, each told once for a stream: after the server died, the lane reports a head below what was acknowledged or
//! delivered before (`head-went-back`); or a client that resumes below such an event is accepted, and from then on nobody
//! is delivered it (`never-delivered-again`); or its seq is given to another event (`seq-reused`). Where the plan kills the
//! server at once, it shows something only if the kill did not wait (`kill-not-at-once`, `Unknown`), and if what was seen
//! before was read with the lane's promise that it is on disk (`reads-not-confirmed`, `Unknown`). Source: contract, "The
//! candidate lane" (confirmed reads), the legacy lane's "Writes" (answered once it is in the journal), and the matrix row
//! `durability-gated-delivery`.

use std::collections::{BTreeMap, HashMap};

use super::index::{Index, LaneIndex, Reply, Sub};
use super::{CheckInput, Checker, Finding, Report, Verdict};
use crate::history::{KillWait, Process, Record};

/// See the module's documentation.
pub struct ObservedThenLost;

impl Checker for ObservedThenLost {
    fn name(&self) -> &'static str {
        "observed-then-lost"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        for lane in index.lanes() {
            report.count("server deaths", lane.deaths.len() as u64);
            kills_at_once(index, lane, &mut report);
            if lane.deaths.is_empty() {
                continue;
            }
            let mut told: BTreeMap<(usize, &'static str), Finding> = BTreeMap::new();
            after_restarts(index, lane, &mut told);
            reused(index, lane, &mut told);
            for finding in told.into_values() {
                report.push(finding);
            }
        }
        report
    }
}

/// What a kill at once needs to show anything.
fn kills_at_once(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let planned = index.plan.plan.kills_at_once(lane.lane);
    if planned == 0 {
        return;
    }
    let unknown = |reason| Finding::new("observed-then-lost", Verdict::Unknown, reason).on(lane.lane);
    let at_once = Process::Killed { waited_for: KillWait::Nothing };
    let records = lane.history.records.iter().enumerate();
    let fell = records.filter(|(_, record)| matches!(record, Record::Process { process } if *process == at_once));
    let fell: Vec<usize> = fell.map(|(at, _)| at).collect();
    if lane.done && fell.len() < planned {
        report.push(unknown("kill-not-at-once").expected(planned, fell.len()));
    }
    let Some(last) = fell.last() else { return };
    let unconfirmed = lane.history.records[..*last].iter().position(|record| {
        let Record::Opened { spoken, .. } = record else {
            return false;
        };
        spoken.as_ref().is_some_and(|spoken| spoken.confirmed == Some(false))
    });
    if let Some(opened) = unconfirmed {
        report.push(unknown("reads-not-confirmed").seen_at(opened).seen_at(*last));
    }
}

/// The last death of the server before a record.
fn death_before(lane: &LaneIndex<'_>, at: usize) -> Option<usize> {
    let place = lane.deaths.partition_point(|death| *death < at);
    place.checked_sub(1).map(|place| lane.deaths[place])
}

/// What every subscription after a death was told and given.
fn after_restarts(index: &Index<'_>, lane: &LaneIndex<'_>, told: &mut BTreeMap<(usize, &'static str), Finding>) {
    let mut last_delivered: HashMap<(usize, u64), usize> = HashMap::new();
    for delivery in lane.deliveries.iter().filter(|delivery| delivery.arrival.fills_its_seq()) {
        last_delivered.insert((delivery.stream, delivery.seq), delivery.at);
    }
    for sub in &lane.subs {
        let (Some(death), Some(Reply::Accepted { at, head })) = (death_before(lane, sub.at), sub.reply) else {
            continue;
        };
        let timeline = &lane.streams[sub.stream];
        let known = timeline.head_sure.before(death).max(timeline.observed.before(death));
        let finding = |reason, first, last| {
            Finding::new("observed-then-lost", Verdict::Invalid, reason)
                .on(lane.lane)
                .at_client(index.plan.clients.name(sub.client))
                .in_stream(index.plan.streams.name(sub.stream))
                .of_events(first, last)
                .seen_at(death)
                .seen_at(at)
        };
        if let Some(head) = head.filter(|head| head.0 < known) {
            told.entry((sub.stream, "head-went-back")).or_insert_with(|| {
                finding("head-went-back", head.0 + 1, known).expected(format!("head {known}"), format!("head {head}"))
            });
        }
        let gone = first_gone(lane, sub, at, known, |seq| {
            last_delivered.get(&(sub.stream, seq)).is_some_and(|delivered| *delivered > death)
        });
        if let Some(seq) = gone {
            told.entry((sub.stream, "never-delivered-again"))
                .or_insert_with(|| finding("never-delivered-again", seq, known));
        }
    }
}

/// The first event that a subscription was to be given again and that nobody was.
fn first_gone(
    lane: &LaneIndex<'_>,
    sub: &Sub<'_>,
    accepted: usize,
    known: u64,
    delivered: impl Fn(u64) -> bool,
) -> Option<u64> {
    let timeline = &lane.streams[sub.stream];
    let after = sub.saw.unwrap_or(0).max(timeline.floor_may.before(accepted));
    let mut range = timeline.owners.range(after.saturating_add(1)..=known.max(after.saturating_add(1)));
    range.find(|(seq, _)| **seq <= known && !delivered(**seq)).map(|(seq, _)| *seq)
}

/// Two different publishes that are to be written, acknowledged at one seq on both sides of a death.
fn reused(index: &Index<'_>, lane: &LaneIndex<'_>, told: &mut BTreeMap<(usize, &'static str), Finding>) {
    for (stream, timeline) in lane.streams.iter().enumerate() {
        for (seq, owners) in timeline.owners.iter().filter(|(_, owners)| owners.len() > 1) {
            let acked = |op: &usize| lane.ops[*op].acked_at().zip(index.plan.ops[*op].planned_seq());
            let mut written = owners.iter().filter_map(acked).map(|(at, _)| at).collect::<Vec<_>>();
            written.sort_unstable();
            let across = |pair: &[usize]| death_before(lane, pair[1]).filter(|death| *death > pair[0]);
            if let Some((death, pair)) = written.windows(2).find_map(|pair| across(pair).map(|death| (death, pair))) {
                told.entry((stream, "seq-reused")).or_insert_with(|| {
                    Finding::new("observed-then-lost", Verdict::Invalid, "seq-reused")
                        .on(lane.lane)
                        .in_stream(index.plan.streams.name(stream))
                        .of_event(*seq)
                        .seen_at(death)
                        .seen_at(pair[0])
                        .seen_at(pair[1])
                });
            }
        }
    }
}
