//! `convergence`: a client did not reach the head.
//!
//! Anomaly: a client that the plan leaves connected ends with a cursor below the acknowledged head of one of its streams
//! (`behind-head`; `stuck` where it asked for the same event again and again and never got it). Without a watermark at
//! the end nobody can tell (`no-watermark`, `Unknown`). Source: the converge phase (faults off, servers up: every client
//! reaches every head), and contract, "Applying, on the client".

use super::index::{Index, LaneIndex, PairKey};
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
        for lane in index.lanes().iter().filter(|lane| lane.done) {
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

fn of_pair(index: &Index<'_>, lane: &LaneIndex<'_>, key: PairKey) -> Option<Finding> {
    let head = lane.streams[key.1].head_sure.last();
    let pair = lane.pair(key)?;
    let finding = |verdict, reason| {
        Finding::new("convergence", verdict, reason)
            .on(lane.lane)
            .at_client(index.plan.clients.name(key.0))
            .in_stream(index.plan.streams.name(key.1))
    };
    match pair.watermark {
        Some((_, cursor)) if cursor >= head => None,
        Some((at, cursor)) => {
            let stuck = pair.stuck.filter(|(_, stuck)| *stuck == cursor);
            let reason = if stuck.is_some() { "stuck" } else { "behind-head" };
            let mut finding = finding(Verdict::Invalid, reason).of_events(cursor + 1, head);
            if let Some((stuck, _)) = stuck {
                finding = finding.seen_at(stuck);
            }
            Some(
                finding
                    .seen_at(at)
                    .expected(format!("cursor {head}"), format!("cursor {cursor}")),
            )
        }
        None if head == 0 => None,
        None => Some(finding(Verdict::Unknown, "no-watermark").of_events(1, head)),
    }
}
