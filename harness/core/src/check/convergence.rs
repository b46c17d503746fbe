//! `convergence`: a client did not reach the head.
//!
//! Anomaly: a client that the plan leaves connected ends with a cursor below the acknowledged head of one of its streams
//! (`behind-head`; `stuck` where it asked for the same event again and again and never got it), or above all that can
//! have been written (`ahead-of-head`: what is written next will be skipped in silence). Without a watermark at the end
//! nobody can tell (`no-watermark`, `Unknown`). And a lane that accepts a subscription names the head that clients
//! measure themselves by: one that can't have been the stream's then is `wrong-head`, told once for each client and
//! stream. Source: the converge phase (faults off, servers up: every client reaches every head), and contract, "Applying,
//! on the client" and "Client to server" (`current_watermarks`).

use std::collections::BTreeMap;

use super::index::{Index, LaneIndex, PairKey, Reply};
use super::{CheckInput, Checker, Finding, Report, Verdict};

/// See the module's documentation.
pub struct Convergence;

impl Checker for Convergence {
    fn name(&self) -> &'static str {
        "convergence"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        for lane in index.lanes() {
            wrong_heads(index, lane, &mut report);
            if !lane.done {
                continue;
            }
            for key in index.plan.owing_pairs() {
                report.count("clients and streams", 1);
                if let Some(finding) = of_pair(index, lane, key) {
                    report.push(finding);
                }
            }
        }
        report
    }
}

/// Heads that a lane named and that can't have been. A cursor beyond the head may come back as it was sent.
fn wrong_heads(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let mut told: BTreeMap<PairKey, Finding> = BTreeMap::new();
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
        told.entry((sub.client, sub.stream)).and_modify(|finding| finding.witness.repeats += 1).or_insert_with(|| {
            Finding::new("convergence", Verdict::Invalid, "wrong-head")
                .on(lane.lane)
                .at_client(index.plan.clients.name(sub.client))
                .in_stream(index.plan.streams.name(sub.stream))
                .of_events(first, last)
                .seen_at(sub.at)
                .seen_at(at)
                .expected(expected, format!("head {head}"))
        });
    }
    for finding in told.into_values() {
        report.push(finding);
    }
}

fn of_pair(index: &Index<'_>, lane: &LaneIndex<'_>, key: PairKey) -> Option<Finding> {
    let head = lane.streams[key.1].head_sure.last();
    let most = lane.streams[key.1].head_may.last();
    let pair = lane.pair(key)?;
    let finding = |verdict, reason| {
        Finding::new("convergence", verdict, reason)
            .on(lane.lane)
            .at_client(index.plan.clients.name(key.0))
            .in_stream(index.plan.streams.name(key.1))
    };
    match pair.watermark {
        Some((at, cursor)) if cursor > most => Some(
            finding(Verdict::Invalid, "ahead-of-head")
                .of_events(most + 1, cursor)
                .seen_at(at)
                .expected(format!("cursor {head}"), format!("cursor {cursor}")),
        ),
        Some((_, cursor)) if cursor >= head => None,
        Some((at, cursor)) => {
            let stuck = pair.stuck.filter(|(_, stuck)| *stuck == cursor);
            let reason = if stuck.is_some() { "stuck" } else { "behind-head" };
            let mut finding = finding(lane.charge(key.0), reason).of_events(cursor + 1, head);
            if let Some((stuck, _)) = stuck {
                finding = finding.seen_at(stuck);
            }
            Some(finding.seen_at(at).expected(format!("cursor {head}"), format!("cursor {cursor}")))
        }
        None if head == 0 => None,
        None => Some(finding(Verdict::Unknown, "no-watermark").of_events(1, head)),
    }
}
