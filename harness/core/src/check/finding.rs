//! What a checker says: findings with witnesses as data, gathered in a report. Prose is made elsewhere
//! ([`super::describe`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, FaultId, LaneId, OpId, Seq, StreamId};

/// The most findings that one checker keeps for one lane; the rest are counted in [`Report::left_out`].
pub const MAX_FINDINGS: usize = 256;

/// A judgement. Ordered from best to worst, so that the worst of several is their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Looked at, and nothing is wrong.
    Valid,
    /// Nobody can tell. Never as good as valid.
    Unknown,
    /// A property was seen to be violated.
    Invalid,
}

impl Verdict {
    /// The verdict's name as it stands in files and on the terminal.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Valid => "valid",
            Verdict::Unknown => "unknown",
            Verdict::Invalid => "invalid",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A record that bears a finding out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordRef {
    /// In which lane's history.
    pub lane: LaneId,
    /// At which index of its records, from 0.
    pub record: usize,
}

/// What bears a finding out, as data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Witness {
    /// The records, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordRef>,
    /// The last seq of the range that begins at the finding's own; absent where it is one event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<Seq>,
    /// The operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<OpId>,
    /// The fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultId>,
    /// What should have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// The seq of the event whose payload came in place of another's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<Seq>,
    /// Where in the payload the two part, as a JSON path.
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

/// One thing that is wrong, or that nobody can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The checker that found it.
    pub checker: String,
    /// How bad it is: `Unknown` or `Invalid`; `Valid` makes it a warning, which is told and decides nothing.
    pub verdict: Verdict,
    /// The lane that it is found on; for `unseen`, the lane that failed to deliver.
    pub lane: Option<LaneId>,
    /// The client that it concerns, where it is one client's.
    pub client: Option<ClientId>,
    /// The stream.
    pub stream: Option<StreamId>,
    /// The event, or the first of a range that [`Witness::through`] ends.
    pub seq: Option<Seq>,
    /// What is wrong, in a short fixed word.
    pub reason: String,
    /// What bears it out.
    pub witness: Witness,
}

impl Finding {
    /// A finding without place or witness yet.
    pub fn new(checker: &str, verdict: Verdict, reason: &str) -> Finding {
        Finding {
            checker: checker.to_owned(),
            verdict,
            lane: None,
            client: None,
            stream: None,
            seq: None,
            reason: reason.to_owned(),
            witness: Witness::default(),
        }
    }

    /// Whether it is a warning.
    pub fn is_warning(&self) -> bool {
        self.verdict == Verdict::Valid
    }

    /// On which lane.
    pub fn on(mut self, lane: LaneId) -> Finding {
        self.lane = Some(lane);
        self
    }

    /// At which client.
    pub fn at_client(mut self, client: &str) -> Finding {
        self.client = Some(ClientId::new(client));
        self
    }

    /// In which stream.
    pub fn in_stream(mut self, stream: &str) -> Finding {
        self.stream = Some(StreamId::new(stream));
        self
    }

    /// Of which event.
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

    /// Borne out by a record of the finding's own lane; without a lane this does nothing.
    pub fn seen_at(mut self, record: usize) -> Finding {
        if let Some(lane) = self.lane {
            self.witness.records.push(RecordRef { lane, record });
        }
        self
    }

    /// Borne out by a record of a named lane.
    pub fn seen_on(mut self, lane: LaneId, record: usize) -> Finding {
        self.witness.records.push(RecordRef { lane, record });
        self
    }

    /// What should have been, and what was.
    pub fn expected(mut self, expected: impl ToString, got: impl ToString) -> Finding {
        self.witness.expected = Some(expected.to_string());
        self.witness.got = Some(got.to_string());
        self
    }

    /// Of which operation.
    pub fn of_op(mut self, op: OpId) -> Finding {
        self.witness.op = Some(op);
        self
    }

    /// The last seq that the finding is about.
    pub fn last_seq(&self) -> Option<Seq> {
        self.witness.through.or(self.seq)
    }
}

/// What one checker makes of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The checker.
    pub checker: String,
    /// The worst of its findings.
    pub verdict: Verdict,
    /// In the order of lanes, then as found.
    pub findings: Vec<Finding>,
    /// How many findings were not kept, by the bound of [`MAX_FINDINGS`] a lane.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
    /// What it looked at, by name: a checker that looked at nothing proved nothing.
    pub counted: BTreeMap<String, u64>,
}

impl Report {
    /// A report without findings.
    pub fn new(checker: &str) -> Report {
        Report {
            checker: checker.to_owned(),
            verdict: Verdict::Valid,
            findings: Vec::new(),
            left_out: 0,
            counted: BTreeMap::new(),
        }
    }

    /// Adds a finding, or counts it where there are too many already. The verdict always heeds it.
    pub fn push(&mut self, finding: Finding) {
        self.verdict = self.verdict.max(finding.verdict);
        let same_lane = self.findings.iter().rev().take_while(|kept| kept.lane == finding.lane);
        if same_lane.take(MAX_FINDINGS).count() >= MAX_FINDINGS {
            self.left_out += 1;
        } else {
            self.findings.push(finding);
        }
    }

    /// Counts what was looked at.
    pub fn count(&mut self, what: &str, number: u64) {
        *self.counted.entry(what.to_owned()).or_default() += number;
    }
}

#[cfg(test)]
mod tests;
