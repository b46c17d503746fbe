//! `vacuity`: a run that is green because nothing happened is not green.
//!
//! Anomalies, each `Unknown`: the history ends before its mark of completion (`interrupted`); it is the history of
//! another scenario or seed (`foreign-history`); a planned fault never fired (`fault-did-not-fire`, with the reason where messages passed the
//! proxy unread), or a planned toxic never
//! struck (`toxic-did-not-strike`); the lane saw fewer
//! deliveries, resumes, refusals, duplicates or faults than the scenario must at least see (`vacuous`); the driver gave
//! up waiting for something (`timed-out`); the scenario claims a row of the matrix, and the lane saw no part of it
//! (`unearned-claim`). Source: the house plan (each planned fault is in a ledger and must have fired;
//! each scenario declares the least it must see).

use std::collections::BTreeSet;

use super::earned::earned;
use super::index::{Index, LaneIndex};
use super::{CheckInput, Checker, Finding, Report, Verdict};
use crate::history::Record;
use crate::ids::{ClientId, FaultId};
use crate::matrix;
use crate::plan::Expectation;

/// See the module's documentation.
pub struct Vacuity;

impl Checker for Vacuity {
    fn name(&self) -> &'static str {
        "vacuity"
    }

    fn check(&self, input: &CheckInput<'_>) -> Report {
        let index = input.index();
        let mut report = Report::new(self.name());
        for lane in index.lanes() {
            let seen = lane.seen;
            for (what, number) in [
                ("deliveries", seen.deliveries),
                ("resumes", seen.resumes),
                ("refusals", seen.refusals),
                ("duplicates", seen.duplicates),
                ("faults", seen.faults),
            ] {
                report.count(&format!("{} {what}", lane.lane), number);
            }
            completeness(index, lane, &mut report);
            faults(index, lane, &mut report);
            toxics(index, lane, &mut report);
            least(index, lane, &mut report);
            timeouts(lane, &mut report);
            claims(index, lane, &mut report);
        }
        report
    }
}

fn unknown(lane: &LaneIndex<'_>, reason: &str) -> Finding {
    Finding::new("vacuity", Verdict::Unknown, reason).on(lane.lane)
}

fn completeness(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let (header, plan) = (&lane.history.header, index.plan.plan);
    if header.scenario != plan.scenario || header.seed != plan.seed {
        let planned = format!("{} with seed {}", plan.scenario, plan.seed);
        let got = format!("{} with seed {}", header.scenario, header.seed);
        report.push(unknown(lane, "foreign-history").expected(planned, got));
    }
    if !lane.done {
        let last = lane.history.records.len().saturating_sub(1);
        report.push(unknown(lane, "interrupted").seen_at(last));
    }
}

fn faults(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    for fault in index.plan.plan.faults.iter().filter(|fault| fault.applies_to(lane.lane)) {
        if !lane.fired.contains_key(fault.id.as_str()) {
            let mut finding = unknown(lane, "fault-did-not-fire").at_client(fault.client.as_str());
            finding.witness.fault = Some(fault.id.clone());
            report.push(unread(lane, &fault.client, finding));
        }
    }
}

/// Tells of the connections that passed the proxy unread: there the fault could not fire.
fn unread(lane: &LaneIndex<'_>, victim: &ClientId, mut finding: Finding) -> Finding {
    let mut connections = 0u64;
    for (at, record) in lane.history.records.iter().enumerate() {
        let Record::Unread { client, why, .. } = record else {
            continue;
        };
        if client == victim {
            connections += 1;
            let reason = || format!("a connection that passed unread: {why}");
            finding.witness.got.get_or_insert_with(reason);
            finding = finding.seen_at(at);
        }
    }
    if connections > 0 {
        finding.witness.expected = Some("messages that the proxy can read".to_owned());
        finding.witness.records.truncate(1);
        finding.witness.repeats = connections - 1;
    }
    finding
}

/// A toxic that no connection could escape must have struck. One that is drawn for some connections must have struck one
/// of them: of those that the scenario wrote as one, any.
fn toxics(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let planned = || index.plan.plan.toxics.iter().filter(|toxic| toxic.applies_to(lane.lane));
    let struck: BTreeSet<&str> =
        planned().filter(|toxic| lane.fired.contains_key(toxic.id.as_str())).map(|toxic| entry_of(&toxic.id)).collect();
    let mut told = BTreeSet::new();
    for toxic in planned().filter(|toxic| !lane.fired.contains_key(toxic.id.as_str())) {
        let entry = entry_of(&toxic.id);
        if toxic.toxicity < 1.0 && (struck.contains(entry) || !told.insert(entry)) {
            continue;
        }
        let mut finding = unknown(lane, "toxic-did-not-strike").at_client(toxic.client.as_str());
        finding.witness.fault = Some(toxic.id.clone());
        report.push(finding);
    }
}

/// What the scenario calls a toxic: without the client and the case.
fn entry_of(id: &FaultId) -> &str {
    id.as_str().split(['.', '@']).next().unwrap_or_default()
}

fn least(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let (least, seen) = (index.plan.plan.at_least, lane.seen);
    for (what, least, seen) in [
        ("deliveries", least.deliveries, seen.deliveries),
        ("resumes", least.resumes, seen.resumes),
        ("refusals", least.refusals, seen.refusals),
        ("duplicates", least.duplicates, seen.duplicates),
        ("faults", least.faults, seen.faults),
    ] {
        if seen < least {
            report.push(unknown(lane, "vacuous").expected(format!("at least {least} {what}"), seen));
        }
    }
}

/// What a scenario claims, each lane must have seen some part of. A known-bad scenario proves nothing.
fn claims(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let plan = index.plan.plan;
    if plan.expect != Expectation::Allow || plan.proves.is_empty() || !lane.done {
        return;
    }
    let earned = earned(plan, lane.history);
    for row in plan.proves.iter().filter_map(|name| matrix::row(name)) {
        if !row.parts.iter().any(|part| earned.contains(part)) {
            let parts: Vec<_> = row.parts.iter().map(|part| part.says()).collect();
            let needs = format!("for {}, one of: {}", row.name, parts.join("; "));
            report.push(unknown(lane, "unearned-claim").expected(needs, "none of them"));
        }
    }
}

fn timeouts(lane: &LaneIndex<'_>, report: &mut Report) {
    for at in &lane.timed_out {
        let mut finding = unknown(lane, "timed-out").seen_at(*at);
        if let Some(Record::TimedOut { waiting_for }) = lane.history.records.get(*at) {
            finding.witness.expected = Some(waiting_for.clone());
        }
        report.push(finding);
    }
}
