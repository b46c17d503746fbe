//! `publish`: the writer publishes new events.

mod turns;

use super::super::compile::payload::Payload;
use super::super::compile::planner::StepPlanner;
use super::super::numbers::number;
use super::super::open::Number;
use super::super::words::PAYLOADS;
use super::prelude::*;
use crate::ids::ClientId;
use turns::Turns;

pub(super) const KIND: StepKind = StepKind {
    name: "publish",
    keys: &["stream", "streams", "count", "pace", "spread", "payload", "turns", "rate", "for_ms", "at_most_ms"],
    what: "`count` events in all are published to `stream`, or to `streams` (a list, or `all`). `pace` is `lockstep` \
           (the connected readers catch up after each event) or `burst` (nothing is waited for). `spread` is `even` \
           (by turns), `shuffled` (as many to each, in a drawn order) or `skewed` (the nth stream gets a share like \
           1/n, in a drawn order). `payload` is a family for these events, instead of the stream's; or `invalid`: \
           texts that are no payload, which the lane must refuse, and whose keys the next publishes use. With \
           `turns`, the lanes take so many turns in the order ABBA, one rests while the other publishes its share, and \
           what takes time is measured. With `rate` (events a second) and `for_ms` instead of `count` and `pace`, each \
           event is sent at its time, whatever became of those before it; turns have 4 events if `turns` does not say \
           otherwise, and go on up to `at_most_ms` while the comparison is not clear",
    read,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    Even,
    Shuffled,
    Skewed,
}

const SPREADS: &[(&str, Spread)] =
    &[("even", Spread::Even), ("shuffled", Spread::Shuffled), ("skewed", Spread::Skewed)];

/// How events follow one another; true waits for the readers.
pub(super) const PACES: &[(&str, bool)] = &[("lockstep", true), ("burst", false)];

/// A seq of 65,536 and what follows it has to be possible.
const MAX_COUNT: u64 = 100_000;

#[derive(Debug)]
struct Publish {
    streams: Vec<usize>,
    count: Number,
    turns: Option<Turns>,
    lockstep: bool,
    spread: Spread,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Family(Option<Payload>),
    Invalid,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let streams = names.streams(section, mistakes);
    let count = match section.get("count") {
        None => Number::Fixed(1),
        Some(node) => {
            let count = number(node, "count", 1, mistakes)?;
            if count.value == Number::Random || matches!(count.value, Number::Fixed(n) if n > MAX_COUNT) {
                let what = format!("`count` is a whole number from 1 to {MAX_COUNT}, or \"each\"");
                mistakes.local(count.at, what, "what is published must not depend on the seed".to_owned());
            }
            count.value
        }
    };
    let turns = turns::read(section, count, mistakes);
    let count = turns.map_or(count, |turns| Number::Fixed(turns.events()));
    let spread = section.word("spread", SPREADS, mistakes).unwrap_or(Spread::Even);
    let lockstep = section.word("pace", PACES, mistakes).unwrap_or(true) && !section.has("rate");
    let families = PAYLOADS.iter().map(|(word, family)| (*word, What::Family(Some(*family))));
    let payloads: Vec<_> = families.chain([("invalid", What::Invalid)]).collect();
    let what = section.word("payload", &payloads, mistakes).unwrap_or(What::Family(None));
    let too_few = matches!(count, Number::Fixed(count) if count < streams.len() as u64);
    if too_few {
        let words = format!("{} streams can't share fewer events than that", streams.len());
        mistakes.local(section.at, words, "`count` is for all streams together".to_owned());
    }
    let whole = !streams.is_empty() && !too_few;
    whole.then(|| Box::new(Publish { streams, count, turns, lockstep, spread, what }) as Box<dyn Step>)
}

