//! What a lane's history shows of the row `bridge-isolation`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::history::{Arrival, Completion, History, Outcome, Process, Record, RelayAnswer, Verdict};
use crate::ids::OpId;
use crate::matrix::Part;
use crate::plan::{BRIDGE, Beside, Plan, RelayState, enqueued};

#[derive(Default)]
struct Watch<'a> {
    /// Events of the outbox, by the operation that enqueues each; and those that the lane has.
    planned: HashMap<OpId, String>,
    enqueued: BTreeSet<String>,
    arrivals: BTreeMap<&'a str, Vec<&'a Arrival>>,
    marked: BTreeSet<&'a str>,
    relay: RelayState,
    /// Whether an event was acknowledged since the relay was last changed, and whether one was applied.
    published: bool,
    delivered: bool,
    /// Conditions of the relay under which events were published and delivered.
    progressed: HashSet<Part>,
    killed_waiting: BTreeSet<String>,
}

/// The parts that one lane saw.
pub(super) fn earned(plan: &Plan, history: &History) -> BTreeSet<Part> {
    if plan.bridge.is_none() {
        return BTreeSet::new();
    }
    let planned = enqueued(plan).map(|event| (event.op, event.key)).collect();
    let mut watch = Watch { planned, ..Watch::default() };
    for record in &history.records {
        watch.record(record);
    }
    watch.finish()
}

impl<'a> Watch<'a> {
    fn record(&mut self, record: &'a Record) {
        match record {
            Record::Complete { op, completion: Completion::Ok { outcome }, .. } => match outcome {
                Outcome::Published { .. } => {
                    self.published = true;
                    self.progress();
                }
                Outcome::Done => self.enqueued.extend(self.planned.get(op).cloned()),
                _ => {}
            },
            Record::Delivered { verdict: Verdict::Applied, .. } => {
                self.delivered = true;
                self.progress();
            }
            Record::Relay { answers } => {
                self.relay.answers = *answers;
                self.changed();
            }
            Record::Beside { of: Beside::Relay, process } => {
                self.relay.down = matches!(process, Process::Killed { .. });
                self.relay.kills += u32::from(self.relay.down);
                self.changed();
            }
            Record::Beside { of: Beside::Bridge, process: Process::Killed { .. } } => {
                let waiting = self.enqueued.iter().filter(|key| !self.is_kept(key)).cloned();
                self.killed_waiting = waiting.collect();
            }
            Record::Fault { client, .. } => self.relay.slowed |= client.as_str() == BRIDGE,
            Record::Mirrored { arrival } => self.arrivals.entry(&arrival.key).or_default().push(arrival),
            Record::Outbox { rows } => {
                let marked = rows.iter().filter(|row| !row.relay_event_id.is_empty());
                self.marked = marked.map(|row| row.key.as_str()).collect();
            }
            _ => {}
        }
    }

    fn changed(&mut self) {
        (self.published, self.delivered) = (false, false);
    }

    /// Notes what an event that was published and delivered shows of the relay as it is.
    fn progress(&mut self) {
        if self.published && self.delivered {
            self.progressed.extend(self.relay.shows());
        }
    }

    fn is_kept(&self, key: &str) -> bool {
        self.arrivals.get(key).is_some_and(|arrivals| arrivals.iter().any(|arrival| arrival.answer.is_kept()))
    }

    fn finish(mut self) -> BTreeSet<Part> {
        let blocked = |key: &String| {
            let arrivals = self.arrivals.get(key.as_str());
            arrivals.and_then(|arrivals| arrivals.last()).is_some_and(|last| last.answer.is_final_refusal())
        };
        let mirrored = |key: &String| self.is_kept(key) && self.marked.contains(key.as_str());
        if self.enqueued.is_empty() || !self.enqueued.iter().all(|key| mirrored(key) || blocked(key)) {
            return BTreeSet::new();
        }
        let came = |is: fn(&Arrival) -> bool| self.arrivals.values().flatten().any(|arrival| is(arrival));
        let unlike = |is: fn(&RelayAnswer) -> bool| self.arrivals.values().flatten().any(|arrival| is(&arrival.answer));
        let shown = [
            (true, Part::OutboxMirrored),
            (self.killed_waiting.iter().any(|key| self.is_kept(key)), Part::BridgeKilled),
        ];
        // Without an event that met it, a condition of the relay shows nothing.
        let met = [
            (
                unlike(|answer| matches!(answer, RelayAnswer::Refused { .. }) && !answer.is_final_refusal()),
                Part::RelayRefusing,
            ),
            (unlike(RelayAnswer::is_final_refusal), Part::RelayBlocking),
            (
                came(|arrival| !arrival.told && arrival.answer.is_kept())
                    && unlike(|answer| *answer == RelayAnswer::Duplicate),
                Part::RelaySilent,
            ),
            (unlike(|answer| *answer == RelayAnswer::Garbage), Part::RelayGarbling),
        ];
        for (is_met, part) in met {
            if !is_met {
                self.progressed.remove(&part);
            }
        }
        let shown = shown.into_iter().filter(|(shown, _)| *shown).map(|(_, part)| part);
        shown.chain(self.progressed.iter().copied()).collect()
    }
}
