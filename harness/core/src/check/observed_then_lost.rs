//! `observed-then-lost`: after the server died, the lane reports a head below what was acknowledged or delivered
//! before; or a client that resumes below such an event is accepted, and from then on no client is delivered it; or its
//! seq is given to another event. Each is reported once for a stream. Where the plan kills the server at once, that
//! shows something only if the kill did not wait, and if what was seen before was read with the lane's promise that it
//! is on disk.

use std::collections::HashMap;

use super::checker::Checker;
use super::finding::{Finding, Report};
use super::index::{Index, LaneIndex, Reply, Sub};
use super::reason::Reason;
use super::{convergence, lost_write, unseen};
use crate::history::{KillWait, Process, Record};

const NAME: &str = "observed-then-lost";

static HEAD_WENT_BACK: Reason =
    Reason::invalid("head-went-back", "the head of {stream} went back when the server restarted")
        .deed("lost the end of a stream when it restarted");
static NEVER_AGAIN: Reason =
    Reason::invalid("never-delivered-again", "{event} {was} known before the server died and never delivered again")
        .deed("lost events when its server died");
static SEQ_REUSED: Reason =
    Reason::invalid("seq-reused", "{event} {was} given to another publish after the server died")
        .deed("gave seqs of lost events to others after its server died");
static NOT_AT_ONCE: Reason =
    Reason::unknown("kill-not-at-once", "a kill that had to be immediate waited, so it shows nothing");
static NOT_CONFIRMED: Reason = Reason::unknown(
    "reads-not-confirmed",
    "the server was killed at once after reads that it had not confirmed, so it promised nothing",
);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a restart lost what had been acknowledged or seen",
    source: "contract, \"The candidate lane\" (confirmed reads); the legacy lane's \"Writes\" (answered once it is in \
             the journal)",
    rows: &["replay-determinism", "durability-gated-delivery"],
    reasons: &[&HEAD_WENT_BACK, &NEVER_AGAIN, &SEQ_REUSED, &NOT_AT_ONCE, &NOT_CONFIRMED],
    accounts_for: "everything on that stream that was seen after the server died, and how it ends, for every client",
    explains: |cause, effect| {
        effect.is_of(&[lost_write::NAME, unseen::NAME, convergence::NAME]) || effect.is_seen_after(cause)
    },
    check,
};

/// Findings that are reported once for a stream, in the order of streams and reasons.
type Once = std::collections::BTreeMap<(usize, &'static str), Finding>;

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        report.count("server deaths", lane.deaths.len() as u64);
        kills_at_once(index, lane, report);
        if lane.deaths.is_empty() {
            continue;
        }
        let mut found = Once::new();
        after_restarts(index, lane, &mut found);
        reused(index, lane, &mut found);
        found.into_values().for_each(|finding| report.push(finding));
    }
}

/// What a kill at once needs to show anything.
fn kills_at_once(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let planned = index.plan.plan.kills_at_once(lane.lane);
    if planned == 0 {
        return;
    }
    let finding = |reason| Finding::new(NAME, reason).on(lane.lane);
    let at_once = Process::Killed { waited_for: KillWait::Nothing };
    let records = lane.history.records.iter().enumerate();
    let fell = records.filter(|(_, record)| matches!(record, Record::Process { process } if *process == at_once));
    let fell: Vec<usize> = fell.map(|(at, _)| at).collect();
    if lane.done && fell.len() < planned {
        report.push(finding(&NOT_AT_ONCE).expected(planned, fell.len()));
    }
    let Some(last) = fell.last() else { return };
    let unconfirmed = lane.history.records[..*last].iter().position(|record| {
        let Record::Opened { spoken, .. } = record else {
            return false;
        };
        spoken.as_ref().is_some_and(|spoken| spoken.confirmed == Some(false))
    });
    if let Some(opened) = unconfirmed {
        report.push(finding(&NOT_CONFIRMED).seen_at(opened).seen_at(*last));
    }
}

fn death_before(lane: &LaneIndex<'_>, at: usize) -> Option<usize> {
    let place = lane.deaths.partition_point(|death| *death < at);
    place.checked_sub(1).map(|place| lane.deaths[place])
}

/// Compares what each subscription after a death was answered and given with what was known before.
fn after_restarts(index: &Index<'_>, lane: &LaneIndex<'_>, found: &mut Once) {
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
            let finding = index.finding(NAME, reason, lane, (sub.client, sub.stream));
            finding.of_events(first, last).seen_at(death).seen_at(at)
        };
        if let Some(head) = head.filter(|head| head.0 < known) {
            found.entry((sub.stream, HEAD_WENT_BACK.word)).or_insert_with(|| {
                finding(&HEAD_WENT_BACK, head.0 + 1, known).expected(format!("head {known}"), format!("head {head}"))
            });
        }
        let gone = first_gone(lane, sub, at, known, |seq| {
            last_delivered.get(&(sub.stream, seq)).is_some_and(|delivered| *delivered > death)
        });
        if let Some(seq) = gone {
            let key = (sub.stream, NEVER_AGAIN.word);
            found.entry(key).or_insert_with(|| finding(&NEVER_AGAIN, seq, known));
        }
    }
}

/// The first event that a subscription was to be given again, and that no client was.
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
fn reused(index: &Index<'_>, lane: &LaneIndex<'_>, found: &mut Once) {
    for (stream, timeline) in lane.streams.iter().enumerate() {
        for (seq, owners) in timeline.owners.iter().filter(|(_, owners)| owners.len() > 1) {
            let acked = |op: &usize| lane.ops[*op].acked_at().zip(index.plan.ops[*op].planned_seq());
            let mut written = owners.iter().filter_map(acked).map(|(at, _)| at).collect::<Vec<_>>();
            written.sort_unstable();
            let across = |pair: &[usize]| death_before(lane, pair[1]).filter(|death| *death > pair[0]);
            if let Some((death, pair)) = written.windows(2).find_map(|pair| across(pair).map(|death| (death, pair))) {
                found.entry((stream, SEQ_REUSED.word)).or_insert_with(|| {
                    let finding = index.stream_finding(NAME, &SEQ_REUSED, lane, stream).of_event(*seq);
                    finding.seen_at(death).seen_at(pair[0]).seen_at(pair[1])
                });
            }
        }
    }
}