impl Step for Publish {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("publishing");
        rehearsal.needs_progress(&[None]);
        let connected = rehearsal.connected();
        if self.lockstep {
            let reads =
                |client: &&usize| self.streams.iter().any(|stream| rehearsal.world.subscribes(**client, *stream));
            let readers: Vec<_> = connected.iter().filter(reads).map(|client| Some(*client)).collect();
            rehearsal.needs_progress(&readers);
        }
        let Some(count) = rehearsal.number(rehearsal.at, self.count) else {
            return;
        };
        if count < self.streams.len() as u64 {
            rehearsal.refuse(format!("{} streams can't share {count} events", self.streams.len()), None);
            return;
        }
        let turns = turns(&self.streams, count, self.spread);
        let What::Family(family) = self.what else {
            let act = move |planner: &mut StepPlanner<'_>| turns.iter().for_each(|at| planner.publish_invalid(*at));
            return rehearsal.then(act);
        };
        for stream in &turns {
            rehearsal.world.publish(rehearsal.index, *stream, self.lockstep);
        }
        if let Some(by_turns) = &self.turns {
            by_turns.rehearse(rehearsal, &self.streams);
        }
        let readers = connected.into_iter().map(|client| {
            let planned = &rehearsal.world.draft.clients[client].value;
            (planned.streams.clone(), rehearsal.world.client_ids[client].clone())
        });
        let (readers, drawn): (Vec<_>, _) = (readers.collect(), self.spread != Spread::Even);
        let (lockstep, by_turns) = (self.lockstep, self.turns);
        rehearsal.then(move |planner| {
            let mut turns = turns.clone();
            if drawn {
                planner.chance.shuffle(&mut turns);
            }
            let publish = |planner: &mut StepPlanner<'_>, stream: usize| {
                planner.publish(stream, family);
                if lockstep {
                    catch_up(planner, &readers, &[stream]);
                }
            };
            match by_turns {
                None => turns.iter().for_each(|stream| publish(planner, *stream)),
                Some(by_turns) => by_turns.plan(planner, &turns, publish, |planner, streams| {
                    catch_up(planner, &readers, streams);
                }),
            }
        });
    }
}

/// Waits for the readers of these streams.
fn catch_up(planner: &mut StepPlanner<'_>, readers: &[(Vec<usize>, ClientId)], streams: &[usize]) {
    let reads = |(own, _): &&(Vec<usize>, ClientId)| own.iter().any(|stream| streams.contains(stream));
    let clients: Vec<_> = readers.iter().filter(reads).map(|(_, client)| client.clone()).collect();
    if !clients.is_empty() {
        planner.push(plan::Step::AwaitCaughtUp { clients });
    }
}

/// The stream of each event, by turns until each stream has its share.
fn turns(streams: &[usize], count: u64, spread: Spread) -> Vec<usize> {
    let mut left: Vec<_> = streams.iter().zip(shares(count, streams.len(), spread)).collect();
    let mut turns = Vec::new();
    while left.iter().any(|(_, left)| *left > 0) {
        for (stream, left) in left.iter_mut().filter(|(_, left)| *left > 0) {
            *left -= 1;
            turns.push(**stream);
        }
    }
    turns
}

/// How many of `count` events go to each of `streams` streams; every stream gets one at least.
fn shares(count: u64, streams: usize, spread: Spread) -> Vec<u64> {
    let n = streams as u64;
    if spread != Spread::Skewed {
        return (0..n).map(|i| count / n + u64::from(i < count % n)).collect();
    }
    // Like 1/1, 1/2, 1/3 ..: in whole numbers, so that no rounding differs between machines.
    let weight = |i: u64| 720_720 / (i + 1);
    let total: u64 = (0..n).map(weight).sum();
    let spare = count.saturating_sub(n);
    let mut shares: Vec<u64> = (0..n).map(|i| 1 + spare * weight(i) / total).collect();
    let given: u64 = shares.iter().sum();
    shares[0] += count.saturating_sub(given);
    shares
}

#[cfg(test)]
mod tests;
