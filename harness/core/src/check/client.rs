//! `client`: what a program does that stands in the place of a client. The proxy recorded what came to it on the wire,
//! and the program says what it made of that. So this checker judges the program, and the others judge the lane by what
//! was on the wire.
//!
//! An event is lost where it came and a later one was applied without it, or where the program answered that it has
//! handled everything, and had time enough. A crash takes back what was applied behind the last checkpoint. A
//! `rebootstrap` takes back everything. Waits before a reconnect count from one subscription to the next.

use std::collections::{BTreeMap, BTreeSet};

use super::checker::Checker;
use super::finding::{Finding, Repeated, Report};
use super::index::{Index, LaneIndex, STALE_CURSOR};
use super::reason::{Reason, Shortage};
use super::{convergence, duplicate_apply, gap, lost_write, unreached, unseen};
use crate::hash::PayloadHash;
use crate::history::{self, Record, Refusal, Word};
use crate::ids::StreamId;

const NAME: &str = "client";

static LOST: Reason = Reason::invalid("lost", "{client} received {event} and never applied it");
static TWICE: Reason = Reason::invalid("applied-twice", "{client} says that it applied {event} twice");
static OUT_OF_ORDER: Reason =
    Reason::invalid("out-of-order", "{client} applied {event} and not in the order of the stream");
static UNDELIVERED: Reason = Reason::invalid("not-received", "{client} says that it applied {event}, which never came");
static OTHER_HASH: Reason =
    Reason::invalid("wrong-hash", "{client} applied something else than what it received as {event}");
static EARLY: Reason =
    Reason::invalid("stored-before-applied", "{client} stored a checkpoint at {event} before it had applied it");
static BEHIND: Reason =
    Reason::invalid("cursor-behind", "{client} resumed {stream} from before the checkpoint that it had stored");
static AHEAD: Reason =
    Reason::invalid("cursor-ahead", "{client} resumed {stream} from an event that it had not applied");
static TIGHT: Reason = Reason::invalid("no-back-off", "{client} reconnected again and again without waiting: {got}");
static FLAT: Reason =
    Reason::invalid("no-growth", "{client} reconnected again and again without waiting longer each time: {got}");
static KEPT_STALE: Reason =
    Reason::invalid("kept-stale", "{client} resumed {stream} from a cursor again that was refused as stale");
static STAYED_AWAY: Reason =
    Reason::invalid("stayed-away", "{client} did not reconnect when it had lost a good connection");
pub static STAND_IN: Reason = Reason::warning("stand-in", "{client} is not the harness's own, but a program");
static UNREAD: Reason = Reason::unknown("unread", "what came to {client} could not be read on the wire: {got}")
    .shortage(Shortage::NoConnection);

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "a program that stands in a client's place lost an event, applied one twice or out of order, resumed from \
              a wrong cursor, or reconnected without a back-off",
    source: "contract, \"Applying, on the client\" (apply the next one only, discard what was applied, store the \
             cursor after the apply, resume from it, reconnect with a back-off)",
    rows: &[],
    reasons: &[
        &LOST,
        &TWICE,
        &OUT_OF_ORDER,
        &UNDELIVERED,
        &OTHER_HASH,
        &EARLY,
        &BEHIND,
        &AHEAD,
        &TIGHT,
        &FLAT,
        &KEPT_STALE,
        &STAYED_AWAY,
        &STAND_IN,
        &UNREAD,
    ],
    accounts_for: "same client, where its cursor is wrong: lost-write, gap, unseen, convergence, duplicate-apply; \
                   same client, where it stayed away: unreached",
    explains: |cause, effect| {
        let by_cursor = [lost_write::NAME, gap::NAME, unseen::NAME, convergence::NAME, duplicate_apply::NAME];
        effect.is_at_client_of(cause)
            && (([&BEHIND, &AHEAD].contains(&cause.reason) && effect.is_of(&by_cursor))
                || (*cause.reason == STAYED_AWAY && effect.is_of(&[unreached::NAME])))
    },
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        let programs: BTreeSet<usize> = words(index, lane).map(|(_, client, _)| client).collect();
        for client in programs {
            report.count("words of programs", words(index, lane).filter(|(_, of, _)| *of == client).count() as u64);
            stand_in(index, lane, client).into_iter().for_each(|finding| report.push(finding));
            match unread(index, lane, client) {
                Some(finding) => report.push(finding),
                None => of_program(index, lane, client).report(report),
            }
        }
    }
}

