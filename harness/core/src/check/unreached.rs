//! `unreached`: the network, a load balancer, a profile that does not fit or a limit of this tool may be the cause, so
//! no lane is charged with a loss. A lane is charged only where it ended the connection in a way after which clients of
//! that version do not come back.

use std::collections::BTreeMap;

use super::checker::{Checker, nothing};
use super::finding::{Finding, Report};
use super::index::{Index, LaneIndex, Reach};
use super::reason::{Reason, Shortage};
use crate::history::{Closed, Record};

pub const NAME: &str = "unreached";

const MAX_CAUSES: usize = 3;
const MAX_CAUSE_CHARS: usize = 200;

static NO_CONNECTION: Reason =
    Reason::unknown("no-connection", "{client} could not keep a connection: {got}").shortage(Shortage::NoConnection);
static NEVER_TRIED: Reason =
    Reason::unknown("never-tried", "{client} was never told to connect").shortage(Shortage::NotDone);
pub static GAVE_UP: Reason = Reason::unknown("gave-up", "{client} gave up: {got}").shortage(Shortage::NoConnection);
static KEPT_AWAY: Reason = Reason::invalid("kept-away", "{client} does not come back: {got}");
static UNREADABLE: Reason =
    Reason::unknown("unreadable", "{client} could not read what came: {got}").shortage(Shortage::NoConnection);
static OUR_LIMIT: Reason = Reason::unknown("our-limit", "a limit of this tool kept {client} from what came: {got}")
    .shortage(Shortage::NoConnection);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a client could not be reached, or could not read what came",
    source: "a lane is charged only with what it did",
    rows: &[],
    reasons: &[&NO_CONNECTION, &NEVER_TRIED, &GAVE_UP, &KEPT_AWAY, &UNREADABLE, &OUR_LIMIT],
    accounts_for: "same client: everything unknown",
    explains: nothing,
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    let mut clients: Vec<usize> = index.plan.subscribes.iter().map(|(client, _)| *client).collect();
    clients.dedup();
    for lane in index.lanes().iter().filter(|lane| lane.done) {
        for client in &clients {
            report.count("clients", 1);
            of_client(index, lane, *client).into_iter().for_each(|finding| report.push(finding));
        }
    }
}

fn of_client(index: &Index<'_>, lane: &LaneIndex<'_>, client: usize) -> Vec<Finding> {
    let reach = lane.reach(client);
    let finding = |reason: &'static Reason, at: Option<usize>, got: String| {
        let mut finding = Finding::new(NAME, reason).on(lane.lane).at_client(index.plan.clients.name(client));
        finding.witness.got = (!got.is_empty()).then_some(got);
        match at {
            Some(at) => finding.seen_at(at),
            None => finding,
        }
    };
    let mut findings = Vec::new();
    if let Some(at) = reach.gave_up {
        let kept_away = matches!(lane.history.records.get(at), Some(Record::GaveUp { kept_away_by: Some(_), .. }));
        findings.push(finding(if kept_away { &KEPT_AWAY } else { &GAVE_UP }, Some(at), words(lane, at)));
    } else if index.plan.connected_at_end(client) && !reach.connected_at_end() {
        let reason = if reach.tried { &NO_CONNECTION } else { &NEVER_TRIED };
        findings.push(finding(reason, reach.ends.last().copied(), causes(lane, reach)));
    }
    for (reason, records) in [(&UNREADABLE, &reach.unreadable), (&OUR_LIMIT, &reach.limits)] {
        if let Some(first) = records.first() {
            let mut finding = finding(reason, Some(*first), words(lane, *first));
            finding.witness.repeats = records.len() as u64 - 1;
            findings.push(finding);
        }
    }
    findings
}

fn words(lane: &LaneIndex<'_>, at: usize) -> String {
    match lane.history.records.get(at) {
        Some(Record::GaveUp { why, .. }) => why.clone(),
        Some(Record::Unreadable { what, .. }) => what.clone(),
        Some(Record::Closed { why, .. }) => why.to_string(),
        _ => String::new(),
    }
}

/// How a client's connections ended, the most frequent first: `217 times closed with 4001`.
fn causes(lane: &LaneIndex<'_>, reach: &Reach) -> String {
    let ends = reach.ends.iter().filter_map(|at| match lane.history.records.get(*at) {
        Some(Record::Closed { why, .. }) => Some(why),
        _ => None,
    });
    by_cause(ends)
}

pub(super) fn by_cause<'a>(ends: impl Iterator<Item = &'a Closed>) -> String {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for why in ends {
        let cause: String = why.to_string().chars().take(MAX_CAUSE_CHARS).collect();
        *counts.entry(cause).or_default() += 1;
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let others: u64 = counts.iter().skip(MAX_CAUSES).map(|(_, count)| count).sum();
    let named = counts.into_iter().take(MAX_CAUSES).map(|(cause, count)| match count {
        1 => format!("once {cause}"),
        _ => format!("{count} times {cause}"),
    });
    let mut named: Vec<String> = named.collect();
    if others > 0 {
        named.push(format!("{others} times otherwise"));
    }
    named.join(", ")
}
