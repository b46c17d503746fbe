//! `vacuity`: each planned fault is recorded when it fires, and each scenario names the least that it must see.

use std::collections::BTreeSet;

use super::checker::{Checker, nothing};
use super::earned::earned;
use super::finding::{Finding, Report};
use super::index::{Index, LaneIndex};
use super::reason::{Reason, Shortage};
use crate::history::Record;
use crate::ids::{ClientId, FaultId};
use crate::matrix;
use crate::plan::Expectation;

const NAME: &str = "vacuity";

static INTERRUPTED: Reason = Reason::unknown("interrupted", "the history ends before the run did");
static FOREIGN_HISTORY: Reason = Reason::unknown("foreign-history", "the history is of another scenario or seed");
static DID_NOT_FIRE: Reason = Reason::unknown("fault-did-not-fire", "{fault} never fired").shortage(Shortage::NotDone);
static TOXIC_DID_NOT_FIRE: Reason =
    Reason::unknown("toxic-did-not-strike", "{fault} never affected a connection").shortage(Shortage::NotDone);
static VACUOUS: Reason =
    Reason::unknown("vacuous", "the run saw too little to prove anything").shortage(Shortage::NotDone);
static TIMED_OUT: Reason =
    Reason::unknown("timed-out", "the driver gave up waiting for {expected}").shortage(Shortage::TimedOut);
static UNEARNED_CLAIM: Reason =
    Reason::unknown("unearned-claim", "the lane saw no part of a row of the matrix that the scenario claims")
        .shortage(Shortage::NotDone);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a run is green because nothing happened",
    source: "each planned fault must have fired, and each scenario declares the least that it must see",
    rows: &[],
    reasons: &[
        &INTERRUPTED,
        &FOREIGN_HISTORY,
        &DID_NOT_FIRE,
        &TOXIC_DID_NOT_FIRE,
        &VACUOUS,
        &TIMED_OUT,
        &UNEARNED_CLAIM,
    ],
    accounts_for: "",
    explains: nothing,
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
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
        completeness(index, lane, report);
        faults(index, lane, report);
        toxics(index, lane, report);
        least(index, lane, report);
        timeouts(lane, report);
        claims(index, lane, report);
    }
}

fn unknown(lane: &LaneIndex<'_>, reason: &'static Reason) -> Finding {
    Finding::new(NAME, reason).on(lane.lane)
}

fn completeness(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let (header, plan) = (&lane.history.header, index.plan.plan);
    if header.scenario != plan.scenario || header.seed != plan.seed {
        let planned = format!("{} with seed {}", plan.scenario, plan.seed);
        let got = format!("{} with seed {}", header.scenario, header.seed);
        report.push(unknown(lane, &FOREIGN_HISTORY).expected(planned, got));
    }
    if !lane.done {
        let last = lane.history.records.len().saturating_sub(1);
        report.push(unknown(lane, &INTERRUPTED).seen_at(last));
    }
}

fn faults(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    for fault in index.plan.plan.faults.iter().filter(|fault| fault.applies_to(lane.lane)) {
        if !lane.fired.contains_key(fault.id.as_str()) {
            let mut finding = unknown(lane, &DID_NOT_FIRE).at_client(fault.client.as_str());
            finding.witness.fault = Some(fault.id.clone());
            report.push(unread(lane, &fault.client, finding));
        }
    }
}

/// Adds the connections that passed the proxy unread: there the fault could not fire.
fn unread(lane: &LaneIndex<'_>, target: &ClientId, mut finding: Finding) -> Finding {
    let mut connections = 0u64;
    for (at, record) in lane.history.records.iter().enumerate() {
        let Record::Unread { client, why, .. } = record else {
            continue;
        };
        if client == target {
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

/// A toxic of every connection must have fired. Of the toxics that one entry of the scenario gives to some connections
/// by chance, one must have fired.
fn toxics(index: &Index<'_>, lane: &LaneIndex<'_>, report: &mut Report) {
    let planned = || index.plan.plan.toxics.iter().filter(|toxic| toxic.applies_to(lane.lane));
    let fired: BTreeSet<&str> =
        planned().filter(|toxic| lane.fired.contains_key(toxic.id.as_str())).map(|toxic| entry_of(&toxic.id)).collect();
    let mut reported = BTreeSet::new();
    for toxic in planned().filter(|toxic| !lane.fired.contains_key(toxic.id.as_str())) {
        let entry = entry_of(&toxic.id);
        if toxic.toxicity < 1.0 && (fired.contains(entry) || !reported.insert(entry)) {
            continue;
        }
        let mut finding = unknown(lane, &TOXIC_DID_NOT_FIRE).at_client(toxic.client.as_str());
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
            report.push(unknown(lane, &VACUOUS).expected(format!("at least {least} {what}"), seen));
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
    // A lane that does not list its connections shows nothing of them, and the row says so.
    let is_not_counted = lane.history.records.iter().any(|record| matches!(record, Record::NotCounted { .. }));
    for row in plan.proves.iter().filter_map(|name| matrix::row(name)) {
        let offered = !(is_not_counted && row.parts.iter().all(|part| part.is_a_count()));
        let by_another = || index.lanes().iter().any(|other| row.is_seen(&self::earned(plan, other.history)));
        if offered && !row.is_seen(&earned) && !(row.is_of_one_lane() && by_another()) {
            let parts: Vec<_> = row.parts.iter().map(|part| part.says()).collect();
            let needs = format!("for {}, one of: {}", row.name, parts.join("; "));
            report.push(unknown(lane, &UNEARNED_CLAIM).expected(needs, "none of them"));
        }
    }
}

fn timeouts(lane: &LaneIndex<'_>, report: &mut Report) {
    for at in &lane.timed_out {
        let mut finding = unknown(lane, &TIMED_OUT).seen_at(*at);
        if let Some(Record::TimedOut { waiting_for }) = lane.history.records.get(*at) {
            finding.witness.expected = Some(waiting_for.clone());
        }
        report.push(finding);
    }
}