fn words<'a>(index: &Index<'a>, lane: &LaneIndex<'a>) -> impl Iterator<Item = (usize, usize, &'a Word)> {
    let named = lane.history.records.iter().enumerate().map(|(at, record)| match record {
        Record::Program { client, word } => Some((at, index.plan.clients.get(client.as_str())?, word)),
        _ => None,
    });
    named.flatten().collect::<Vec<_>>().into_iter()
}

/// A program of which the plan says nothing: the run was told to put one in the place of every client.
fn stand_in(index: &Index<'_>, lane: &LaneIndex<'_>, number: usize) -> Option<Finding> {
    let name = index.plan.clients.name(number);
    let clients = index.plan.plan.cases.iter().flat_map(|case| &case.clients);
    let programs = clients.filter(|client| client.id.as_str() == name).find_map(|client| client.programs.as_ref());
    let is_planned = programs.is_some_and(|programs| programs.defect.is_some() || programs.of(lane.lane).is_some());
    (!is_planned).then(|| Finding::new(NAME, &STAND_IN).on(lane.lane).at_client(name))
}

fn unread(index: &Index<'_>, lane: &LaneIndex<'_>, number: usize) -> Option<Finding> {
    let name = index.plan.clients.name(number);
    lane.history.records.iter().enumerate().find_map(|(at, record)| match record {
        Record::Unread { client, why, .. } if client.as_str() == name => {
            let finding = Finding::new(NAME, &UNREAD).on(lane.lane).at_client(name).seen_at(at);
            Some(finding.got(why.clone()))
        }
        _ => None,
    })
}

