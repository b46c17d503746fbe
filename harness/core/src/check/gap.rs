//! `gap`: within one subscription, the next event of a kind of message is not the one after the last, and what was
//! skipped does not come later in it; what does is `nonmonotonic` instead. At the start, the first event is not the one
//! after the cursor that the lane saw, or after the retention floor for a bootstrap. A lane that sends every event in
//! two kinds of message and leaves one out, though the connection did not end in between, has a gap too, and so have a
//! replay that the lane calls complete before all that was acknowledged when it was asked for has come, and a live tail
//! that leaves acknowledged events out, on a connection that answers, until the client asks for them again without
//! being told to.
//!
//! A skip behind a message that a fault lost, or let others pass, on its way to the subscription is the network's.
//! Beside a frame that the client could not read, it is unknown.

use std::collections::BTreeMap;

use super::checker::Checker;
use super::finding::{Finding, Report};
use super::index::{Arrival, Index, LaneIndex, Sub};
use super::order::{Skip, Tracks, base_of_sub};
use super::reason::{Reason, Verdict};
use super::{convergence, unseen};
use crate::history::{Closed, Record};

pub const NAME: &str = "gap";

static SKIPPED: Reason = Reason::invalid("skipped", "{event} {was} skipped on the way to {client}")
    .deed("skipped events on their way to a client");
static SKIPPED_AT_START: Reason = Reason::invalid("skipped-at-start", "{event} {was} skipped when {client} subscribed")
    .deed("skipped events when a client subscribed");
static COPY_MISSING: Reason =
    Reason::invalid("copy-missing", "{event} came to {client} in one kind of message and not in the other")
        .deed("delivered events in one kind of message and not in the other");
static CUT_SHORT: Reason =
    Reason::invalid("replay-cut-short", "{event} had not come when {client} was told that its replay was complete")
        .deed("called replays complete before all events had come");
static NOT_LIVE: Reason =
    Reason::invalid("not-live", "{event} did not come live to {client}, which had to ask for it again")
        .deed("left events out of its live tail until a client asked again");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "within a subscription, a seq was skipped and did not come later in it",
    source: "contract, \"Ordering, delivery, replay\" (no gaps; a gap is never something to skip over; replay first, \
             then the live tail) and \"Server to client\" (every batch is sent a second time; the replay's pushes go \
             out before the reply)",
    rows: &["replay-determinism", "cursor-continuity"],
    reasons: &[&SKIPPED, &SKIPPED_AT_START, &COPY_MISSING, &CUT_SHORT, &NOT_LIVE],
    accounts_for: "same client and seqs: unseen, convergence",
    explains: |cause, effect| {
        effect.is_at_client_of(cause) && effect.is_of(&[unseen::NAME, convergence::NAME]) && effect.overlaps(cause)
    },
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        report.count("subscriptions", lane.subs.len() as u64);
        let of_subs = lane.subs.iter().flat_map(|sub| of_sub(index, lane, sub));
        of_subs.chain(not_live(index, lane)).for_each(|finding| report.push(finding));
    }
}

fn of_sub(index: &Index<'_>, lane: &LaneIndex<'_>, sub: &Sub<'_>) -> Vec<Finding> {
    let tracks = Tracks::of(lane, sub);
    let mut skips: BTreeMap<u64, (Skip, bool)> = BTreeMap::new();
    for (track, other) in [(&tracks.first, &tracks.second), (&tracks.second, &tracks.first)] {
        for skip in track.skips() {
            let twice = other.skip_over(skip.first).is_some();
            // Where the other copy has not come as far, it is not known whether it would have been whole.
            let came = !twice && other.next().is_some_and(|next| skip.first < next);
            skips.entry(skip.first).or_insert((skip, came));
        }
    }
    let mut findings: Vec<Finding> = skips
        .values()
        .filter(|(skip, _)| !sub.is_disturbed(skip.at))
        .map(|(skip, one_copy)| {
            let reason = match (one_copy, skip.at_start) {
                (true, _) => &COPY_MISSING,
                (false, true) => &SKIPPED_AT_START,
                (false, false) => &SKIPPED,
            };
            finding(index, lane, sub, reason, (skip.first, skip.last)).seen_at(sub.at).seen_at(skip.at)
        })
        .collect();
    findings.extend(missing_tail(index, lane, sub, &tracks));
    let reported = |first: u64, last: u64| skips.values().any(|(skip, _)| skip.first <= last && first <= skip.last);
    if let Some((first, last, at)) =
        cut_short(lane, sub).filter(|(first, last, at)| !reported(*first, *last) && !sub.is_disturbed(*at))
    {
        let finding = finding(index, lane, sub, &CUT_SHORT, (first, last));
        findings.push(finding.seen_at(sub.at).seen_at(at));
    }
    findings
}

