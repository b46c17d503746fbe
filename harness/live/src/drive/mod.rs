//! Drives one plan over a lane, phase by phase, and leaves a history of it. Both lanes are driven by the same code,
//! side by side, each at its own pace: what they share is the plan, and the turns in which times are measured.

mod authority;
mod backoff;
mod byte_toxics;
mod case;
mod checkpoints;
mod client;
mod drill;
mod event;
mod fault_log;
mod inbox;
mod inspector;
mod kill_as_seen;
mod measure;
mod mirror;
mod pace;
mod proof;
mod recorder;
mod resume;
mod roll_call;
mod route;
mod stack;
mod status;
mod steps;
#[cfg(test)]
mod tests;
mod timeout;
mod turns;
mod visitor;
mod waits;
mod writer;

use std::path::Path;
use std::sync::Arc;

use cutover_core::evidence::LaneRun;
use cutover_core::history::{HISTORY_SCHEMA, Header, History, Phase, Record};
use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;
use futures_util::{FutureExt, StreamExt, stream};
use tokio_util::sync::CancellationToken;

pub use authority::Authority;
pub(crate) use backoff::Backoff;
pub use byte_toxics::{ByteToxics, Front};
use case::Case;
pub use event::EventSink;
pub use pace::Pace;
pub use recorder::NoLedger;
use recorder::Recorder;
pub use stack::{
    Beside, BridgeSeat, Destination, DriveError, LaneStack, ManagedServer, ModuleControl, ProgramSeat, ServerControl,
};
pub use timeout::MeasuredTimeout;
use turns::Leaving;
pub use turns::Turns;

/// Cases of one plan that run at the same time.
const CASES_AT_ONCE: usize = 6;

/// Drives a plan over one lane. `dir` takes the clients' checkpoints. When `cancel` is called, what was recorded so far
/// comes back, without the mark of a complete run.
///
/// # Errors
/// Where the lane is unavailable: its proxies can't be started, or it refuses to set up the plan's streams. What goes
/// wrong later is history, not an error.
pub async fn drive(
    plan: Arc<Plan>,
    stack: LaneStack,
    dir: &Path,
    events: Arc<dyn EventSink>,
    cancel: CancellationToken,
) -> Result<LaneRun, DriveError> {
    let lane = stack.role;
    let _leaving = Leaving(stack.turns.clone(), lane);
    let recorder = Recorder::start(plan.scenario.clone(), lane, events);
    let run = Run { plan: plan.clone(), stack, recorder: recorder.clone() };
    tokio::select! {
        biased;
        () = cancel.cancelled() => {}
        outcome = run.phases(dir) => outcome?,
    }
    let recorded = recorder.snapshot();
    Ok(LaneRun {
        history: History { header: header(&plan, lane), records: recorded.records },
        times_us: recorded.times_us,
        started_us: recorder.started_us(),
    })
}

fn header(plan: &Plan, lane: LaneId) -> Header {
    Header {
        schema: HISTORY_SCHEMA.to_owned(),
        scenario: plan.scenario.clone(),
        seed: plan.seed,
        lane,
        plan_digest: plan.digest(),
    }
}

struct Run {
    plan: Arc<Plan>,
    stack: LaneStack,
    recorder: Recorder,
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
        each(&mut cases, Phase::Exercise).await;
        if let Some(turns) = &self.stack.turns {
            turns.leave(self.stack.role);
            turns.all_left().await;
        }
        self.enter(Phase::Heal);
        self.heal_server().await;
        each(&mut cases, Phase::Heal).await;
        self.enter(Phase::Converge);
        each(&mut cases, Phase::Converge).await;
        self.enter(Phase::ProofOfLife);
        each(&mut cases, Phase::ProofOfLife).await;
        self.enter(Phase::Drain);
        each(&mut cases, Phase::Drain).await;
        for case in cases {
            case.end().await;
        }
        self.enter(Phase::Done);
        Ok(())
    }

    fn enter(&self, phase: Phase) {
        self.recorder.record(Record::Phase { phase });
    }

    /// Starts or resumes a server that the script left down or paused.
    async fn heal_server(&self) {
        let Some(server) = &self.stack.server else { return };
        for process in server.heal().await {
            self.recorder.record(Record::Process { process });
        }
    }
}

async fn each(cases: &mut [Case], phase: Phase) {
    let parts: Vec<_> = cases.iter_mut().map(|case| case.part(phase).boxed()).collect();
    stream::iter(parts).buffer_unordered(CASES_AT_ONCE).collect::<()>().await;
}
