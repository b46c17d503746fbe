//! Compiles a scenario and a seed into a plan. All chance is spent here.

mod faults;
pub(super) mod keys;
pub(crate) mod payload;
pub(crate) mod planner;
#[cfg(test)]
mod tests;

use super::cast::{Client, Identity};
use super::{Backoff, Scenario, script};
use crate::chance::Chance;
use crate::ids::{ClientId, LaneId, Seed, StreamId};
use crate::plan::{
    self, AtLeast, Case, Expectation, PLAN_SCHEMA, Plan, PlannedClient, PlannedFault, PlannedStream, PlannedToxic, Step,
};
use planner::StepPlanner;

/// How many waits are drawn for each client and writer.
const BACKOFF_WAITS: u32 = 16;

/// Compiles a plan. The same scenario and seed give the same plan, byte for byte. A seed in the scenario goes before.
pub fn compile(scenario: &Scenario, seed: Seed) -> Plan {
    let seed = scenario.seed.unwrap_or(seed);
    let mut compiler = Compiler { scenario, chance: Chance::new(seed, &scenario.name), last_op: 0 };
    let mut cases: Vec<Case> = Vec::new();
    let (mut faults, mut toxics) = (Vec::new(), Vec::new());
    let mut heads = Vec::new();
    for case in &scenario.cases {
        let (compiled, ends, planned) = compiler.case(case);
        cases.push(compiled);
        heads.push(ends);
        faults.extend(planned);
        toxics.extend(case.toxics.iter().cloned());
    }
    // Proofs of life and waits are drawn last, so that they change nothing else of a plan.
    for ((compiled, case), heads) in cases.iter_mut().zip(&scenario.cases).zip(heads) {
        compiled.proof_of_life = compiler.proof_of_life(case, heads);
    }
    for case in &mut cases {
        case.writer_backoff_ms = compiler.backoff(scenario.backoff);
    }
    Plan {
        schema: PLAN_SCHEMA.to_owned(),
        scenario: scenario.name.clone(),
        title: scenario.title.clone(),
        proves: scenario.proves.clone(),
        seed,
        scenario_digest: scenario.digest.clone(),
        legacy_defects: scenario.legacy_defects.clone(),
        candidate_defects: scenario.candidate_defects.clone(),
        window: scenario.window.clone(),
        bridge: scenario.bridge.clone(),
        cases,
        at_least: at_least(scenario, &faults, &toxics),
        faults,
        toxics,
        expect: expectation(scenario),
        budgets: None,
        converge_within_ms: scenario.converge_within_ms,
    }
}

struct Compiler<'s> {
    scenario: &'s Scenario,
    chance: Chance,
    last_op: u32,
}

impl Compiler<'_> {
    /// A case, the head that its script leaves each stream at, and its faults.
    fn case(&mut self, case: &script::Case) -> (Case, Vec<u64>, Vec<PlannedFault>) {
        let streams = case.streams.iter().map(|stream| PlannedStream {
            id: StreamId::new(&stream.topic),
            retention: stream.retention,
            replay_budget: stream.replay_budget,
        });
        let streams = streams.collect();
        let clients = case.clients.iter().map(|client| self.client(case, client)).collect();
        let mirrors = self.scenario.bridge.is_some();
        let mut planner = self.planner(case, vec![0; case.streams.len()]);
        planner.mirrors = mirrors;
        for act in &case.acts {
            planner.plan(act);
        }
        let (steps, published, heads) = (planner.steps, planner.published, planner.heads);
        let faults = faults::faults(&mut self.chance, case, &published, &heads);
        let case = Case {
            name: case.name.clone(),
            streams,
            identities: self.scenario.identities.iter().map(|identity| self.identity(case, identity)).collect(),
            clients,
            writer_backoff_ms: Vec::new(),
            steps,
            proof_of_life: Vec::new(),
        };
        (case, heads, faults)
    }

    /// One more event for every stream.
    fn proof_of_life(&mut self, case: &script::Case, heads: Vec<u64>) -> Vec<Step> {
        let mut planner = self.planner(case, heads);
        for stream in 0..case.streams.len() {
            planner.proof(stream);
        }
        planner.steps
    }

    fn planner<'p>(&'p mut self, case: &'p script::Case, heads: Vec<u64>) -> StepPlanner<'p> {
        let is_honest = self.scenario.expect.is_none();
        let (chance, last_op) = (&mut self.chance, &mut self.last_op);
        StepPlanner::new(chance, last_op, &case.streams, &case.fault_ids, is_honest, heads)
    }

    fn identity(&self, case: &script::Case, identity: &Identity) -> plan::Identity {
        let ids = |streams: &[usize]| streams.iter().map(|index| StreamId::new(&case.streams[*index].topic)).collect();
        plan::Identity {
            name: identity.name.clone(),
            tenant: identity.tenant.clone(),
            reads: ids(&identity.reads),
            writes: ids(&identity.writes),
        }
    }

    fn client(&mut self, case: &script::Case, client: &Client) -> PlannedClient {
        let stream = |index: &usize| StreamId::new(&case.streams[*index].topic);
        PlannedClient {
            id: ClientId::new(&client.name),
            streams: client.streams.iter().map(stream).collect(),
            replay_batch: client.replay_batch,
            serializer: client.serializer,
            compression: client.compression,
            identity: client.identity.map(|identity| self.scenario.identities[identity].name.clone()),
            backoff_ms: self.backoff(self.scenario.backoff),
            habit: client.habit.map(str::to_owned),
            join: client.join.clone(),
            passes_off: client.passes_off,
            programs: client.programs.clone(),
            refused: client.refused.map(str::to_owned),
        }
    }

    /// Full jitter: anything from nothing (here 1 ms) up to a ceiling that doubles until its cap.
    fn backoff(&mut self, backoff: Backoff) -> Vec<u64> {
        let ceiling = |nth: u32| backoff.base_ms.saturating_mul(1 << nth.min(32)).min(backoff.cap_ms);
        (0..BACKOFF_WAITS).map(|nth| self.chance.between(1, ceiling(nth).max(1))).collect()
    }
}

/// Of toxics, only those count that every connection gets: the others may be drawn for none.
fn at_least(scenario: &Scenario, faults: &[PlannedFault], toxics: &[PlannedToxic]) -> AtLeast {
    let least = scenario.at_least;
    let armed = |lane: LaneId| {
        let faults = faults.iter().filter(|fault| fault.applies_to(lane)).count();
        let toxics = toxics.iter().filter(|toxic| toxic.applies_to(lane) && toxic.toxicity >= 1.0);
        (faults + toxics.count()) as u64
    };
    let fewest = LaneId::BOTH.into_iter().map(armed).min().unwrap_or(0);
    AtLeast {
        deliveries: least.deliveries,
        resumes: least.resumes,
        refusals: least.refusals,
        duplicates: least.duplicates,
        faults: least.faults.unwrap_or(fewest),
    }
}

fn expectation(scenario: &Scenario) -> Expectation {
    match &scenario.expect {
        None => Expectation::Allow,
        Some(expect) => Expectation::Block { findings: expect.findings.clone(), lane: expect.lane },
    }
}
