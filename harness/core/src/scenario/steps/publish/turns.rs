//! Publishes by turns of the lanes, and at a rate.

use super::super::super::compile::planner::StepPlanner;
use super::super::super::open::Number;
use super::super::prelude::*;
use super::MAX_COUNT;
use crate::matrix::Part;
use crate::plan;

/// Shorter turns cost more than they measure, and load changes during longer ones.
const EVENTS_OF_A_TURN: u64 = 4;
/// Fewer turns are too few to compare lanes.
const TURNS_MIN: u64 = 8;
const TURNS_MAX: u64 = 1_000;

#[derive(Debug, Clone, Copy)]
pub(super) struct Turns {
    events_of_each: u64,
    turns: u64,
    /// Turns that are left out where those before told enough.
    spare: u64,
    /// The time between two events, in microseconds; `None` is as fast as they go.
    every_us: Option<u64>,
}

/// The turns of a publish, where it has some; `count` is how many events it has otherwise.
pub(super) fn read(section: &Section<'_>, count: Number, mistakes: &mut Mistakes) -> Option<Turns> {
    let turns = section.number("turns", TURNS_MIN..=TURNS_MAX, mistakes);
    let Some(rate) = section.number("rate", 1..=1_000, mistakes) else {
        for key in ["for_ms", "at_most_ms"] {
            if let Some(node) = section.get(key) {
                mistakes.local(
                    node.at,
                    format!("`{key}` needs a `rate`"),
                    "add rate = 100, in events a second".to_owned(),
                );
            }
        }
        let turns = turns?;
        let Number::Fixed(count) = count else {
            let what = "with `turns`, `count` is a number";
            mistakes.local(section.at, what.to_owned(), None);
            return None;
        };
        return Some(Turns { events_of_each: count.div_ceil(turns), turns, spare: 0, every_us: None });
    };
    for key in ["count", "pace"] {
        if let Some(node) = section.get(key) {
            let hint = "`rate` and `for_ms` say how many events there are, and when".to_owned();
            mistakes.local(node.at, format!("`{key}` can't stand beside `rate`"), hint);
        }
    }
    section.need("for_ms", mistakes)?;
    let for_ms = section.number("for_ms", 100..=600_000, mistakes)?;
    let at_most_ms = section.number("at_most_ms", for_ms..=600_000, mistakes).unwrap_or(for_ms);
    let events = (rate * for_ms / 1_000).max(1);
    let turns = turns.unwrap_or((events / EVENTS_OF_A_TURN).clamp(TURNS_MIN, TURNS_MAX));
    let spare = (turns * at_most_ms).div_ceil(for_ms) - turns;
    let turns = Turns { events_of_each: events.div_ceil(turns), turns, spare, every_us: Some(1_000_000 / rate) };
    if turns.events() > MAX_COUNT {
        mistakes.local(section.at, format!("{} events are more than {MAX_COUNT}", turns.events()), None);
        return None;
    }
    Some(turns)
}

impl Turns {
    pub(super) fn events(&self) -> u64 {
        self.events_of_each * (self.turns + self.spare)
    }

    pub(super) fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>, streams: &[usize]) {
        let draft = rehearsal.world.draft;
        if draft.expand.is_some() {
            rehearsal.refuse("cases run side by side, so their lanes can't take turns", "leave `expand` out");
        }
        if draft.expect.is_none() && draft.disturbs_one_lane() {
            rehearsal
                .refuse("lanes that take turns are compared, so faults and toxics strike both", "leave `lane` out");
        }
        let connected = rehearsal.connected();
        let reads = |client: &&usize| streams.iter().any(|stream| rehearsal.world.subscribes(**client, *stream));
        let readers: Vec<_> = connected.iter().filter(reads).map(|client| Some(*client)).collect();
        if readers.is_empty() {
            rehearsal.refuse("no connected client follows these streams, so nothing would be measured", None);
        }
        rehearsal.needs_progress(&readers);
        let part = match self.every_us {
            Some(_) => Some(Part::DeliveriesTimed),
            None => (!draft.faults.is_empty()).then_some(Part::RecoveriesTimed),
        };
        rehearsal.world.earn(None, part);
    }

    /// Adds each turn with its events, of which each goes to one of `streams`.
    pub(super) fn plan(
        &self,
        planner: &mut StepPlanner<'_>,
        streams: &[usize],
        publish: impl Fn(&mut StepPlanner<'_>, usize),
        catch_up: impl Fn(&mut StepPlanner<'_>, &[usize]),
    ) {
        let each = usize::try_from(self.events_of_each).unwrap_or(usize::MAX);
        for (streams, turn) in streams.chunks(each.max(1)).zip(0..) {
            planner.take_turn(turn >= self.turns);
            for (stream, nth) in streams.iter().zip(0..) {
                publish(planner, *stream);
                if let Some(every_us) = self.every_us {
                    planner.due(nth * every_us);
                }
            }
            if self.every_us.is_some() {
                catch_up(planner, streams);
            }
            planner.push(plan::Step::EndTurn);
        }
    }
}
