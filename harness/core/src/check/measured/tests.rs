//! Runs that were measured, for the tests of the checkers.

use super::super::{CheckInput, check_all};
use super::*;
use crate::history::{HISTORY_SCHEMA, Header};
use crate::ids::Seed;
use crate::scenario::{Scenario, compile};
use crate::stats::Budgets;

/// What becomes of the time of a sample on each lane; the first number is that of the turn.
pub type Lanes<'a> = [&'a dyn Fn(u64, u64) -> u64; 2];

/// 20 turns of 4 samples, between 1 and 4 ms.
pub fn histories(lanes: Lanes<'_>, record: impl Fn(u64) -> Record) -> [Vec<Record>; 2] {
    lanes.map(|lane| {
        let mut records = Vec::new();
        for block in 1..=20_u32 {
            records.push(Record::Turn { block });
            let block = u64::from(block);
            records.extend((0..4).map(|nth| record(lane(block, 1_000 + (block * 4 + nth) * 7 % 30 * 100))));
        }
        records
    })
}

/// What a checker finds in these records of both lanes, in words.
pub fn found(checker: &str, title: &str, step: &str, faults: &str, records: &[Vec<Record>; 2]) -> Vec<String> {
    let text = format!(
        r#"
schema = 1
name = "x"
title = "{title}"
proves = ["replay-determinism"]
streams = [{{ topic = "run:a:events" }}]
clients = [{{ name = "desk" }}]
steps = [{{ do = "connect" }}, {step}]
{faults}
at_least = {{ deliveries = 1 }}
"#
    );
    let scenario = Scenario::parse("x.toml", &text).unwrap_or_else(|errors| panic!("{errors}"));
    let mut plan = compile(&scenario, Seed(1));
    plan.budgets =
        (title == "legacy may be slower").then(|| Budgets { legacy_may_be_slower: true, ..Budgets::default() });
    let history = |lane: LaneId| {
        let (schema, plan_digest) = (HISTORY_SCHEMA.to_owned(), plan.digest());
        let header = Header { schema, scenario: "x".to_owned(), seed: Seed(1), lane, plan_digest };
        let records = records[usize::from(lane == LaneId::Candidate)].clone();
        History { header, records }
    };
    let (legacy, candidate) = (history(LaneId::Legacy), history(LaneId::Candidate));
    let reports = check_all(&CheckInput::new(&plan, &legacy, &candidate));
    let report = reports.into_iter().find(|report| report.checker == checker);
    let findings = report.map(|report| report.findings).unwrap_or_default();
    findings.iter().map(|finding| format!("{} {}", finding.verdict, finding.describe())).collect()
}
