//! `stored-state`: what a lane stores, read at rest, is what it acknowledged: the head and the oldest event of each
//! stream, its policy and class, every event once and as it was written first, its key for ever, and the checkpoints of
//! clients. A lane that does not show what it stores is not judged.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::checker::{Checker, nothing};
use super::finding::{Finding, Repeated, Report};
use super::index::{Index, LaneIndex, Settled, What};
use super::reason::Reason;
use crate::history::{Completion, Differs, Process, Record, Stored, StoredCheckpoint};
use crate::topic::Class;

pub const NAME: &str = "stored-state";

static OTHER_HEAD: Reason = Reason::invalid("other-head", "{stream} is stored with another head than it acknowledged")
    .deed("stores streams with another head");
static OTHER_OLDEST: Reason =
    Reason::invalid("other-oldest-event", "{stream} is stored with another oldest event than its retention leaves")
        .deed("stores streams with another oldest event");
static OTHER_POLICY: Reason = Reason::invalid("other-policy", "{stream} is stored with another policy or class")
    .deed("stores streams with another policy or class");
static MISSING: Reason =
    Reason::invalid("not-stored", "{event} {was} acknowledged and not pruned, and no row holds it")
        .deed("does not store events that it acknowledged");
static TWICE: Reason = Reason::invalid("stored-twice", "{event} {was} stored twice").deed("stores events twice");
static LEFT: Reason =
    Reason::invalid("stored-out-of-range", "{event} {was} stored below the oldest event or beyond the head")
        .deed("stores events below the oldest one or beyond the head");
static ALTERED: Reason = Reason::invalid("altered", "{event} is stored otherwise than it was first acknowledged")
    .deed("alters stored events");
static OTHER_CHECKPOINT: Reason =
    Reason::invalid("other-checkpoint", "a checkpoint of {stream} is stored otherwise than it was acknowledged")
        .deed("stores checkpoints otherwise than it acknowledged them");
static WRONG_CHECKPOINT_ANSWER: Reason =
    Reason::invalid("checkpoint-answer", "the checkpoint of {client} for {stream} was answered wrongly")
        .deed("answered checkpoints wrongly");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "what a lane stores is not what it acknowledged",
    source: "contract, \"Writes\" (nothing is written by a repeat), \"The module's tables\" and \"The module's \
             reducers\" (idempotent by an explicit key, never a silent overwrite)",
    rows: &["duplicate-idempotency", "reducer-rules", "replay-determinism"],
    reasons: &[
        &OTHER_HEAD,
        &OTHER_OLDEST,
        &OTHER_POLICY,
        &MISSING,
        &TWICE,
        &LEFT,
        &ALTERED,
        &OTHER_CHECKPOINT,
        &WRONG_CHECKPOINT_ANSWER,
    ],
    accounts_for: "",
    explains: nothing,
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        let mut found = Repeated::new();
        let mut add = |finding: Finding| {
            let key = (finding.reason.word, finding.stream.clone(), finding.client.clone(), finding.seq);
            found.add(key, || finding);
        };
        let mut checkpoints = Checkpoints::default();
        let mut sent = checkpoint_ops(index, lane);
        for (at, record) in lane.history.records.iter().enumerate() {
            match record {
                Record::Checkpointed { client, stream, cursor, completion } => {
                    let Some(number) = index.plan.streams.get(stream.as_str()) else { continue };
                    report.count("checkpoints", 1);
                    let asked = (cursor.0, cursor.0);
                    let heads = heads(lane, number, at);
                    let right = checkpoints.answered((client.as_str(), number), asked, completion, &heads);
                    if let Err(expected) = right {
                        let finding = index.stream_finding(NAME, &WRONG_CHECKPOINT_ANSWER, lane, number).seen_at(at);
                        let finding = finding.at_client(client.as_str());
                        add(finding.expected(expected, answer_of(completion)));
                    }
                }
                Record::Complete { .. } => {
                    if let Some((key, asked)) = sent.remove(&at) {
                        checkpoints.kept(key, asked);
                    }
                }
                Record::Process { process: Process::Killed { .. } | Process::Stopped | Process::Died { .. } } => {
                    checkpoints.forget_what_may_be_lost();
                }
                Record::Stored { stream, stored } => {
                    let Some(number) = index.plan.streams.get(stream.as_str()) else { continue };
                    report.count("stored streams", 1);
                    judge(index, lane, (number, at), stored, &mut add);
                    judge_checkpoints(index, lane, (number, at), stored, &checkpoints, &mut add);
                }
                _ => {}
            }
        }
        found.report(report);
    }
}

fn heads(lane: &LaneIndex<'_>, stream: usize, at: usize) -> RangeInclusive<u64> {
    let timeline = &lane.streams[stream];
    timeline.head_sure.before(at)..=timeline.head_may.before(at)
}

