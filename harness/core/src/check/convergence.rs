//! `convergence`: a client that the plan leaves connected must end with the acknowledged head of each of its streams.
//! One that ends beyond all that can have been written will skip what is written next. A lane that accepts a
//! subscription also names the head by which clients measure themselves; one that can't have been the stream's then is
//! reported once for each client and stream.

use super::checker::{Checker, nothing};
use super::finding::{Finding, Repeated, Report};
use super::index::{Index, LaneIndex, PairKey, Reply};
use super::reason::{Reason, Shortage};

pub const NAME: &str = "convergence";

static BEHIND_HEAD: Reason =
    Reason::invalid("behind-head", "{client} ended behind the head of {stream}").deed("left clients behind the head");
static STUCK: Reason =
    Reason::invalid("stuck", "{client} asked for event {seq} of {stream} again and again and never got it")
        .deed("never delivered events that clients asked for again and again");
static AHEAD_OF_HEAD: Reason =
    Reason::invalid("ahead-of-head", "{client} ended beyond the head of {stream}, and what comes next will be skipped")
        .deed("left clients beyond its head");
static WRONG_HEAD: Reason = Reason::invalid("wrong-head", "{client} received a head of {stream} that is impossible")
    .deed("named heads that is impossible");
static NO_WATERMARK: Reason =
    Reason::unknown("no-watermark", "it is unknown how far {client} came in {stream}").shortage(Shortage::NotDone);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a client did not reach the head, or went beyond it, or was given a wrong one",
    source: "the converge phase (faults off, servers up: every client reaches every head), and contract, \"Applying, \
             on the client\" and \"Client to server\" (`current_watermarks`)",
    rows: &["replay-determinism", "multi-device"],
    reasons: &[&BEHIND_HEAD, &STUCK, &AHEAD_OF_HEAD, &WRONG_HEAD, &NO_WATERMARK],
    accounts_for: "",
    explains: nothing,
    check,
};

/// An extra event moves the heads that the lane and the client know.
pub(super) fn follows_an_extra_event(cause: &Finding, effect: &Finding) -> bool {
    effect.is_at_client_of(cause) && effect.is_of(&[NAME]) && effect.reaches(cause)
}

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        wrong_heads(index, lane, report);
        if !lane.done {
            continue;
        }
        for key in index.plan.owing_pairs() {
            report.count("clients and streams", 1);
            of_pair(index, lane, key).into_iter().for_each(|finding| report.push(finding));
        }
    }
}

/// Heads that a lane named and that can't have been. A cursor beyond the head may come back as it was sent.
fn wrong_heads(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let mut found = Repeated::new();
    for sub in &lane.subs {
        let Some(Reply::Accepted { at, head: Some(head) }) = sub.reply else {
            continue;
        };
        let timeline = &lane.streams[sub.stream];
        let least = timeline.head_sure.before(sub.at);
        let most = timeline.head_may.before(at).max(sub.saw.unwrap_or(0));
        let (first, last, expected) = if head.0 < least {
            (head.0 + 1, least, format!("head {least} or more"))
        } else if head.0 > most {
            (most + 1, head.0, format!("head {most} or less"))
        } else {
            continue;
        };
        let key = (sub.client, sub.stream);
        found.add(key, || {
            let finding = index.finding(NAME, &WRONG_HEAD, lane, key).of_events(first, last);
            finding.seen_at(sub.at).seen_at(at).expected(expected, format!("head {head}"))
        });
    }
    found.report(report);
}

fn of_pair(index: &Index<'_>, lane: &LaneIndex<'_>, key: PairKey) -> Option<Finding> {
    let head = lane.streams[key.1].head_sure.last();
    let most = lane.streams[key.1].head_may.last();
    let pair = lane.pair(key)?;
    let finding = |reason| index.finding(NAME, reason, lane, key);
    match pair.watermark {
        Some((at, cursor)) if cursor > most => Some(
            finding(&AHEAD_OF_HEAD)
                .of_events(most + 1, cursor)
                .seen_at(at)
                .expected(format!("cursor {head}"), format!("cursor {cursor}")),
        ),
        Some((_, cursor)) if cursor >= head => None,
        Some((at, cursor)) => {
            let stuck = pair.stuck.filter(|(_, stuck)| *stuck == cursor);
            let reason = if stuck.is_some() { &STUCK } else { &BEHIND_HEAD };
            let mut finding = finding(reason).with(lane.charge(key.0)).of_events(cursor + 1, head);
            if let Some((stuck, _)) = stuck {
                finding = finding.seen_at(stuck);
            }
            Some(finding.seen_at(at).expected(format!("cursor {head}"), format!("cursor {cursor}")))
        }
        None if head == 0 => None,
        None => Some(finding(&NO_WATERMARK).of_events(1, head)),
    }
}