/// The end of the replay that had not come when the lane said that the replay was complete, and the record of that.
///
/// Only what was acknowledged before the client asked is sure to belong to the replay. What came in its place, though
/// it is another stream's event, is reported by another checker.
fn cut_short(lane: &LaneIndex<'_>, sub: &Sub<'_>) -> Option<(u64, u64, usize)> {
    let accepted = sub.accepted_at()?;
    let (_, base) = base_of_sub(lane, sub, accepted);
    let last = lane.streams[sub.stream].head_sure.before(sub.at);
    let came = sub.deliveries.iter().map(|number| &lane.deliveries[*number]);
    let reached = came
        .take_while(|delivery| delivery.at < accepted)
        .filter(|delivery| {
            !matches!(delivery.arrival, Arrival::NeverPublished | Arrival::BeforePublished(_) | Arrival::NotSubscribed)
        })
        .map(|delivery| delivery.seq)
        .max()
        .unwrap_or(0)
        .max(base);
    (reached < last).then_some((reached + 1, last, accepted))
}

/// The end of one copy that never came, in a subscription that lasted until everything in flight was to have arrived.
fn missing_tail(index: &Index<'_>, lane: &LaneIndex<'_>, sub: &Sub<'_>, tracks: &Tracks) -> Option<Finding> {
    if !lane.two_copies || !lane.done || sub.ended < lane.drain_at || sub.disturbed_at.is_some() {
        return None;
    }
    // A connection that ended otherwise than by the client may have taken the other copy with it.
    let ended = lane.history.records.get(sub.ended);
    if matches!(ended, Some(Record::Closed { why, .. }) if *why != Closed::ByClient) {
        return None;
    }
    let (longer, shorter) = match (tracks.first.next(), tracks.second.next()) {
        (Some(first), Some(second)) if first > second => (&tracks.first, second),
        (Some(first), Some(second)) if first < second => (&tracks.second, first),
        (Some(_), None) => (&tracks.first, tracks.first.start()?),
        (None, Some(_)) => (&tracks.second, tracks.second.start()?),
        _ => return None,
    };
    let last = longer.next()?.saturating_sub(1);
    Some(finding(index, lane, sub, &COPY_MISSING, (shorter, last)).seen_at(sub.at).seen_at(longer.last_at()))
}

/// Events that had not come when the client asked for them again, though its connection was good.
fn not_live(index: &Index<'_>, lane: &LaneIndex<'_>) -> Vec<Finding> {
    let asked_again = lane.subs.iter().flat_map(|sub| {
        let pair = lane.pair((sub.client, sub.stream));
        let overdue = pair.map_or(&[][..], |pair| &pair.overdue).iter();
        let of_this = overdue.filter(|(at, ..)| sub.at <= *at && *at <= sub.ended);
        of_this.map(move |overdue| (sub, *overdue))
    });
    asked_again
        .filter(|(sub, (at, ..))| sub.accepted_at().is_some() && !sub.is_disturbed(*at))
        .filter_map(|(sub, (at, first, last))| {
            let last = last.min(lane.streams[sub.stream].head_sure.before(at));
            // A fault may have moved the cursor up: what lies at or below it is not owed.
            let first = if sub.saw == sub.asked { first } else { first.max(sub.saw.map_or(1, |saw| saw + 1)) };
            (first <= last).then(|| finding(index, lane, sub, &NOT_LIVE, (first, last)).seen_at(sub.at).seen_at(at))
        })
        .collect()
}

fn finding(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    sub: &Sub<'_>,
    reason: &'static Reason,
    range: (u64, u64),
) -> Finding {
    // What came and could not be read is missing here, and was sent.
    let unread = lane.reach(sub.client).is_unreadable_between(sub.at, sub.ended);
    let verdict = if unread { Verdict::Unknown } else { Verdict::Invalid };
    index.finding(NAME, reason, lane, (sub.client, sub.stream)).with(verdict).of_events(range.0, range.1)
}
