//! `stale-cursor`: with `c` the cursor that the lane saw (after a fault rewrote it), and head, retention floor and
//! replay budget as they were then: `c < floor` must be refused with `retention_floor_breach`; else `head - c > budget`
//! with `replay_budget_exceeded`; else, and without a cursor, the resume must be accepted. `floor` is the head less the
//! retained number of newest events, and never goes back. While a publish or a policy is in flight, either answer that
//! fits is right. A refusal is of the whole request: it lists the stale streams, and their siblings are refused with
//! them. There is one finding for each client, stream and reason.

use super::checker::Checker;
use super::finding::{Finding, Repeated, Report};
use super::index::{Index, LaneIndex, RATE_LIMITED, Reply, STALE_CURSOR, Sub};
use super::reason::Reason;
use super::{convergence, gap, lost_write, unseen};
use crate::history::{Refusal, StaleStream, UNSAID};
use crate::topic::is_summary;

const FLOOR_BREACH: &str = "retention_floor_breach";
const BUDGET_EXCEEDED: &str = "replay_budget_exceeded";
/// The one tier that recordings of the legacy service show.
const QOS_TIER: &str = "warm";
const SNAPSHOT_FORMAT: &str = "openagents.sync.snapshot.v1";

pub const NAME: &str = "stale-cursor";

static STALE_ACCEPTED: Reason =
    Reason::invalid("stale-accepted", "a stale cursor of {client} on {stream} was accepted")
        .deed("accepted stale cursors");
static WITHOUT_CAUSE: Reason =
    Reason::invalid("refused-without-cause", "a resume of {client} on {stream} was refused without cause")
        .deed("refused resumes without cause");
static BOOTSTRAP_REFUSED: Reason =
    Reason::invalid("bootstrap-refused", "a bootstrap of {client} on {stream} was refused as stale")
        .deed("refused bootstraps as stale");
static PRUNED_DELIVERED: Reason =
    Reason::invalid("pruned-delivered", "a bootstrap of {client} on {stream} was given what retention had pruned")
        .deed("delivered what retention had pruned");
static WRONG_REASON: Reason =
    Reason::invalid("wrong-reason", "a stale cursor of {client} on {stream} was refused for the wrong reason")
        .deed("refused stale cursors for the wrong reason");
static WRONG_FIELDS: Reason =
    Reason::invalid("wrong-fields", "the refusal of {client}'s cursor on {stream} contains wrong fields")
        .deed("told wrong things when it refused stale cursors");
static NOT_LISTED: Reason =
    Reason::invalid("not-listed", "a stale cursor of {client} on {stream} was refused and not named")
        .deed("refused stale cursors and did not name them");
static REFUSED_OTHERWISE: Reason =
    Reason::invalid("refused-otherwise", "a subscription of {client} to {stream} was refused")
        .deed("refused subscriptions");
static THOUGH_REFUSED: Reason =
    Reason::invalid("delivered-though-refused", "{client} was refused on {stream} and received events nevertheless")
        .deed("delivered events after it had refused the subscription");
static NO_REBOOTSTRAP: Reason =
    Reason::invalid("no-rebootstrap", "{client} was refused on {stream} and did not bootstrap again");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a resume was judged wrongly, or a refused client did not bootstrap again",
    source: "contract, \"Ordering, delivery, replay\" and \"Stale cursors\"",
    rows: &["stale-cursor-recovery", "cursor-continuity"],
    reasons: &[
        &STALE_ACCEPTED,
        &WITHOUT_CAUSE,
        &BOOTSTRAP_REFUSED,
        &PRUNED_DELIVERED,
        &WRONG_REASON,
        &WRONG_FIELDS,
        &NOT_LISTED,
        &REFUSED_OTHERWISE,
        &THOUGH_REFUSED,
        &NO_REBOOTSTRAP,
    ],
    accounts_for: "same client: gaps and losses within the seqs that it is about; not having converged",
    explains: |cause, effect| {
        effect.is_at_client_of(cause)
            && match effect.checker {
                gap::NAME | lost_write::NAME | unseen::NAME => effect.is_within(cause),
                convergence::NAME => effect.overlaps(cause),
                _ => false,
            }
    },
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        let mut found = Repeated::new();
        for sub in &lane.subs {
            report.count("subscriptions", 1);
            let Some(reply) = sub.reply else { continue };
            let wrong = judge(index, lane, sub, reply).into_iter().chain(though_refused(lane, sub, reply));
            for (reason, witness) in wrong.chain(no_rebootstrap(index, lane, sub, reply)) {
                let key = (sub.client, sub.stream, reason.word);
                found.add(key, || finding(index, lane, sub, reply, reason, witness));
            }
        }
        found.report(report);
    }
}

