//! The plan's side of the notation: operations, clients and faults, as the statements first name them.

use std::collections::{BTreeMap, HashMap};

use crate::hash::{PayloadHash, payload_hash};
use crate::ids::{ClientId, Cursor, FaultId, OpId, Seed, StreamId};
use crate::plan::{
    AtLeast, ByteToxic, Case, Claims, Compression, Direction, Expectation, FaultKind, PLAN_SCHEMA, Plan, PlannedClient,
    PlannedFault, PlannedStream, PlannedToxic, Position, PublishExpect, Serializer, Step, Times,
};

/// The payload of an event.
pub(super) fn payload(kind: &str, stream: &str, seq: u64) -> String {
    match kind {
        "invalid" => format!("{{\"event\":\"{stream}{seq}\",\"event\":1}}"),
        _ if matches!(stream, "s" | "t") => "{\"the\":\"same\"}".to_owned(),
        "conflict" => format!("{{\"conflict\":true,\"event\":\"{stream}{seq}\"}}"),
        _ => format!("{{\"event\":\"{stream}{seq}\"}}"),
    }
}

/// The hash of a payload; the notation's are all canonical.
pub(super) fn hash(payload: &str) -> PayloadHash {
    payload_hash(payload.as_bytes()).unwrap_or(PayloadHash::from_bytes([0; 32]))
}

/// Gathers the plan.
#[derive(Default)]
pub(super) struct PlanWriter {
    streams: BTreeMap<String, PlannedStream>,
    clients: BTreeMap<String, (Vec<StreamId>, bool)>,
    steps: Vec<Step>,
    proof_of_life: Vec<Step>,
    ops: HashMap<String, OpId>,
    faults: Vec<PlannedFault>,
    toxics: Vec<PlannedToxic>,
    at_least: AtLeast,
}

impl PlanWriter {
    /// A stream's policy.
    pub fn policy_at_start(&mut self, stream: &str) -> &mut PlannedStream {
        self.streams.entry(stream.to_owned()).or_insert_with(|| PlannedStream {
            id: StreamId::from(stream),
            retention: None,
            replay_budget: None,
        })
    }

    fn op(&mut self, name: String, step: impl FnOnce(OpId) -> Step) -> OpId {
        let next = OpId(self.ops.len() as u32 + 1);
        *self.ops.entry(name).or_insert_with(|| {
            self.steps.push(step(next));
            next
        })
    }

    /// The operation of a publish.
    pub fn publish(&mut self, kind: &str, stream: &str, seq: u64, nth: usize, expect: PublishExpect) -> OpId {
        self.policy_at_start(stream);
        let proves = kind == "prove";
        let op = self.op(format!("{kind} {stream}{seq} {nth}"), |op| {
            let payload = payload(kind, stream, seq);
            let (hash, key) = (hash(&payload), format!("{stream}{seq}"));
            let (stream, claims) = (StreamId::from(stream), Claims::default());
            Step::Publish { op, stream, key, payload, hash, claims, lane: None, together: None, due_us: None, expect }
        });
        if proves {
            let is_proof = |step: &Step| matches!(step, Step::Publish { op: other, .. } if *other == op);
            let steps = std::mem::take(&mut self.steps);
            let (proofs, steps): (Vec<Step>, Vec<Step>) = steps.into_iter().partition(is_proof);
            self.steps = steps;
            self.proof_of_life.extend(proofs);
        }
        op
    }

    /// The operation of a policy.
    pub fn policy(&mut self, stream: &str, what: &str, number: u64, nth: usize) -> OpId {
        self.policy_at_start(stream);
        let only = |name: &str| (what == name).then_some(number);
        let (retention, replay_budget) = (only("retain"), only("budget"));
        let stream = StreamId::from(stream);
        self.op(format!("policy {nth}"), |op| Step::Policy { op, stream, retention, replay_budget })
    }