type Found = Repeated<(usize, u64, &'static str)>;

/// One program and one of its streams.
#[derive(Default)]
struct Followed {
    stream: usize,
    /// What came, with the first record of it and the hash of its payload.
    came: BTreeMap<u64, (usize, Option<PayloadHash>)>,
    /// The first event that came since a bootstrap began.
    first: Option<u64>,
    /// The last event that a right client would have applied by now.
    due: u64,
    applied: BTreeSet<u64>,
    last: u64,
    /// The event that is to be applied next; `None` where the first one that comes is the start.
    next: Option<u64>,
    /// Events that came and were passed over, with the record of that.
    passed: BTreeMap<u64, usize>,
    checkpoint: Option<u64>,
    restarted: bool,
    /// The cursor that it asked with last.
    asked: Option<u64>,
    /// A cursor that was refused as stale, and how often. Once may not have reached the program.
    stale: Option<(u64, u32)>,
}

/// Writes the findings of one program.
struct Charge<'a, 'i> {
    index: &'a Index<'i>,
    lane: &'a LaneIndex<'i>,
    client: usize,
    found: Found,
}

impl Charge<'_, '_> {
    fn push(
        &mut self,
        of: &Followed,
        reason: &'static Reason,
        (seq, at): (u64, usize),
        more: impl FnOnce(Finding) -> Finding,
    ) {
        let (index, lane, key) = (self.index, self.lane, (self.client, of.stream));
        let finding = || more(index.finding(NAME, reason, lane, key).of_event(seq).seen_at(at));
        self.found.add((of.stream, 0, reason.word), finding);
    }
}

fn of_program(index: &Index<'_>, lane: &LaneIndex<'_>, client: usize) -> Found {
    let name = index.plan.clients.name(client);
    let mut charge = Charge { index, lane, client, found: Found::new() };
    let mut streams: BTreeMap<usize, Followed> = BTreeMap::new();
    let mut waits: Vec<(usize, u64)> = Vec::new();
    let numbered = |stream: &StreamId| index.plan.streams.get(stream.as_str());
    for (at, record) in lane.history.records.iter().enumerate() {
        let of = match record {
            Record::Delivered { client, stream, .. }
            | Record::Subscribed { client, stream, .. }
            | Record::Refused { client, stream, .. } => (client, Some(stream)),
            Record::Program { client, word } => (client, word.stream()),
            Record::Accepted { client, .. } => (client, None),
            _ => continue,
        };
        if of.0.as_str() != name {
            continue;
        }
        let stream = of.1.and_then(numbered);
        let followed = stream.map(|stream| {
            let new = || Followed { stream, ..Followed::default() };
            streams.entry(stream).or_insert_with(new)
        });
        match (record, followed) {
            (Record::Delivered { seq, hash, verdict, .. }, Some(followed)) => followed.came(at, seq.0, *hash, *verdict),
            (Record::Subscribed { cursor, .. }, Some(followed)) => {
                followed.asked(at, cursor.map(|cursor| cursor.0), &mut charge);
            }
            (Record::Refused { stream, refusal, .. }, Some(followed)) => followed.refused(stream, refusal),
            (Record::Program { word, .. }, Some(followed)) => followed.said(at, word, &mut charge),
            (Record::Program { word: Word::Away, .. }, _) => charge.stayed_away(at),
            (Record::Accepted { .. }, _) => charge.waited(&std::mem::take(&mut waits)),
            (Record::Program { word: Word::Started, .. }, _) => {
                streams.values_mut().for_each(|followed| followed.restarted = true);
            }
            (Record::Program { word: Word::Attempted { after_us }, .. }, _) => {
                waits.extend(after_us.map(|us| (at, us)));
            }
            (Record::Program { word: Word::Handled, .. }, _) => {
                streams.values_mut().for_each(|followed| followed.handled(at, &mut charge));
            }
            _ => {}
        }
    }
    charge.waited(&waits);
    streams.values_mut().for_each(|followed| followed.settle(&mut charge));
    charge.found
}

impl Followed {
    fn came(&mut self, at: usize, seq: u64, hash: Option<PayloadHash>, verdict: history::Verdict) {
        self.came.entry(seq).or_insert((at, hash));
        self.first.get_or_insert(seq);
        if verdict == history::Verdict::Applied {
            self.due = self.due.max(seq);
        }
    }

    /// It subscribes. The cursor lies between its last checkpoint and what it applied. After a crash, it may have
    /// stored more than it had said.
    fn asked(&mut self, at: usize, cursor: Option<u64>, charge: &mut Charge<'_, '_>) {
        self.asked = cursor;
        self.stale = self.stale.filter(|(stale, _)| cursor == Some(*stale) && !self.restarted);
        if let Some((stale, 2..)) = self.stale {
            charge.push(self, &KEPT_STALE, (stale, at), |finding| finding.expected("no cursor", stale));
        }
        let cursor = match (cursor, self.checkpoint) {
            (None, Some(stored)) => {
                charge.push(self, &BEHIND, (stored, at), |finding| finding.expected(stored, "no cursor"));
                if self.restarted {
                    self.forget();
                }
                return;
            }
            (None, None) => {
                if self.restarted || self.next.is_none() {
                    self.forget();
                }
                return;
            }
            (Some(cursor), _) => cursor,
        };
        if let Some(stored) = self.checkpoint.filter(|stored| cursor < *stored) {
            charge.push(self, &BEHIND, (stored, at), |finding| finding.expected(stored, cursor));
        }
        let known = match self.restarted {
            true => self.came.last_key_value().map_or(self.last, |(seq, _)| *seq),
            false => self.last,
        };
        if cursor > known.max(self.checkpoint.unwrap_or(0)) {
            charge.push(self, &AHEAD, (cursor, at), |finding| finding.expected(format!("at most {known}"), cursor));
        }
        if std::mem::take(&mut self.restarted) {
            self.applied.retain(|seq| *seq <= cursor);
            self.passed.retain(|seq, _| *seq <= cursor);
            (self.last, self.next, self.due) = (cursor, Some(cursor.saturating_add(1)), cursor);
        } else if self.next.is_none_or(|next| next <= cursor) {
            self.next = Some(cursor.saturating_add(1));
            self.last = self.last.max(cursor);
        }
    }

    fn refused(&mut self, stream: &StreamId, refusal: &Refusal) {
        let is_named = refusal.stale.iter().any(|stale| stale.stream == *stream);
        if let Some(asked) = self.asked.filter(|_| refusal.code == STALE_CURSOR && is_named) {
            let before = self.stale.map_or(0, |(_, times)| times);
            self.stale = Some((asked, before + 1));
        }
    }

    /// It starts anew: the first event that comes is the start.
    fn forget(&mut self) {
        let came = std::mem::take(&mut self.came);
        *self = Followed { came, ..Followed::default() };
    }

    fn said(&mut self, at: usize, word: &Word, charge: &mut Charge<'_, '_>) {
        match word {
            Word::Applied { seq, hash, .. } => self.applied(at, seq.0, *hash, charge),
            // What it calls a duplicate and never applied is lost.
            Word::Duplicate { seq, .. } => {
                if self.next.is_some_and(|next| next <= seq.0) {
                    self.passed.entry(seq.0).or_insert(at);
                }
            }
            Word::Rebootstrap { .. } => self.forget(),
            Word::Checkpoint { seq, .. } => {
                if seq.0 > self.last && !self.restarted {
                    charge.push(self, &EARLY, (seq.0, at), |finding| {
                        finding.expected(format!("at most {}", self.last), seq)
                    });
                }
                self.checkpoint = Some(seq.0);
            }
            Word::Started | Word::Attempted { .. } | Word::Closed | Word::Away | Word::Handled => {}
        }
    }

    fn applied(&mut self, at: usize, seq: u64, hash: Option<PayloadHash>, charge: &mut Charge<'_, '_>) {
        match self.came.get(&seq) {
            None => return charge.push(self, &UNDELIVERED, (seq, at), |finding| finding),
            Some((came, Some(received))) if hash.is_some_and(|hash| hash != *received) => {
                let got = hash.map(|hash| hash.to_string()).unwrap_or_default();
                charge.push(self, &OTHER_HASH, (seq, at), |finding| finding.seen_at(*came).expected(received, got));
            }
            Some(_) => {}
        }
        let next = self.next.or(self.first).unwrap_or(seq);
        if self.passed.remove(&seq).is_some() {
            charge.push(self, &OUT_OF_ORDER, (seq, at), |finding| {
                finding.expected(format!("before {}", self.last), "after it")
            });
        } else if self.applied.contains(&seq) {
            charge.push(self, &TWICE, (seq, at), |finding| finding);
        } else if seq < next {
            charge.push(self, &OUT_OF_ORDER, (seq, at), |finding| finding.expected(next, seq));
        }
        if next < seq {
            let missing = self.came.range(next..seq).map(|(missing, _)| (*missing, at));
            let missing: Vec<(u64, usize)> = missing.collect();
            if (missing.len() as u64) < seq - next {
                charge.push(self, &OUT_OF_ORDER, (seq, at), |finding| finding.expected(next, seq));
            }
            self.passed.extend(missing);
        }
        self.applied.insert(seq);
        self.last = self.last.max(seq);
        self.next = Some(next.max(seq.saturating_add(1)));
    }

    /// It has handled all that it received.
    fn handled(&mut self, at: usize, charge: &mut Charge<'_, '_>) {
        let next = self.next.or(self.first).unwrap_or(u64::MAX);
        let tail: Vec<u64> = self.came.range(next.min(self.due)..=self.due).map(|(seq, _)| *seq).collect();
        for seq in tail.into_iter().filter(|seq| *seq >= next) {
            self.passed.entry(seq).or_insert(at);
        }
        self.settle(charge);
    }

    /// What was passed over and never came back is lost.
    fn settle(&mut self, charge: &mut Charge<'_, '_>) {
        for (seq, at) in std::mem::take(&mut self.passed) {
            let came = self.came.get(&seq).map_or(at, |(came, _)| *came);
            charge.push(self, &LOST, (seq, came), |finding| finding.seen_at(at));
            self.next = self.next.max(Some(seq.saturating_add(1)));
        }
    }
}

/// So many waits in a row without a subscription tell whether there is a back-off.
const WAITS: usize = 5;
/// The least that they take together.
const WAITS_MIN_US: u64 = 100_000;
/// A wait of this length need not grow any more.
const LONG_US: u64 = 1_000_000;

impl Charge<'_, '_> {
    fn stayed_away(&mut self, at: usize) {
        let (lane, name) = (self.lane.lane, self.index.plan.clients.name(self.client));
        self.found.add((usize::MAX, 0, STAYED_AWAY.word), || {
            Finding::new(NAME, &STAYED_AWAY).on(lane).at_client(name).seen_at(at)
        });
    }

    fn waited(&mut self, waits: &[(usize, u64)]) {
        let longest = |part: &[(usize, u64)]| part.iter().map(|(_, us)| *us).max().unwrap_or(0);
        let tight = waits.windows(WAITS).find(|some| some.iter().map(|(_, us)| us).sum::<u64>() < WAITS_MIN_US);
        let flat = waits.windows(2 * WAITS).find(|some| {
            let (early, late) = some.split_at(WAITS);
            longest(late) < LONG_US && longest(late) <= longest(early).saturating_mul(6) / 5
        });
        let (reason, some) = match (tight, flat) {
            (Some(some), _) => (&TIGHT, some),
            (None, Some(some)) => (&FLAT, some),
            (None, None) => return,
        };
        let (lane, name) = (self.lane.lane, self.index.plan.clients.name(self.client));
        self.found.add((usize::MAX, 0, reason.word), || {
            let each: Vec<String> = some.iter().map(|(_, us)| format!("{}.{}", us / 1000, us / 100 % 10)).collect();
            let finding = Finding::new(NAME, reason).on(lane).at_client(name);
            let finding = finding.got(format!("after {} ms", each.join(", ")));
            some.iter().fold(finding, |finding, (at, _)| finding.seen_at(*at))
        });
    }
}

#[cfg(test)]
mod tests;
