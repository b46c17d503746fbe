//! The features of what was seen on a lane: answers, refusals, verdicts, ends of connections, lags and replays.

use std::collections::{BTreeMap, BTreeSet};

use super::words::number;
use crate::history::{Closed, Completion, History, Outcome, Record};
use crate::plan::Plan;

pub(super) fn features(plan: &Plan, history: &History) -> BTreeSet<String> {
    let mut features = BTreeSet::new();
    let mut asked = BTreeMap::new();
    let mut arrived = BTreeMap::<_, u64>::new();
    for record in &history.records {
        let feature = match record {
            Record::Complete { completion, .. } => Some(format!("answer {}", answer(completion))),
            Record::Subscribed { sub, stream, cursor, .. } => {
                asked.insert((sub, stream), *cursor);
                None
            }
            Record::Accepted { sub, stream, head, .. } => {
                if let Some(replayed) = arrived.get(&(sub, stream)) {
                    features.insert(number("replay", *replayed));
                }
                let cursor = asked.get(&(sub, stream)).copied().flatten();
                cursor.zip(*head).map(|(cursor, head)| number("lag", head.0.saturating_sub(cursor.0)))
            }
            Record::Refused { refusal, .. } => {
                features.extend(refusal.stale.iter().map(|stale| format!("refusal {}", stale.reason)));
                Some(format!("refusal {}", refusal.code))
            }
            Record::Delivered { sub, stream, verdict, via, .. } => {
                *arrived.entry((sub, stream)).or_default() += 1;
                features.insert(format!("via {via:?}"));
                Some(format!("verdict {verdict:?}"))
            }
            Record::Rewound { why, .. } => Some(format!("rewind {why:?}")),
            Record::Closed { why, .. } => Some(format!("end {}", end(why))),
            Record::Fault { fault, .. } => {
                let fired = plan.faults.iter().find(|planned| planned.id == *fault);
                fired.map(|fault| format!("fired {}", fault.kind.spec().word))
            }
            Record::Overdue { .. } => Some("overdue".to_owned()),
            Record::Struck { strike, .. } => Some(format!("strike {}", strike.action)),
            _ => None,
        };
        features.extend(feature);
    }
    features
}

fn answer(completion: &Completion) -> &str {
    match completion {
        Completion::Ok { outcome: Outcome::Published { duplicate: Some(true), .. } } => "repeated",
        Completion::Ok { outcome: Outcome::Published { .. } } => "published",
        Completion::Ok { outcome: _ } => "done",
        Completion::Fail { refusal } => &refusal.code,
        Completion::Later { .. } => "later",
        Completion::Unwritten { .. } => "unwritten",
        Completion::Info { .. } => "unknown",
    }
}

fn end(why: &Closed) -> &'static str {
    match why {
        Closed::ByClient => "by the client",
        Closed::Crashed => "by a crash",
        Closed::CloseFrame { .. } => "by a close frame",
        Closed::Lost { .. } => "lost",
        Closed::Silent => "silent",
        Closed::OurLimit { .. } => "by our limit",
        Closed::NotOpened { .. } => "not opened",
        Closed::Channel { .. } => "of the channel",
    }
}
