//! `bridge`: the relay gets each event of the outbox once, in order and as it was enqueued, each row that it has is
//! marked with its id, and no publish waits for that.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::checker::Checker;
use super::finding::{Finding, Repeated, Report};
use super::index::{Index, LaneIndex, Settled, What};
use super::reason::Reason;
use crate::history::{Arrival, OutboxRow, Record};
use crate::plan::{Enqueued, PublishExpect, enqueued};

pub const NAME: &str = "bridge";

static BLOCKS_APPENDS: Reason =
    Reason::invalid("blocks-appends", "{op} on {stream} was not done while events waited in the outbox")
        .deed("did no publishes while events waited in the outbox");
static NOT_MIRRORED: Reason =
    Reason::invalid("not-mirrored", "an event of {stream} in the outbox never got to the relay")
        .deed("did not mirror events of the outbox");
static TWICE: Reason = Reason::invalid("mirrored-twice", "the relay has an event of {stream} twice, under two ids")
    .deed("mirrored events twice");
static OUT_OF_ORDER: Reason =
    Reason::invalid("out-of-order", "an event of {stream} got to the relay before one that stands before it")
        .deed("mirrored events out of order");
static ALTERED: Reason =
    Reason::invalid("altered", "an event of {stream} got to the relay with another payload, stream or position")
        .deed("mirrored events with other payloads, streams or positions");
static STRANGE: Reason = Reason::invalid("strange", "an event got to the relay that nobody put into the outbox")
    .deed("mirrored events that nobody put into the outbox");
static WRONG_SIGNATURE: Reason =
    Reason::invalid("wrong-signature", "an event of {stream} got to the relay, and its id or signature is wrong")
        .deed("mirrored events with a wrong id or signature");
static NOT_MARKED: Reason =
    Reason::invalid("not-marked", "an event of {stream} that the relay has is not marked in the outbox")
        .deed("did not mark events that the relay has");
static MARKED_OTHERWISE: Reason =
    Reason::invalid("marked-otherwise", "an event of {stream} is marked with an id under which the relay has none")
        .deed("marked events with ids under which the relay has none");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "the outbox was not mirrored to the relay once, in order and unchanged, or held up publishes",
    source: "contract, \"The bridge\"; NIP-01",
    rows: &["bridge-isolation"],
    reasons: &[
        &BLOCKS_APPENDS,
        &NOT_MIRRORED,
        &TWICE,
        &OUT_OF_ORDER,
        &ALTERED,
        &STRANGE,
        &WRONG_SIGNATURE,
        &NOT_MARKED,
        &MARKED_OTHERWISE,
    ],
    accounts_for: "a publish that was not done: what is off in its stream from there on",
    explains: |cause, _| *cause.reason == BLOCKS_APPENDS,
    check,
};

/// A row of the outbox, and what came of it.
struct Row<'a> {
    planned: Enqueued<'a>,
    /// The record of the answer to the call that enqueued it.
    since: usize,
    arrivals: Vec<(usize, &'a Arrival)>,
}

impl Row<'_> {
    fn kept(&self) -> BTreeSet<&str> {
        let kept = self.arrivals.iter().filter(|(_, arrival)| arrival.answer.is_kept());
        kept.map(|(_, arrival)| arrival.id.as_str()).collect()
    }

    fn kept_at(&self) -> Option<usize> {
        self.arrivals.iter().find(|(_, arrival)| arrival.answer.is_kept()).map(|(at, _)| *at)
    }

    fn is_refused(&self) -> bool {
        self.arrivals.last().is_some_and(|(_, arrival)| arrival.answer.is_final_refusal())
    }
}

fn check(index: &Index<'_>, report: &mut Report) {
    if index.plan.plan.bridge.is_none() {
        return;
    }
    for lane in index.lanes() {
        let mut rows = rows(index, lane);
        if rows.is_empty() {
            continue;
        }
        let mut found = Repeated::new();
        let mut add = |row: &Row<'_>, reason: &'static Reason, at: Option<usize>, said: Option<(String, String)>| {
            let stream = row.planned.stream.as_str();
            let finding = || {
                let finding = Finding::new(NAME, reason).on(lane.lane).in_stream(stream);
                let finding = at.into_iter().fold(finding, Finding::seen_at);
                said.into_iter().fold(finding, |finding, (expected, got)| finding.expected(expected, got))
            };
            found.add((reason.word, stream.to_owned()), finding);
        };
        let strange = arrivals(lane, &mut rows);
        for row in &rows {
            judge_arrivals(row, &mut add);
        }
        for (before, row) in seen_in_order(&rows).filter(|(before, row)| before.arrivals[0].0 > row.arrivals[0].0) {
            let said = (before.planned.key.clone(), row.planned.key.clone());
            add(row, &OUT_OF_ORDER, Some(row.arrivals[0].0), Some(said));
        }
        if let Some(stored) = stored(lane).filter(|_| lane.done) {
            let by_key: HashMap<&str, &OutboxRow> = stored.iter().map(|row| (row.key.as_str(), row)).collect();
            for row in &rows {
                judge_end(row, by_key.get(row.planned.key.as_str()).copied(), &mut add);
            }
        }
        found.report(report);
        for (at, arrival) in strange {
            report.push(Finding::new(NAME, &STRANGE).on(lane.lane).seen_at(at).got(arrival.key.clone()));
        }
        judge_appends(index, lane, &rows, report);
        report.count("events of the outbox", rows.len() as u64);
    }
}

