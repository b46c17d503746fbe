//! One lane's history while it grows. Times are taken here and nowhere else, and kept apart from the records.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use cutover_core::history::{Fire, Record};
use cutover_core::ids::{ClientId, FaultId};

use crate::proxy::LedgerSink;

/// A shared handle; records are kept in the order in which they come.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
}

struct Shared {
    started: Instant,
    records: Mutex<Recorded>,
}

/// What a lane's run left.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// The history's records.
    pub records: Vec<Record>,
    /// When each was recorded, in microseconds from the start of the lane's run.
    pub times_us: Vec<u64>,
}

impl Recorder {
    /// An empty history that starts now.
    pub fn start() -> Recorder {
        Recorder { shared: Arc::new(Shared { started: Instant::now(), records: Mutex::default() }) }
    }

    /// Appends a record.
    pub fn record(&self, record: Record) {
        let now = u64::try_from(self.shared.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut recorded = self.shared.records.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.records.push(record);
        recorded.times_us.push(now);
    }

    /// What was recorded so far.
    pub fn snapshot(&self) -> Recorded {
        self.shared.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Keeps no ledger: for a proxy that no fault is armed in.
#[derive(Debug, Clone, Copy)]
pub struct Quietly;

impl LedgerSink for Quietly {
    fn fired(&self, _: &FaultId, _: &ClientId, _: Fire) {}
}

impl LedgerSink for Recorder {
    fn fired(&self, fault: &FaultId, client: &ClientId, fire: Fire) {
        self.record(Record::Fault { fault: fault.clone(), client: client.clone(), fire });
    }
}
