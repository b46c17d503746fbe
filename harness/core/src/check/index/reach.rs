//! Whether a client could be reached, and what prevented it. What could not reach a client is not owed to it.

use std::collections::BTreeMap;

use super::plan::PlanIndex;
use crate::history::{Closed, History, Record};

#[derive(Debug, Default)]
pub(in crate::check) struct Reach {
    /// Connections that ended, or did not open, without the client's own doing: their records.
    pub ends: Vec<usize>,
    pub unreadable: Vec<usize>,
    pub limits: Vec<usize>,
    pub gave_up: Option<usize>,
    pub tried: bool,
    /// Whether its last connection ended, or did not open, without its own doing, and it was not subscribed since.
    cut_off: bool,
    cut_off_at_watermark: Option<bool>,
}

impl Reach {
    pub const NEVER_TRIED: &'static Reach = &Reach {
        ends: Vec::new(),
        unreadable: Vec::new(),
        limits: Vec::new(),
        gave_up: None,
        tried: false,
        cut_off: false,
        cut_off_at_watermark: None,
    };

    /// Whether it had a connection when everything in flight was to have arrived. One that was opened and ended before
    /// anything was subscribed on it is none.
    pub fn connected_at_end(&self) -> bool {
        self.tried && !self.cut_off_at_watermark.unwrap_or(self.cut_off)
    }

    /// Whether something that the lane sent may not have reached it, or reached it and could not be read.
    pub fn is_hindered(&self) -> bool {
        !self.connected_at_end() || self.gave_up.is_some() || !self.unreadable.is_empty() || !self.limits.is_empty()
    }

    pub fn is_unreadable_between(&self, from: usize, to: usize) -> bool {
        // Both are in the order of the records.
        let first = |all: &[usize]| all.get(all.partition_point(|at| *at < from)).copied();
        let firsts = [first(&self.unreadable), first(&self.limits)];
        firsts.into_iter().flatten().any(|at| at <= to)
    }

    fn closed(&mut self, at: usize, why: &Closed) {
        self.tried = true;
        match why {
            // A client that closes its own connection opens another one, or leaves as the plan says.
            Closed::ByClient => return,
            Closed::Crashed => {}
            Closed::OurLimit { .. } => self.limits.push(at),
            _ => self.ends.push(at),
        }
        self.cut_off = true;
    }
}

/// How each client stood, by its number. A client that the history does not name was not reached.
pub(super) fn reaches(history: &History, plan: &PlanIndex<'_>) -> BTreeMap<usize, Reach> {
    let mut reaches: BTreeMap<usize, Reach> = BTreeMap::new();
    for (at, record) in history.records.iter().enumerate() {
        let client = match record {
            Record::Opened { client, .. }
            | Record::Closed { client, .. }
            | Record::Accepted { client, .. }
            | Record::Unreadable { client, .. }
            | Record::GaveUp { client, .. }
            | Record::Watermark { client, .. } => client,
            _ => continue,
        };
        let Some(number) = plan.clients.get(client.as_str()) else {
            continue;
        };
        let reach = reaches.entry(number).or_default();
        match record {
            Record::Opened { .. } => reach.tried = true,
            Record::Accepted { .. } => reach.cut_off = false,
            Record::Closed { why, .. } => reach.closed(at, why),
            Record::Unreadable { .. } => reach.unreadable.push(at),
            Record::GaveUp { .. } => reach.gave_up = Some(at),
            Record::Watermark { .. } => reach.cut_off_at_watermark = Some(reach.cut_off),
            _ => {}
        }
    }
    reaches
}