fn rows<'a>(index: &Index<'a>, lane: &LaneIndex<'a>) -> Vec<Row<'a>> {
    let done = enqueued(index.plan.plan).filter_map(|planned| {
        let state = lane.ops.get(index.plan.op(planned.op)?)?;
        match state.settled {
            Settled::Done { at, .. } => Some(Row { planned, since: at, arrivals: Vec::new() }),
            _ => None,
        }
    });
    done.collect()
}

/// Gives each row its arrivals. What is left is of no row.
fn arrivals<'a>(lane: &LaneIndex<'a>, rows: &mut [Row<'a>]) -> Vec<(usize, &'a Arrival)> {
    let places: BTreeMap<String, usize> =
        rows.iter().enumerate().map(|(place, row)| (row.planned.key.clone(), place)).collect();
    let mut strange = Vec::new();
    for (at, record) in lane.history.records.iter().enumerate() {
        let Record::Mirrored { arrival } = record else { continue };
        match places.get(&arrival.key) {
            Some(place) => rows[*place].arrivals.push((at, arrival)),
            None => strange.push((at, arrival)),
        }
    }
    strange
}

/// The rows that came to the relay, each with the one before it that did.
fn seen_in_order<'r, 'a>(rows: &'r [Row<'a>]) -> impl Iterator<Item = (&'r Row<'a>, &'r Row<'a>)> {
    let seen: Vec<_> = rows.iter().filter(|row| !row.arrivals.is_empty()).collect();
    let next = seen.clone().into_iter().skip(1);
    seen.into_iter().zip(next)
}

type Add<'f, 'a> = dyn FnMut(&Row<'a>, &'static Reason, Option<usize>, Option<(String, String)>) + 'f;

fn judge_arrivals<'a>(row: &Row<'a>, add: &mut Add<'_, 'a>) {
    for (at, arrival) in &row.arrivals {
        if let Some(wrong) = &arrival.wrong {
            add(row, &WRONG_SIGNATURE, Some(*at), Some(("a valid event".to_owned(), wrong.clone())));
        }
        let planned = (row.planned.stream.as_str(), row.planned.content.as_str());
        let came = (arrival.stream.as_str(), arrival.content.as_str());
        if came != planned {
            let said = |(stream, content): (&str, &str)| format!("{stream} {content}");
            add(row, &ALTERED, Some(*at), Some((said(planned), said(came))));
        }
    }
    let ids = row.kept();
    if ids.len() > 1 {
        let ids: Vec<_> = ids.into_iter().collect();
        let last = row.arrivals.iter().rev().find(|(_, arrival)| arrival.answer.is_kept());
        add(row, &TWICE, last.map(|(at, _)| *at), Some(("one id".to_owned(), ids.join(", "))));
    }
}

fn judge_end<'a>(row: &Row<'a>, stored: Option<&OutboxRow>, add: &mut Add<'_, 'a>) {
    let mark = stored.map_or("", |stored| stored.relay_event_id.as_str());
    let is_elsewhere = |arrival: &Arrival| stored.is_some_and(|stored| stored.position != arrival.position);
    if let Some((at, arrival)) = row.arrivals.iter().find(|(_, arrival)| is_elsewhere(arrival)) {
        let position = stored.map(|stored| stored.position).unwrap_or_default();
        let said = |position: u64| format!("position {position}");
        add(row, &ALTERED, Some(*at), Some((said(position), said(arrival.position))));
    }
    let kept = row.kept();
    let said = |expected: &str| Some((expected.to_owned(), if mark.is_empty() { "no mark" } else { mark }.to_owned()));
    match (kept.is_empty(), mark.is_empty()) {
        (true, true) if row.is_refused() => {}
        (true, true) => add(row, &NOT_MIRRORED, None, said("an event at the relay")),
        // What is marked is not sent again.
        (true, false) => add(row, &NOT_MIRRORED, None, said("an event at the relay before its mark")),
        (false, true) => add(row, &NOT_MARKED, row.kept_at(), said("the relay's id")),
        (false, false) if !kept.contains(mark) => {
            let ids: Vec<_> = kept.into_iter().collect();
            add(row, &MARKED_OTHERWISE, row.kept_at(), said(&ids.join(" or ")));
        }
        (false, false) => {}
    }
}

fn stored<'a>(lane: &LaneIndex<'a>) -> Option<&'a [OutboxRow]> {
    lane.history.records.iter().rev().find_map(|record| match record {
        Record::Outbox { rows } => Some(rows.as_slice()),
        _ => None,
    })
}

/// A publish that is not done while an event waits in the outbox is held up by it.
fn judge_appends(index: &Index<'_>, lane: &LaneIndex<'_>, rows: &[Row<'_>], report: &mut Report) {
    let waits = |at: usize| rows.iter().any(|row| row.since < at && row.kept_at().is_none_or(|kept| kept > at));
    for (op, state) in index.plan.ops.iter().zip(&lane.ops) {
        let What::Publish { expect: PublishExpect::Accepted { seq }, .. } = op.what else { continue };
        let (at, why) = match state.settled {
            Settled::Refused { at, refusal } => (at, refusal.code.clone()),
            Settled::PutOff { at, why } => (at, why.to_owned()),
            Settled::Open => (state.last.unwrap_or_default(), "no answer".to_owned()),
            Settled::Done { .. } | Settled::NeverSent => continue,
        };
        if waits(at) {
            let finding = index.stream_finding(NAME, &BLOCKS_APPENDS, lane, op.stream).of_op(op.id).seen_at(at);
            report.push(finding.of_event(seq.0).expected("done", why));
        }
    }
}

#[cfg(test)]
mod tests;