fn judge(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    (stream, at): (usize, usize),
    stored: &Stored,
    add: &mut impl FnMut(Finding),
) {
    let timeline = &lane.streams[stream];
    let finding = |reason| index.stream_finding(NAME, reason, lane, stream).seen_at(at);
    let heads = heads(lane, stream, at);
    if !heads.contains(&stored.head) {
        add(finding(&OTHER_HEAD).expected(in_words(&heads), stored.head));
    }
    let floors = timeline.floor_sure.before(at)..=timeline.floor_may.before(at);
    let floor = stored.oldest.saturating_sub(1);
    if !floors.contains(&floor) {
        let oldest = floors.start() + 1..=floors.end() + 1;
        add(finding(&OTHER_OLDEST).expected(in_words(&oldest), stored.oldest));
    }
    let mut differs = |name: &str, expected: String, got: Option<String>| {
        if let Some(got) = got.filter(|got| *got != expected) {
            add(finding(&OTHER_POLICY).expected(format!("{name} {expected}"), format!("{name} {got}")));
        }
    };
    let name = index.plan.streams.name(stream);
    differs("class", Class::of(name).as_str().to_owned(), stored.class.clone());
    let settings = Settings::at(index, lane, stream, at);
    if let Some(retention) = settings.retention {
        differs("retention", retention.to_string(), stored.retention.map(|value| value.to_string()));
    }
    if let Some(budget) = settings.budget {
        differs("replay budget", budget.to_string(), stored.replay_budget.map(|value| value.to_string()));
    }
    if let Some(events) = &stored.events {
        judge_events(events, (stored.oldest.max(1), stored.head), finding, add);
    }
    for (seq, Differs { field, expected, got }) in &stored.differs {
        let finding = finding(&ALTERED).expected(format!("{field} {expected}"), format!("{field} {got}"));
        add(match seq {
            Some(seq) => finding.of_event(*seq),
            None => finding,
        });
    }
}