type Wrong = (&'static Reason, Option<(String, String)>);

fn finding(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    sub: &Sub<'_>,
    reply: Reply<'_>,
    reason: &'static Reason,
    witness: Option<(String, String)>,
) -> Finding {
    let at = match reply {
        Reply::Accepted { at, .. } | Reply::Refused { at, .. } => at,
    };
    let timeline = &lane.streams[sub.stream];
    let first = sub.saw.map_or(1, |cursor| cursor.saturating_add(1));
    // Wrongly accepted, it concerns what was pruned; otherwise everything from the cursor to the head.
    let last = match reply {
        Reply::Accepted { .. } => timeline.floor_may.before(at),
        Reply::Refused { .. } => timeline.head_may.last(),
    };
    let finding = index.finding(NAME, reason, lane, (sub.client, sub.stream));
    let finding = finding.of_events(first, last.max(first)).seen_at(sub.at).seen_at(at);
    match witness {
        Some((expected, got)) => finding.expected(expected, got),
        None => finding,
    }
}

/// The stream's state while a subscription was under way, each number as the range that is possible.
struct Moment {
    cursor: u64,
    floor: (u64, u64),
    head: (u64, u64),
    budget: (Option<u64>, Option<u64>),
}

impl Moment {
    fn of(lane: &LaneIndex<'_>, sub: &Sub<'_>, cursor: u64, replied: usize) -> Moment {
        let timeline = &lane.streams[sub.stream];
        Moment {
            cursor,
            floor: (timeline.floor_sure.before(sub.at), timeline.floor_may.before(replied)),
            head: (timeline.head_sure.before(sub.at), timeline.head_may.before(replied)),
            budget: timeline.budget(sub.at, replied),
        }
    }

    fn surely_below_floor(&self) -> bool {
        self.cursor < self.floor.0
    }

    fn maybe_below_floor(&self) -> bool {
        self.cursor < self.floor.1
    }

    fn surely_over_budget(&self) -> bool {
        self.budget.1.is_some_and(|budget| self.head.0.saturating_sub(self.cursor) > budget)
    }

    fn maybe_over_budget(&self) -> bool {
        self.budget.0.is_some_and(|budget| self.head.1.saturating_sub(self.cursor) > budget)
    }

    fn surely_stale(&self) -> bool {
        self.surely_below_floor() || self.surely_over_budget()
    }

    fn allows(&self, reason: &str) -> bool {
        match reason {
            FLOOR_BREACH => self.maybe_below_floor(),
            BUDGET_EXCEEDED => self.maybe_over_budget() && !self.surely_below_floor(),
            UNSAID => !self.fresh(),
            _ => false,
        }
    }

    fn fresh(&self) -> bool {
        !self.maybe_below_floor() && !self.maybe_over_budget()
    }

    fn expectation(&self) -> String {
        let reason = match (self.surely_below_floor(), self.surely_over_budget()) {
            (true, _) => FLOOR_BREACH,
            (false, true) => BUDGET_EXCEEDED,
            (false, false) => return "accepted".to_owned(),
        };
        let budget = self.budget.0.map_or("no".to_owned(), |budget| budget.to_string());
        format!("{reason}: cursor {}, floor {}, head {}, budget {budget}", self.cursor, self.floor.0, self.head.0)
    }
}

fn judge(index: &Index<'_>, lane: &LaneIndex<'_>, sub: &Sub<'_>, reply: Reply<'_>) -> Option<Wrong> {
    let stream = index.plan.streams.name(sub.stream);
    match (reply, sub.saw) {
        (Reply::Accepted { .. }, None) => pruned_delivered(lane, sub),
        (Reply::Accepted { at, .. }, Some(cursor)) => {
            let moment = Moment::of(lane, sub, cursor, at);
            moment.surely_stale().then(|| (&STALE_ACCEPTED, Some((moment.expectation(), "accepted".to_owned()))))
        }
        // A lane may limit the rate (contract, "Errors"); another checker reports a client that did not come through.
        (Reply::Refused { refusal, .. }, _) if refusal.code == RATE_LIMITED => None,
        (Reply::Refused { refusal, .. }, _) if refusal.code != STALE_CURSOR => {
            Some((&REFUSED_OTHERWISE, Some(("accepted or stale_cursor".to_owned(), refusal.code.clone()))))
        }
        (Reply::Refused { refusal, .. }, None) => {
            let listed = refusal.stale.iter().any(|entry| entry.stream.as_str() == stream);
            (listed || refusal.stale.is_empty()).then_some((&BOOTSTRAP_REFUSED, None))
        }
        (Reply::Refused { at, refusal }, Some(cursor)) => {
            let judged = judge_refusal(&Moment::of(lane, sub, cursor, at), refusal, stream);
            judged.or_else(|| stray(index, lane, sub, refusal))
        }
    }
}

/// An event in a bootstrap's replay that retention had pruned before.
fn pruned_delivered(lane: &LaneIndex<'_>, sub: &Sub<'_>) -> Option<Wrong> {
    let floor = lane.streams[sub.stream].floor_sure.before(sub.at);
    let arrived = sub.deliveries.iter().map(|number| &lane.deliveries[*number]);
    let lowest = arrived.filter(|delivery| delivery.arrival.fills_its_seq()).map(|delivery| delivery.seq).min()?;
    let expected = format!("nothing at or below the floor {floor}");
    (lowest <= floor).then(|| (&PRUNED_DELIVERED, Some((expected, format!("event {lowest}")))))
}

/// An event that came in a subscription that was refused. On a connection that already carried the stream, the former
/// subscription's may still be on their way.
fn though_refused(lane: &LaneIndex<'_>, sub: &Sub<'_>, reply: Reply<'_>) -> Option<Wrong> {
    let Reply::Refused { .. } = reply else { return None };
    let came = sub.deliveries.iter().map(|number| &lane.deliveries[*number]);
    let first = came.filter(|_| sub.fresh).find(|came| came.arrival.fills_its_seq())?;
    let got = format!("event {}", first.seq);
    Some((&THOUGH_REFUSED, Some(("nothing".to_owned(), got))))
}

fn judge_refusal(moment: &Moment, refusal: &Refusal, stream: &str) -> Option<Wrong> {
    let Some(entry) = refusal.stale.iter().find(|entry| entry.stream.as_str() == stream) else {
        return match refusal.stale.is_empty() {
            // A sibling was stale: refused with it, rightly, unless this one was stale too.
            false => {
                moment.surely_stale().then(|| (&NOT_LISTED, Some((moment.expectation(), "not listed".to_owned()))))
            }
            true if refusal.reasons.iter().any(|reason| moment.allows(reason)) => None,
            true => Some((&WITHOUT_CAUSE, Some((moment.expectation(), refusal.reasons.join(", "))))),
        };
    };
    if !moment.allows(&entry.reason) {
        let reason = if moment.fresh() { &WITHOUT_CAUSE } else { &WRONG_REASON };
        return Some((reason, Some((moment.expectation(), entry.reason.clone()))));
    }
    let mut listed: Vec<&str> = refusal.stale.iter().map(|entry| entry.reason.as_str()).collect();
    let mut named: Vec<&str> = refusal.reasons.iter().map(String::as_str).collect();
    let named_any = !named.is_empty() || refusal.full_resync.is_some();
    listed.sort_unstable();
    listed.dedup();
    named.sort_unstable();
    if named_any && listed != named {
        return Some((&WRONG_REASON, Some((listed.join(", "), named.join(", ")))));
    }
    let wrong = wrong_field(moment, entry).or_else(|| wrong_whole(refusal, entry));
    wrong.map(|witness| (&WRONG_FIELDS, Some(witness)))
}

/// The first field of a `stale_topics` entry that does not fit, as expected and got; one that is absent fits.
fn wrong_field(moment: &Moment, entry: &StaleStream) -> Option<(String, String)> {
    let within = |name: &str, got: Option<u64>, (least, greatest): (u64, u64)| {
        let got = got.filter(|got| *got < least || *got > greatest)?;
        let expected = if least == greatest { least.to_string() } else { format!("{least} to {greatest}") };
        Some((format!("{name} {expected}"), format!("{name} {got}")))
    };
    let lag = |head: u64| head.saturating_sub(moment.cursor);
    let head = entry.head_watermark.map_or(moment.head, |head| (head, head));
    let budget = (moment.budget.0.unwrap_or(0), moment.budget.1.unwrap_or(u64::MAX));
    None.or_else(|| within("resume_after", entry.resume_after, (moment.cursor, moment.cursor)))
        .or_else(|| within("retention_floor", entry.retention_floor, moment.floor))
        .or_else(|| within("head_watermark", entry.head_watermark, moment.head))
        .or_else(|| within("replay_lag", entry.replay_lag, (lag(head.0), lag(head.1))))
        .or_else(|| within("replay_budget_events", entry.replay_budget_events, budget))
}

/// A stale stream that the client does not follow.
fn stray(index: &Index<'_>, lane: &LaneIndex<'_>, sub: &Sub<'_>, refusal: &Refusal) -> Option<Wrong> {
    let follows =
        |stream: &str| index.plan.streams.get(stream).is_some_and(|stream| lane.pair((sub.client, stream)).is_some());
    let stray = refusal.stale.iter().find(|entry| !follows(entry.stream.as_str()))?;
    let witness = ("stale_topics of what was asked for alone".to_owned(), stray.stream.to_string());
    Some((&WRONG_FIELDS, Some(witness)))
}

/// The first field of a refusal as a whole that does not fit, as expected and got; one that is absent fits.
fn wrong_whole(refusal: &Refusal, entry: &StaleStream) -> Option<(String, String)> {
    let told = |expected: &str, got: String| Some((expected.to_owned(), got));
    if refusal.full_resync == Some(false) {
        return told("full_resync_required true", "false".to_owned());
    }
    if let Some(tier) = entry.qos_tier.as_ref().filter(|tier| *tier != QOS_TIER) {
        return told(&format!("qos_tier {QOS_TIER}"), format!("qos_tier {tier}"));
    }
    if refusal.stale.iter().filter(|other| other.stream == entry.stream).count() > 1 {
        return told("each stream once in stale_topics", format!("{} again", entry.stream));
    }
    let format = refusal.snapshot_format.as_ref()?;
    if format != SNAPSHOT_FORMAT {
        return told(&format!("snapshot_plan of the format {SNAPSHOT_FORMAT}"), format!("format {format}"));
    }
    if let Some(stray) = refusal.snapshots.iter().find(|one| refusal.stale.iter().all(|it| it.stream != one.stream)) {
        return told("snapshots of stale streams alone", format!("one of {}", stray.stream));
    }
    let snapshots: Vec<_> = refusal.snapshots.iter().filter(|one| one.stream == entry.stream).collect();
    let expected = usize::from(is_summary(entry.stream.as_str()));
    if snapshots.len() != expected {
        return told(&format!("{expected} entries of it in snapshot_plan"), format!("{} entries", snapshots.len()));
    }
    let [snapshot] = snapshots[..] else { return None };
    if snapshot.head_watermark != entry.head_watermark {
        let head = |head: Option<u64>| head.map_or("no head_watermark".to_owned(), |head| format!("head {head}"));
        return Some((head(entry.head_watermark), head(snapshot.head_watermark) + " in snapshot_plan"));
    }
    if snapshot.described { None } else { told("a snapshot that is an object", "another value".to_owned()) }
}

/// A refused client that is to be connected at the end, and that did not rewind and get accepted afterwards.
fn no_rebootstrap(index: &Index<'_>, lane: &LaneIndex<'_>, sub: &Sub<'_>, reply: Reply<'_>) -> Option<Wrong> {
    let Reply::Refused { at, refusal } = reply else {
        return None;
    };
    let listed = refusal.stale.iter().any(|entry| entry.stream.as_str() == index.plan.streams.name(sub.stream));
    let owed = index.plan.connected_at_end(sub.client) && !lane.reach(sub.client).is_hindered();
    if !listed || !lane.done || !owed {
        return None;
    }
    let pair = lane.pair((sub.client, sub.stream))?;
    let rewind = pair.rewinds.get(pair.rewinds.partition_point(|rewind| *rewind < at)).copied();
    let accepted =
        |from: usize| pair.subs.iter().rev().any(|sub| lane.subs[*sub].accepted_at().is_some_and(|at| at > from));
    match rewind {
        Some(rewind) if accepted(rewind) => None,
        Some(_) => Some((&NO_REBOOTSTRAP, Some(("an accepted bootstrap".to_owned(), "a rewind alone".to_owned())))),
        None => Some((&NO_REBOOTSTRAP, Some(("a rewind".to_owned(), "none".to_owned())))),
    }
}
