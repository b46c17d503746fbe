//! Where the gate hands its plans to the driver, and what the driver reports.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover_core::evidence::{Driven, LaneRun, LaneServer, RunEvent};
use cutover_core::gate::fit::Means;
use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;
use cutover_live::drive::{ByteToxics, EventSink, Pace, drive};
use cutover_live::environment::{Environment, EnvironmentError, Source};
use cutover_toxiproxy::{ForeignError, ForeignToxiproxy};
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::exit::{Exit, Failure};
use crate::surroundings;
use crate::work_dir::{self, WorkDir};

/// Longest time for removing what a run made on servers of others.
const TEARDOWN_WITHIN: Duration = Duration::from_secs(120);
/// The same for a run that was asked to stop.
const TEARDOWN_WHEN_STOPPED: Duration = Duration::from_secs(6);
/// A server that ends takes its connections with it: its end may be reported a moment after theirs.
const DEATH_WITHIN: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct DriveRequest {
    pub plans: Vec<Plan>,
    pub lanes: [Source; 2],
    /// The module to publish, where it is not the built-in one.
    pub module: Option<Vec<u8>>,
    pub aa: Option<LaneId>,
    /// The Toxiproxy that takes the byte toxics, by its URL, where that is not the run's own proxies.
    pub toxiproxy: Option<String>,
    pub jobs: usize,
    /// Whether databases that the run creates on servers of others are left there.
    pub keep_databases: bool,
    /// The most publishes a second to each lane; a profile may ask for less.
    pub rate: Option<NonZeroU32>,
    /// Where it is there and cancelled, no further plan is begun; those that are under way go on to their end.
    pub enough: Option<CancellationToken>,
}

#[derive(Debug)]
pub enum Message {
    /// What the lanes allow, before anything is driven.
    Lanes {
        means: BTreeMap<LaneId, Means>,
        /// The scenarios that so can't be driven, each with its reason.
        left_out: BTreeMap<String, String>,
    },
    Event(RunEvent),
    /// A line for people that decides nothing.
    Note(String),
    /// A plan was driven to its end. The sender gets an answer once it is recorded.
    Driven(Box<Driven>, oneshot::Sender<()>),
}

/// Drives all plans, and returns once no process of ours is left. When `stop` is cancelled it ends early, without an
/// error.
pub async fn drive_all(
    request: DriveRequest,
    messages: Sender<Message>,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let work = WorkDir::make().map_err(|error| {
        Failure::environment(format!("can't make a directory for the servers' data: {error}")).hint(work_dir::hint())
    })?;
    // No other run has this word, which is in the name of whatever is made on servers that are not ours.
    let run = format!("{:08x}", surroundings::random());
    let toxiproxy = match &request.toxiproxy {
        Some(url) => Some(Arc::new(ForeignToxiproxy::reach(url, &run).await.map_err(no_toxiproxy)?)),
        None => None,
    };
    let runner = Runner::new(&request, work.path(), (run, toxiproxy.clone()), messages, stop.clone())?;
    let mut outcome = runner.run(request.plans, request.jobs).await;
    if let Err(failure) = &mut outcome
        && failure.exit == Exit::Environment
    {
        failure.hint = failure.hint.take().or_else(|| surroundings::cause(&failure.message, work.path()));
    }
    let within = if stop.is_cancelled() { TEARDOWN_WHEN_STOPPED } else { TEARDOWN_WITHIN };
    for left in runner.environment.teardown(within).await {
        let _ = runner.messages.send(Message::Note(left)).await;
    }
    if let Some(toxiproxy) = toxiproxy {
        let cleared = toxiproxy.clear().await.map_err(|error| {
            Failure::environment(format!("proxies of this run are left behind: {error}"))
                .hint("their names begin with `cutover-`; DELETE /proxies/<name> takes one away")
        });
        if !stop.is_cancelled() {
            return outcome.and(cleared);
        }
    }
    // A run that was asked to stop early broke off for that reason.
    if stop.is_cancelled() { Ok(()) } else { outcome }
}

struct Runner {
    environment: Environment,
    /// The pace of each server that is driven: in a run of a lane against itself both roles share one.
    paces: BTreeMap<LaneId, Arc<Pace>>,
    byte_toxics: Option<Arc<dyn ByteToxics>>,
    aa: Option<LaneId>,
    work: PathBuf,
    messages: Sender<Message>,
    stop: CancellationToken,
    enough: Option<CancellationToken>,
}

impl Runner {
    fn new(
        request: &DriveRequest,
        work: &Path,
        (run, toxiproxy): (String, Option<Arc<ForeignToxiproxy>>),
        messages: Sender<Message>,
        stop: CancellationToken,
    ) -> Result<Runner, Failure> {
        let binary = std::env::current_exe().map_err(|error| {
            let what = "can't find this program's own file, which serves the built-in lanes";
            Failure::environment(format!("{what}: {error}"))
        })?;
        let [legacy, candidate] = request.lanes.clone();
        let environment = Environment::new(&binary, &work.join("servers"), &run, legacy, candidate);
        let environment = environment.keeping_databases(request.keep_databases);
        let environment = match &request.module {
            Some(module) => environment.with_module(module.clone()),
            None => environment,
        };
        let pace = |lane: LaneId| {
            let rate = [request.rate, environment.rate(lane)].into_iter().flatten().min()?;
            Some((lane, Arc::new(Pace::per_second(rate))))
        };
        let paces = LaneId::BOTH.into_iter().filter_map(pace).collect();
        Ok(Runner {
            environment,
            paces,
            byte_toxics: toxiproxy.map(|toxiproxy| toxiproxy as Arc<dyn ByteToxics>),
            aa: request.aa,
            work: work.to_owned(),
            messages,
            stop,
            enough: request.enough.clone(),
        })
    }

