//! `stale-cursor`: a resume was judged wrongly, or a refused client did not bootstrap anew.
//!
//! With `c` the cursor that the lane saw (after a fault rewrote it), and head, retention floor and replay budget as
//! they were then: `c < floor` must be refused with `retention_floor_breach`; else `head - c > budget` with
//! `replay_budget_exceeded`; else, and without a cursor, it must be accepted. `floor` is the head less the retained
//! number of newest events, and never goes back. While a publish or a policy is in flight, either answer that fits is
//! right. A refusal is of the whole request: it lists the stale streams, and their siblings are refused with them.
//!
//! Anomalies: `stale-accepted`, `refused-without-cause`, `bootstrap-refused`, `wrong-reason`, `wrong-fields`,
//! `pruned-delivered` (a bootstrap replays what retention had pruned), `not-listed` (stale, refused, and not named),
//! `refused-otherwise` (another code), `delivered-though-refused` (nothing is subscribed by a refused request), and
//! `no-rebootstrap` (refused, and not followed by a rewind and an accepted subscription). Told once for each client,
//! stream and reason. Source: contract, "Ordering, delivery, replay", "Stale cursors".

use std::collections::BTreeMap;

use super::index::{Index, LaneIndex, RATE_LIMITED, Reply, STALE_CURSOR, Sub};
use super::{CheckInput, Checker, Finding, Report, Verdict};
use crate::history::{Refusal, StaleStream};

const FLOOR_BREACH: &str = "retention_floor_breach";
const BUDGET_EXCEEDED: &str = "replay_budget_exceeded";

/// See the module's documentation.
pub struct StaleCursor;

impl Checker for StaleCursor {
    fn name(&self) -> &'static str {
        "stale-cursor"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        for lane in index.lanes() {
            let mut told: BTreeMap<(usize, usize, &'static str), Finding> = BTreeMap::new();
            for sub in &lane.subs {
                report.count("subscriptions", 1);
                let Some(reply) = sub.reply else { continue };
                let verdict = judge(index, lane, sub, reply);
                let after = no_rebootstrap(index, lane, sub, reply);
                for (reason, witness) in verdict.into_iter().chain(though_refused(lane, sub, reply)).chain(after) {
                    told.entry((sub.client, sub.stream, reason))
                        .and_modify(|finding| finding.witness.repeats += 1)
                        .or_insert_with(|| finding(index, lane, sub, reply, reason, witness));
                }
            }
            for finding in told.into_values() {
                report.push(finding);
            }
        }
        report
    }
}

type Wrong = (&'static str, Option<(String, String)>);

fn finding(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    sub: &Sub<'_>,
    reply: Reply<'_>,
    reason: &str,
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
    let finding = Finding::new("stale-cursor", Verdict::Invalid, reason)
        .on(lane.lane)
        .at_client(index.plan.clients.name(sub.client))
        .in_stream(index.plan.streams.name(sub.stream))
        .of_events(first, last.max(first))
        .seen_at(sub.at)
        .seen_at(at);
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
            _ => false,
        }
    }

    fn fresh(&self) -> bool {
        !self.maybe_below_floor() && !self.maybe_over_budget()
    }

    /// The reason that must be given, in words.
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
            moment.surely_stale().then(|| ("stale-accepted", Some((moment.expectation(), "accepted".to_owned()))))
        }
        // A lane may limit the rate (contract, "Errors"); whether the client came through is told elsewhere.
        (Reply::Refused { refusal, .. }, _) if refusal.code == RATE_LIMITED => None,
        (Reply::Refused { refusal, .. }, _) if refusal.code != STALE_CURSOR => {
            Some(("refused-otherwise", Some(("accepted or stale_cursor".to_owned(), refusal.code.clone()))))
        }
        (Reply::Refused { refusal, .. }, None) => {
            let listed = refusal.stale.iter().any(|entry| entry.stream.as_str() == stream);
            (listed || refusal.stale.is_empty()).then_some(("bootstrap-refused", None))
        }
        (Reply::Refused { at, refusal }, Some(cursor)) => {
            judge_refusal(&Moment::of(lane, sub, cursor, at), refusal, stream)
        }
    }
}

/// An event in a bootstrap's replay that retention had pruned before.
fn pruned_delivered(lane: &LaneIndex<'_>, sub: &Sub<'_>) -> Option<Wrong> {
    let floor = lane.streams[sub.stream].floor_sure.before(sub.at);
    let arrived = sub.deliveries.iter().map(|number| &lane.deliveries[*number]);
    let lowest = arrived.filter(|delivery| delivery.arrival.fills_its_seq()).map(|delivery| delivery.seq).min()?;
    let expected = format!("nothing at or below the floor {floor}");
    (lowest <= floor).then(|| ("pruned-delivered", Some((expected, format!("event {lowest}")))))
}

/// An event that came in a subscription that was refused. On a connection that already carried the stream, the former
/// subscription's may still be on their way.
fn though_refused(lane: &LaneIndex<'_>, sub: &Sub<'_>, reply: Reply<'_>) -> Option<Wrong> {
    let Reply::Refused { .. } = reply else { return None };
    let came = sub.deliveries.iter().map(|number| &lane.deliveries[*number]);
    let first = came.filter(|_| sub.fresh).find(|came| came.arrival.fills_its_seq())?;
    let got = format!("event {}", first.seq);
    Some(("delivered-though-refused", Some(("nothing".to_owned(), got))))
}

fn judge_refusal(moment: &Moment, refusal: &Refusal, stream: &str) -> Option<Wrong> {
    let Some(entry) = refusal.stale.iter().find(|entry| entry.stream.as_str() == stream) else {
        return match refusal.stale.is_empty() {
            // A sibling was stale: refused with it, rightly, unless this one was stale too.
            false => {
                moment.surely_stale().then(|| ("not-listed", Some((moment.expectation(), "not listed".to_owned()))))
            }
            true if refusal.reasons.iter().any(|reason| moment.allows(reason)) => None,
            true => Some(("refused-without-cause", Some((moment.expectation(), refusal.reasons.join(", "))))),
        };
    };
    if !moment.allows(&entry.reason) {
        let reason = if moment.fresh() { "refused-without-cause" } else { "wrong-reason" };
        return Some((reason, Some((moment.expectation(), entry.reason.clone()))));
    }
    let mut listed: Vec<&str> = refusal.stale.iter().map(|entry| entry.reason.as_str()).collect();
    let mut named: Vec<&str> = refusal.reasons.iter().map(String::as_str).collect();
    let named_any = !named.is_empty();
    listed.sort_unstable();
    listed.dedup();
    named.sort_unstable();
    if named_any && listed != named {
        return Some(("wrong-reason", Some((listed.join(", "), named.join(", ")))));
    }
    wrong_field(moment, entry).map(|(expected, got)| ("wrong-fields", Some((expected, got))))
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
        Some(_) => Some(("no-rebootstrap", Some(("an accepted bootstrap".to_owned(), "a rewind alone".to_owned())))),
        None => Some(("no-rebootstrap", Some(("a rewind".to_owned(), "none".to_owned())))),
    }
}
