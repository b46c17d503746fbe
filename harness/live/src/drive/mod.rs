//! Drives one plan over a lane, phase by phase, and leaves a history of it. Both lanes are driven by the same code, side
//! by side, each at its own pace: what they share is the plan.

mod case;
mod checkpoints;
mod client;
mod event;
mod inbox;
mod recorder;
mod resume;
mod stack;
mod status;
mod writer;

use std::path::Path;
use std::sync::Arc;

use cutover_core::history::{HISTORY_SCHEMA, Header, History, Phase, Process, Record};
use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use case::Case;
pub use event::{Event, EventSink, Quiet};
use recorder::Recorder;
pub use recorder::Quietly;
pub use stack::{DriveError, LaneStack, Route, Victim};

/// Cases of one plan that run at the same time.
const CASES_AT_ONCE: usize = 6;

/// What driving a lane left.
#[derive(Debug, Clone)]
pub struct Driven {
    /// The history.
    pub history: History,
    /// When each of its records was made, in microseconds from the start.
    pub times_us: Vec<u64>,
}

/// Drives a plan over one lane. `dir` takes the clients' checkpoints. When `cancel` is called, what was recorded so far
/// comes back, without the mark of a complete run.
///
/// # Errors
/// Where the lane can't be had at all: its proxies can't be started, or it refuses to set up the plan's streams. What
/// goes wrong later is history, not an error.
pub async fn drive(
    plan: Arc<Plan>,
    stack: LaneStack,
    dir: &Path,
    events: Arc<dyn EventSink>,
    cancel: CancellationToken,
) -> Result<Driven, DriveError> {
    let recorder = Recorder::start();
    let lane = stack.lane.id();
    let run = Run { plan: plan.clone(), stack, recorder: recorder.clone(), events };
    tokio::select! {
        biased;
        () = cancel.cancelled() => {}
        outcome = run.phases(dir) => outcome?,
    }
    let recorded = recorder.snapshot();
    Ok(Driven { history: History { header: header(&plan, lane), records: recorded.records }, times_us: recorded.times_us })
}

fn header(plan: &Plan, lane: LaneId) -> Header {
    Header { schema: HISTORY_SCHEMA.to_owned(), scenario: plan.scenario.clone(), seed: plan.seed, lane, plan_digest: plan.digest() }
}

struct Run {
    plan: Arc<Plan>,
    stack: LaneStack,
    recorder: Recorder,
    events: Arc<dyn EventSink>,
}

impl Run {
    async fn phases(&self, dir: &Path) -> Result<(), DriveError> {
        self.enter(Phase::Setup);
        let mut cases = Vec::with_capacity(self.plan.cases.len());
        for planned in &self.plan.cases {
            let case = Case::set_up(planned, &self.plan, &self.stack, &self.recorder, dir).await?;
            cases.push(case);
        }
        self.enter(Phase::Exercise);
        self.each(&mut cases, async |case| case.exercise().await).await;
        self.enter(Phase::Heal);
        self.heal_server().await;
        self.each(&mut cases, async |case| case.heal().await).await;
        self.enter(Phase::Converge);
        self.each(&mut cases, async |case| case.converge().await).await;
        self.enter(Phase::Drain);
        self.each(&mut cases, async |case| case.drain().await).await;
        for case in cases {
            case.end().await;
        }
        self.enter(Phase::Done);
        Ok(())
    }

    /// Does something with each case, a few at a time.
    async fn each(&self, cases: &mut [Case], phase: impl AsyncFn(&mut Case)) {
        stream::iter(cases).for_each_concurrent(CASES_AT_ONCE, |case| phase(case)).await;
    }

    fn enter(&self, phase: Phase) {
        self.recorder.record(Record::Phase { phase });
        self.events.event(Event::Phase { scenario: self.plan.scenario.clone(), lane: self.stack.lane.id(), phase });
    }

    /// Whatever a script left down or paused is up again from here on.
    async fn heal_server(&self) {
        let Some(victim) = &self.stack.victim else { return };
        for process in victim.heal().await {
            self.processed(process);
        }
    }

    fn processed(&self, process: Process) {
        self.recorder.record(Record::Process { process: process.clone() });
        self.events.event(Event::Process { scenario: self.plan.scenario.clone(), lane: self.stack.lane.id(), process });
    }
}