/// Each event from the oldest to the head has one row.
fn judge_events(
    events: &[(u64, u64)],
    (oldest, head): (u64, u64),
    finding: impl Fn(&'static Reason) -> Finding,
    add: &mut impl FnMut(Finding),
) {
    let mut next = oldest;
    for &(first, last) in events {
        if first < oldest {
            add(finding(&LEFT).of_events(first, last.min(oldest - 1)));
        }
        if last > head {
            add(finding(&LEFT).of_events(first.max(head + 1), last));
        }
        if first > next && next <= head {
            add(finding(&MISSING).of_events(next, (first - 1).min(head)));
        }
        let (again, up_to) = (first.max(oldest), last.min(next.saturating_sub(1)));
        if again <= up_to {
            add(finding(&TWICE).of_events(again, up_to));
        }
        next = next.max(last.saturating_add(1));
    }
    if next <= head {
        add(finding(&MISSING).of_events(next, head));
    }
}

/// A stream's policy at a moment, as far as it was set and is not under way.
struct Settings {
    retention: Option<u64>,
    budget: Option<u64>,
}

impl Settings {
    fn at(index: &Index<'_>, lane: &LaneIndex<'_>, stream: usize, at: usize) -> Settings {
        let start = index.plan.policy(stream);
        let mut settings = Settings { retention: start.retention, budget: start.budget };
        for (op, state) in index.plan.ops.iter().zip(&lane.ops).filter(|(op, _)| op.stream == stream) {
            let What::Policy { retention, budget } = op.what else { continue };
            if state.sent.is_none_or(|sent| sent > at) {
                continue;
            }
            let done = state.acked_at().is_some_and(|done| done < at) && !state.any_open;
            let set = |now: Option<u64>, value: Option<u64>| if value.is_none() { now } else { value.filter(|_| done) };
            settings = Settings { retention: set(settings.retention, retention), budget: set(settings.budget, budget) };
        }
        settings
    }
}

type Position = (u64, u64);

/// Every checkpoint that a client may have, by client and stream. `None` is no row.
#[derive(Default)]
struct Checkpoints<'a> {
    possible: BTreeMap<(&'a str, usize), BTreeSet<Option<Position>>>,
    /// Everything that was ever kept, which a server that ends may have lost in part.
    ever: BTreeMap<(&'a str, usize), BTreeSet<Option<Position>>>,
}

impl<'a> Checkpoints<'a> {
    fn of(&self, key: (&'a str, usize)) -> BTreeSet<Option<Position>> {
        self.possible.get(&key).cloned().unwrap_or_else(|| [None].into())
    }

    fn kept(&mut self, key: (&'a str, usize), asked: Position) {
        self.ever.entry(key).or_insert_with(|| [None].into()).insert(Some(asked));
        self.possible.insert(key, [Some(asked)].into());
    }

    /// Takes an answer in. An error is what the answer has to be.
    fn answered(
        &mut self,
        key: (&'a str, usize),
        asked: Position,
        completion: &Completion,
        heads: &RangeInclusive<u64>,
    ) -> Result<(), String> {
        let before = self.of(key);
        let answers: BTreeSet<Option<&str>> = before
            .iter()
            .flat_map(|before| [heads.start(), heads.end()].map(|head| answer(*before, asked, *head)))
            .collect();
        let right = |got: Option<&str>| match answers.contains(&got) {
            true => Ok(()),
            false => {
                let words: Vec<&str> = answers.iter().map(|answer| answer.unwrap_or("done")).collect();
                Err(words.join(" or "))
            }
        };
        match completion {
            Completion::Ok { .. } => {
                self.kept(key, asked);
                right(None)
            }
            Completion::Fail { refusal } => right(Some(&refusal.code)),
            Completion::Later { .. } => Ok(()),
            Completion::Info { .. } | Completion::Unwritten { .. } => {
                self.ever.entry(key).or_insert_with(|| [None].into()).insert(Some(asked));
                self.possible.entry(key).or_insert_with(|| [None].into()).insert(Some(asked));
                Ok(())
            }
        }
    }

    /// A server that is killed may lose what it acknowledged last.
    fn forget_what_may_be_lost(&mut self) {
        self.possible.clone_from(&self.ever);
    }
}

/// The code of the refusal that the contract has; `None` where the checkpoint is kept.
fn answer(before: Option<Position>, (seq, offset): Position, head: u64) -> Option<&'static str> {
    match before {
        Some(before) if before == (seq, offset) => None,
        Some((had, had_offset)) if seq <= had || offset < had_offset => Some("checkpoint_conflict"),
        _ if seq > head => Some("checkpoint_beyond_head"),
        _ => None,
    }
}

fn answer_of(completion: &Completion) -> String {
    match completion {
        Completion::Fail { refusal } => refusal.code.clone(),
        _ => "done".to_owned(),
    }
}

/// The scripted checkpoints that were kept, by the record that says so.
fn checkpoint_ops<'a>(index: &Index<'a>, lane: &LaneIndex<'a>) -> BTreeMap<usize, ((&'a str, usize), Position)> {
    let ops = index.plan.ops.iter().zip(&lane.ops);
    let kept = ops.filter_map(|(op, state)| match (&op.what, state.settled) {
        (What::Checkpoint { client, seq, durable_offset, .. }, Settled::Done { at, .. }) => {
            Some((at, ((*client, op.stream), (*seq, *durable_offset))))
        }
        _ => None,
    });
    kept.collect()
}

fn judge_checkpoints(
    index: &Index<'_>,
    lane: &LaneIndex<'_>,
    (stream, at): (usize, usize),
    stored: &Stored,
    checkpoints: &Checkpoints<'_>,
    add: &mut impl FnMut(Finding),
) {
    let Some(rows) = &stored.checkpoints else { return };
    let mut had: BTreeMap<&str, Vec<Position>> = BTreeMap::new();
    for StoredCheckpoint { client, seq, durable_offset } in rows {
        had.entry(client).or_default().push((*seq, *durable_offset));
    }
    let known = checkpoints.possible.keys().filter(|(_, of)| *of == stream).map(|(client, _)| *client);
    let clients: BTreeSet<&str> = known.chain(had.keys().copied()).collect();
    for client in clients {
        let rows = had.get(client).map_or(&[][..], Vec::as_slice);
        let possible = checkpoints.possible.get(&(client, stream)).cloned().unwrap_or_else(|| [None].into());
        let right = match rows {
            [] => possible.contains(&None),
            [row] => possible.contains(&Some(*row)),
            _ => false,
        };
        if !right {
            let expected: Vec<String> = possible.iter().map(|row| in_row(client, row.as_slice())).collect();
            let finding = index.stream_finding(NAME, &OTHER_CHECKPOINT, lane, stream).seen_at(at);
            add(finding.expected(expected.join(" or "), in_row(client, rows)));
        }
    }
}

fn in_row(client: &str, rows: &[Position]) -> String {
    match rows {
        [] => format!("no row of {client}"),
        _ => {
            let rows: Vec<_> = rows.iter().map(|(seq, offset)| format!("seq {seq}, durable_offset {offset}")).collect();
            format!("{client}: {}", rows.join("; "))
        }
    }
}

fn in_words(range: &RangeInclusive<u64>) -> String {
    if range.start() == range.end() {
        range.start().to_string()
    } else {
        format!("{} to {}", range.start(), range.end())
    }
}

#[cfg(test)]
mod tests;
