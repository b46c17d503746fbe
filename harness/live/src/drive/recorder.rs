//! Records one lane's history. Times are taken here only, and kept apart from the records.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use cutover_core::evidence::RunEvent;
use cutover_core::history::{Completion, Fire, Record};
use cutover_core::ids::{ClientId, FaultId, LaneId};
use cutover_core::text::scrubbed;
use serde_json::Value;

use super::event::EventSink;
use crate::clock::wall_clock_us;
use crate::proxy::LedgerSink;

/// A shared handle. Records are kept in the order in which they come.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
}

struct Shared {
    scenario: String,
    lane: LaneId,
    events: Arc<dyn EventSink>,
    started: Instant,
    /// The same moment by the wall clock, in microseconds since 1970.
    started_us: u64,
    records: Mutex<Recorded>,
}

#[derive(Debug, Clone, Default)]
pub struct Recorded {
    pub records: Vec<Record>,
    /// When each was recorded, in microseconds from the start of the lane's run.
    pub times_us: Vec<u64>,
}

impl Recorder {
    /// An empty history that starts now. Phases are reported as events too.
    pub fn start(scenario: String, lane: LaneId, events: Arc<dyn EventSink>) -> Recorder {
        Recorder {
            shared: Arc::new(Shared {
                scenario,
                lane,
                events,
                started: Instant::now(),
                started_us: wall_clock_us(),
                records: Mutex::default(),
            }),
        }
    }

    /// When the history began, by the wall clock, in microseconds since 1970. It decides nothing.
    pub fn started_us(&self) -> u64 {
        self.shared.started_us
    }

    pub fn record(&self, record: Record) {
        let record = without_secrets(record);
        if let Record::Phase { phase } = record {
            let (scenario, lane) = (self.shared.scenario.clone(), self.shared.lane);
            self.shared.events.event(RunEvent::Phase { scenario, lane, phase });
        }
        let now = self.now_us();
        let mut recorded = self.shared.records.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.records.push(record);
        recorded.times_us.push(now);
    }

    /// Microseconds since the start of the lane's run.
    pub fn now_us(&self) -> u64 {
        u64::try_from(self.shared.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub fn len(&self) -> usize {
        self.shared.records.lock().unwrap_or_else(PoisonError::into_inner).records.len()
    }

    /// What was recorded from this record on.
    pub fn since(&self, from: usize) -> Recorded {
        let recorded = self.shared.records.lock().unwrap_or_else(PoisonError::into_inner);
        let records = recorded.records.get(from..).unwrap_or_default().to_vec();
        Recorded { records, times_us: recorded.times_us.get(from..).unwrap_or_default().to_vec() }
    }

    pub fn snapshot(&self) -> Recorded {
        self.shared.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The record without secrets: a lane may echo a token in its messages.
fn without_secrets(record: Record) -> Record {
    let may_hold_secrets = match &record {
        Record::Complete { completion, .. } => !matches!(completion, Completion::Ok { .. }),
        Record::Delivered { payload, declared, .. } => payload.is_some() || declared.is_some(),
        Record::Phase { .. } | Record::Invoke { .. } | Record::Subscribed { .. } | Record::Accepted { .. } => false,
        Record::RoundTrip { .. } | Record::Watermark { .. } => false,
        Record::Turn { .. } | Record::Timed(_) | Record::Recovered { .. } => false,
        _ => true,
    };
    let Some(mut value) = may_hold_secrets.then(|| serde_json::to_value(&record).ok()).flatten() else {
        return record;
    };
    if !scrub("", &mut value) {
        return record;
    }
    serde_json::from_value(value).unwrap_or(record)
}

/// Takes the secrets out of every text but our own names. Returns whether there was one.
fn scrub(key: &str, value: &mut Value) -> bool {
    match value {
        Value::String(text) if !["at", "type", "kind", "how", "client", "fault"].contains(&key) => {
            let kept = scrubbed(text).into_owned();
            let changed = kept != *text;
            *text = kept;
            changed
        }
        Value::Array(list) => list.iter_mut().fold(false, |changed, value| scrub(key, value) | changed),
        Value::Object(members) => members.iter_mut().fold(false, |changed, (key, value)| scrub(key, value) | changed),
        _ => false,
    }
}

/// Keeps no ledger, for a proxy in which no fault is armed.
#[derive(Debug, Clone, Copy)]
pub struct NoLedger;

impl LedgerSink for NoLedger {
    fn fired(&self, _: &FaultId, _: &ClientId, _: Fire) {}
}

impl LedgerSink for Recorder {
    fn fired(&self, fault: &FaultId, client: &ClientId, fire: Fire) {
        self.record(Record::Fault { fault: fault.clone(), client: client.clone(), fire });
    }

    fn went_blind(&self, client: &ClientId, conn: u32, why: &str) {
        self.record(Record::Unread { client: client.clone(), conn, why: why.to_owned() });
    }
}

#[cfg(test)]
mod tests;