    /// A call of a reducer, or a query, with what is planned of it.
    pub fn call(&mut self, stream: &str, what: &str, planned: &str, nth: usize) -> OpId {
        let (name, what, planned) = (format!("call {nth}"), what.to_owned(), planned.to_owned());
        let stream = StreamId::from(stream);
        self.op(name, |op| match what.as_str() {
            "rows" => Step::Rows { op, stream, query: "SELECT".to_owned(), rows: planned },
            _ => {
                let refused = (planned != "done").then_some(planned);
                Step::Call { op, stream, reducer: what, args: "[]".to_owned(), refused }
            }
        })
    }

    /// A fault.
    pub fn fault(&mut self, name: &str, client: &str, kind: FaultKind) {
        if self.faults.iter().all(|fault| fault.id.as_str() != name) {
            self.faults.push(PlannedFault {
                id: FaultId::from(name),
                lane: None,
                client: ClientId::from(client),
                at: Position::Resume { nth: 1 },
                kind,
                times: Times::Once,
            });
        }
    }

    /// A toxic that delays what goes to a client; its toxicity in percent.
    pub fn toxic(&mut self, name: &str, client: &str, percent: u32) {
        if self.toxics.iter().all(|toxic| toxic.id.as_str() != name) {
            self.toxics.push(PlannedToxic {
                id: FaultId::from(name),
                lane: None,
                client: ClientId::from(client),
                stream: Direction::Downstream,
                toxicity: f64::from(percent) / 100.0,
                toxic: ByteToxic::Latency { latency: 1, jitter: 0 },
            });
        }
    }

    /// A least number.
    pub fn at_least(&mut self, what: &str, number: u64) -> Option<()> {
        let least = match what {
            "deliveries" => &mut self.at_least.deliveries,
            "resumes" => &mut self.at_least.resumes,
            "refusals" => &mut self.at_least.refusals,
            "duplicates" => &mut self.at_least.duplicates,
            "faults" => &mut self.at_least.faults,
            _ => return None,
        };
        *least = number;
        Some(())
    }

    /// What a client's statement means to the plan.
    pub fn client_statement(&mut self, name: &str, words: &[&str]) {
        let client = ClientId::from(name);
        match *words {
            ["sub" | "ask", stream, ..] => {
                self.policy_at_start(stream);
                let (streams, connected) = self.clients.entry(name.to_owned()).or_default();
                if !streams.iter().any(|known| known.as_str() == stream) {
                    streams.push(StreamId::from(stream));
                }
                if !std::mem::replace(connected, true) {
                    self.steps.push(Step::Connect { client, at_once: false });
                }
            }
            ["leave" | "crash"] => {
                let known = self.clients.entry(name.to_owned()).or_default();
                if std::mem::replace(&mut known.1, false) {
                    let crash = words == ["crash"];
                    self.steps.push(if crash { Step::Crash { client } } else { Step::Disconnect { client } });
                }
            }
            ["cursor", stream, cursor] => self.steps.push(Step::SetCursor {
                client,
                stream: StreamId::from(stream),
                cursor: Cursor(cursor.parse().unwrap_or(0)),
            }),
            _ => {}
        }
    }

    /// The plan.
    pub fn finish(self) -> Plan {
        let clients = self.clients.into_iter().map(|(name, (streams, _))| PlannedClient {
            id: ClientId::new(name),
            streams,
            replay_batch: 200,
            serializer: Serializer::V2,
            compression: Compression::None,
            identity: None,
            backoff_ms: vec![1],
            habit: None,
            join: None,
            passes_off: false,
            programs: None,
            refused: None,
        });
        Plan {
            schema: PLAN_SCHEMA.to_owned(),
            scenario: "notation".to_owned(),
            title: "Written in notation".to_owned(),
            proves: Vec::new(),
            seed: Seed(1),
            scenario_digest: String::new(),
            legacy_defects: Vec::new(),
            candidate_defects: Vec::new(),
            window: None,
            bridge: None,
            cases: vec![Case {
                name: "main".to_owned(),
                streams: self.streams.into_values().collect(),
                identities: Vec::new(),
                clients: clients.collect(),
                writer_backoff_ms: vec![1],
                steps: self.steps,
                proof_of_life: self.proof_of_life,
            }],
            faults: self.faults,
            toxics: self.toxics,
            at_least: self.at_least,
            expect: Expectation::Allow,
            budgets: None,
            converge_within_ms: 1000,
        }
    }
}
