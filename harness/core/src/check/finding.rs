//! What a checker reports: findings with witnesses as data. [`super::describe`] puts them into words.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reason::{Reason, Verdict};
use crate::ids::{ClientId, FaultId, LaneId, OpId, Seq, StreamId};
use crate::stats::Comparison;

/// The most findings that one checker keeps for one lane; the rest are counted in [`Report::left_out`].
pub const MAX_FINDINGS: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordRef {
    pub lane: LaneId,
    /// The index among its records, from 0.
    pub record: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Witness {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordRef>,
    /// The last seq of the range that begins at the finding's own; absent where it is one event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<OpId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// The seq of the event whose payload came in place of another's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<Seq>,
    /// Where in the payload the two differ, as a JSON Pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How often the same was seen again beyond the records named.
    #[serde(skip_serializing_if = "is_zero")]
    pub repeats: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub checker: &'static str,
    /// How bad it is: `Unknown` or `Invalid`; `Valid` makes it a warning, which is reported and decides nothing.
    pub verdict: Verdict,
    /// The lane that it is found on; for `unseen`, the lane that failed to deliver.
    pub lane: Option<LaneId>,
    pub client: Option<ClientId>,
    pub stream: Option<StreamId>,
    /// The event, or the first of a range that [`Witness::through`] ends.
    pub seq: Option<Seq>,
    pub reason: &'static Reason,
    pub witness: Witness,
}

impl Finding {
    /// A finding with the verdict of its reason, and without place or witness yet.
    pub fn new(checker: &'static str, reason: &'static Reason) -> Finding {
        Finding {
            checker,
            verdict: reason.verdict,
            lane: None,
            client: None,
            stream: None,
            seq: None,
            reason,
            witness: Witness::default(),
        }
    }

    pub fn with(mut self, verdict: Verdict) -> Finding {
        self.verdict = verdict;
        self
    }

    pub fn is_warning(&self) -> bool {
        self.verdict == Verdict::Valid
    }

    pub fn on(mut self, lane: LaneId) -> Finding {
        self.lane = Some(lane);
        self
    }

    pub fn at_client(mut self, client: &str) -> Finding {
        self.client = Some(ClientId::new(client));
        self
    }

    pub fn in_stream(mut self, stream: &str) -> Finding {
        self.stream = Some(StreamId::new(stream));
        self
    }

    pub fn of_event(mut self, seq: u64) -> Finding {
        self.seq = Some(Seq(seq));
        self
    }

    /// Of which events, both ends included.
    pub fn of_events(mut self, first: u64, last: u64) -> Finding {
        self.seq = Some(Seq(first));
        self.witness.through = (last != first).then_some(Seq(last));
        self
    }

    /// Shown by a record of the finding's own lane; without a lane this does nothing.
    pub fn seen_at(mut self, record: usize) -> Finding {
        if let Some(lane) = self.lane {
            self.witness.records.push(RecordRef { lane, record });
        }
        self
    }

    pub fn seen_on(mut self, lane: LaneId, record: usize) -> Finding {
        self.witness.records.push(RecordRef { lane, record });
        self
    }

    pub fn expected(mut self, expected: impl ToString, got: impl ToString) -> Finding {
        self.witness.expected = Some(expected.to_string());
        self.witness.got = Some(got.to_string());
        self
    }

    pub fn got(mut self, got: String) -> Finding {
        self.witness.got = Some(got);
        self
    }

    pub fn of_op(mut self, op: OpId) -> Finding {
        self.witness.op = Some(op);
        self
    }

    pub fn last_seq(&self) -> Option<Seq> {
        self.witness.through.or(self.seq)
    }

    pub(super) fn is_of(&self, checkers: &[&str]) -> bool {
        checkers.contains(&self.checker)
    }

    pub(super) fn is_at_client_of(&self, other: &Finding) -> bool {
        self.client == other.client
    }

    pub(super) fn overlaps(&self, other: &Finding) -> bool {
        matches!(
            (self.seq, self.last_seq(), other.seq, other.last_seq()),
            (Some(first), Some(last), Some(from), Some(to)) if first <= to && from <= last
        )
    }

    pub(super) fn is_within(&self, other: &Finding) -> bool {
        matches!(
            (self.seq, self.last_seq(), other.seq, other.last_seq()),
            (Some(first), Some(last), Some(from), Some(to)) if from <= first && last <= to
        )
    }

    /// Whether its seqs go as far as the other's first one.
    pub(super) fn reaches(&self, other: &Finding) -> bool {
        self.last_seq() >= other.seq
    }

    /// Whether it is about the event whose payload the other one saw under another seq.
    pub(super) fn covers_instead_of(&self, other: &Finding) -> bool {
        other.witness.instead.is_some_and(|seq| self.seq <= Some(seq) && Some(seq) <= self.last_seq())
    }

    /// Whether it was seen at or after the other one's first record, on the lane of each.
    pub(super) fn is_seen_after(&self, other: &Finding) -> bool {
        let first = other.own_records().next();
        let last = self.own_records().last();
        first.is_some() && last >= first
    }

    fn own_records(&self) -> impl Iterator<Item = usize> + '_ {
        let own = self.witness.records.iter().filter(|record| Some(record.lane) == self.lane);
        own.map(|record| record.record)
    }
}

/// Findings of which one stands for all of the same key; the others are counted in [`Witness::repeats`].
#[derive(Debug)]
pub(super) struct Repeated<K>(BTreeMap<K, Finding>);

impl<K: Ord> Repeated<K> {
    pub fn new() -> Repeated<K> {
        Repeated(BTreeMap::new())
    }

    pub fn add(&mut self, key: K, finding: impl FnOnce() -> Finding) {
        self.0.entry(key).and_modify(|first| first.witness.repeats += 1).or_insert_with(finding);
    }

    pub fn report(self, report: &mut Report) {
        self.0.into_values().for_each(|finding| report.push(finding));
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub checker: &'static str,
    pub verdict: Verdict,
    /// In the order of lanes, then as found.
    pub findings: Vec<Finding>,
    /// How many findings were not kept, by the bound of [`MAX_FINDINGS`] a lane.
    pub left_out: u64,
    /// How many things it checked, by name: a checker that checked nothing proved nothing.
    pub counted: BTreeMap<String, u64>,
    /// What it measured on both lanes, by name.
    pub compared: BTreeMap<String, Comparison>,
}

impl Report {
    pub fn new(checker: &'static str) -> Report {
        Report {
            checker,
            verdict: Verdict::Valid,
            findings: Vec::new(),
            left_out: 0,
            counted: BTreeMap::new(),
            compared: BTreeMap::new(),
        }
    }

    /// Adds a finding, or counts it where there are too many already. It counts for the verdict in any case.
    pub fn push(&mut self, finding: Finding) {
        self.verdict = self.verdict.max(finding.verdict);
        let same_lane = self.findings.iter().rev().take_while(|kept| kept.lane == finding.lane);
        if same_lane.take(MAX_FINDINGS).count() >= MAX_FINDINGS {
            self.left_out += 1;
        } else {
            self.findings.push(finding);
        }
    }

    pub fn count(&mut self, what: &str, number: u64) {
        *self.counted.entry(what.to_owned()).or_default() += number;
    }
}

#[cfg(test)]
mod tests;