    /// Drives the plans that can run on these lanes, and reports the others as left out.
    async fn run(&self, plans: Vec<Plan>, jobs: usize) -> Result<(), Failure> {
        let mut left_out = BTreeMap::new();
        let mut fit = Vec::with_capacity(plans.len());
        for plan in plans {
            match self.environment.unfit(&plan, self.aa) {
                Some(reason) => drop(left_out.insert(plan.scenario, reason)),
                None => fit.push(plan),
            }
        }
        // The longest are begun first, so that none of them is waited for alone at the end.
        fit.sort_by_key(|plan| Reverse(plan.waits()));
        let means = self.environment.means();
        let _ = self.messages.send(Message::Lanes { means, left_out }).await;
        if fit.is_empty() {
            return Ok(());
        }
        let work = async {
            match self.unless_stopped(self.environment.check_reachable(self.aa, &fit)).await {
                Some(reachable) => reachable.map_err(unavailable)?,
                None => return Ok(()),
            }
            let each = futures_util::stream::iter(fit.into_iter().map(|plan| self.drive_plan(Arc::new(plan))));
            // The first plan that can't be driven ends them all.
            each.buffer_unordered(jobs.max(1)).try_collect().await
        };
        let outcome = tokio::select! {
            biased;
            exit = self.environment.server_exit() => return Err(unavailable(exit)),
            outcome = work => outcome,
        };
        // The death of a server explains whatever else went wrong with it.
        let wait = if outcome.is_err() { DEATH_WITHIN } else { Duration::ZERO };
        match tokio::time::timeout(wait, self.environment.server_exit()).await {
            Ok(exit) => Err(unavailable(exit)),
            Err(_) => outcome,
        }
    }

    /// The outcome of some work; `None` where the run is to stop before that. What was made by then is removed at the
    /// end.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            outcome = work => Some(outcome),
        }
    }

    async fn drive_plan(&self, plan: Arc<Plan>) -> Result<(), Failure> {
        let enough = self.enough.as_ref().is_some_and(CancellationToken::is_cancelled);
        if self.stop.is_cancelled() || enough {
            return Ok(());
        }
        let started = Instant::now();
        self.event(RunEvent::ScenarioStarted { scenario: plan.scenario.clone() }).await;
        let lanes =
            tokio::try_join!(self.drive_lane(LaneId::Legacy, &plan), self.drive_lane(LaneId::Candidate, &plan))?;
        let (Some(legacy), Some(candidate)) = lanes else {
            return Ok(());
        };
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.event(RunEvent::ScenarioFinished { scenario: plan.scenario.clone() }).await;
        let plan = Arc::unwrap_or_clone(plan);
        let driven = Box::new(Driven { plan, legacy, candidate, elapsed_ms });
        // After a second signal nobody receives it.
        let (recorded, wait) = oneshot::channel();
        let _ = self.messages.send(Message::Driven(driven, recorded)).await;
        // Once it is judged, `enough` says whether another plan is begun.
        if self.enough.is_some() {
            let _ = wait.await;
        }
        Ok(())
    }

    async fn drive_lane(&self, lane: LaneId, plan: &Arc<Plan>) -> Result<Option<LaneRun>, Failure> {
        let prepared = self.environment.prepare(lane, self.aa.unwrap_or(lane), plan);
        let Some(prepared) = self.unless_stopped(prepared).await else {
            return Ok(None);
        };
        let prepared = prepared.map_err(unavailable)?;
        let server = LaneServer {
            what: self.environment.what(self.aa.unwrap_or(lane)),
            version: Some(prepared.version.clone()),
            spoken: BTreeSet::new(),
        };
        let module_digest = prepared.module_digest.clone();
        self.event(RunEvent::LaneReady { lane, server, module_digest }).await;
        let checkpoints = self.work.join("clients").join(&plan.scenario).join(lane.as_str());
        let sink = Arc::new(EventQueue(self.messages.clone()));
        let mut stack = prepared.stack.clone();
        stack.byte_toxics = self.byte_toxics.clone();
        stack.pace = self.paces.get(&self.aa.unwrap_or(lane)).cloned();
        let run = drive(plan.clone(), stack, &checkpoints, sink, self.stop.clone()).await;
        prepared.teardown().await;
        run.map(Some).map_err(|error| unavailable(error.into()))
    }

    async fn event(&self, event: RunEvent) {
        let _ = self.messages.send(Message::Event(event)).await;
    }
}

/// Passes events on. An event that finds the queue full is dropped: display must not delay the driver.
struct EventQueue(Sender<Message>);

impl EventSink for EventQueue {
    fn event(&self, event: RunEvent) {
        let _ = self.0.try_send(Message::Event(event));
    }
}

fn no_toxiproxy(error: ForeignError) -> Failure {
    match error {
        ForeignError::Url { .. } => Failure::usage(error.to_string()),
        ForeignError::Elsewhere { .. } | ForeignError::Unreachable { .. } => Failure::environment(error.to_string()),
    }
}

fn unavailable(error: EnvironmentError) -> Failure {
    if error.is_usage() { Failure::usage(error.to_string()) } else { Failure::environment(error.to_string()) }
}
