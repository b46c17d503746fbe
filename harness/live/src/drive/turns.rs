//! The turns of both lanes, where times are measured: one lane works while the other rests, in the order ABBA. So both
//! meet the same load of the machine, and load that grows or falls evenly favours neither.

use std::sync::Arc;

use cutover_core::ids::{LaneId, Seed};
use cutover_core::plan::{Plan, Step};
use cutover_core::stats::{Limits, Sample, is_clear};
use tokio::sync::watch;

/// After so many spare turns of each lane it is looked again whether they told enough.
const LOOK_EVERY: u32 = 5;

/// Shared by both lanes of a plan.
#[derive(Debug)]
pub struct Turns {
    state: watch::Sender<State>,
    limits: Limits,
    seed: Seed,
    /// The turns of each lane that are not spare, and the publishes in them.
    least: u32,
    planned: usize,
}

#[derive(Debug, Default)]
struct State {
    /// The turns that ended, of both lanes.
    ended: u32,
    /// Lanes that take no further turn; legacy first.
    left: [bool; 2],
    samples: [Vec<Sample>; 2],
    /// Whether the turns so far told enough.
    is_enough: bool,
}

impl State {
    /// Legacy goes first in odd pairs of turns, and second in even ones.
    fn is_turn_of(&self, lane: LaneId) -> bool {
        let is_first_of_pair = self.ended.is_multiple_of(2);
        let legacy_is_first = (self.ended / 2).is_multiple_of(2);
        let next = if is_first_of_pair == legacy_is_first { LaneId::Legacy } else { LaneId::Candidate };
        next == lane || self.left[place(lane.other())]
    }
}

fn place(lane: LaneId) -> usize {
    usize::from(lane == LaneId::Candidate)
}

impl Turns {
    /// The turns of a plan, where it has some.
    pub fn of(plan: &Plan) -> Option<Arc<Turns>> {
        let (mut least, mut planned, mut is_spare) = (0, 0, true);
        for step in plan.cases.iter().flat_map(|case| &case.steps) {
            match step {
                Step::TakeTurn { spare, .. } => {
                    is_spare = *spare;
                    least += u32::from(!spare);
                }
                Step::Publish { .. } => planned += usize::from(!is_spare),
                Step::EndTurn => is_spare = true,
                _ => {}
            }
        }
        let (limits, seed) = (plan.budgets().latency, plan.seed);
        (least > 0).then(|| Arc::new(Turns { state: watch::Sender::default(), limits, seed, least, planned }))
    }

    /// Waits for a turn of the lane. Returns false where the turn is spare and not needed.
    pub async fn take(&self, lane: LaneId, is_spare: bool) -> bool {
        let mut state = self.state.subscribe();
        let mine = |state: &State| state.is_turn_of(lane) || (is_spare && state.is_enough);
        // The sender is in `self`, so it is not gone.
        state.wait_for(mine).await.is_ok_and(|state| !(is_spare && state.is_enough))
    }

    /// Ends the lane's turn, in which these samples were taken.
    pub fn end(&self, lane: LaneId, samples: Vec<Sample>) {
        self.state.send_modify(|state| {
            state.samples[place(lane)].extend(samples);
            state.ended += 1;
            let beyond = (state.ended / 2).checked_sub(self.least).filter(|_| state.ended.is_multiple_of(2));
            if beyond.is_some_and(|turns| turns.is_multiple_of(LOOK_EVERY)) {
                let lanes = [state.samples[0].as_slice(), &state.samples[1]];
                state.is_enough = is_clear(lanes, &self.limits, self.seed, self.planned);
            }
        });
    }

    /// The lane takes no further turn.
    pub fn leave(&self, lane: LaneId) {
        self.state.send_modify(|state| state.left[place(lane)] = true);
    }

    /// Waits until no lane takes a turn any more.
    pub async fn all_left(&self) {
        let _ = self.state.subscribe().wait_for(|state| state.left == [true; 2]).await;
    }
}

/// Leaves when it is dropped, so that the other lane does not wait for one that ended early.
pub struct Leaving(pub Option<Arc<Turns>>, pub LaneId);

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(turns) = &self.0 {
            turns.leave(self.1);
        }
    }
}

#[cfg(test)]
mod tests;
