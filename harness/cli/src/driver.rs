//! Both lanes of a run, ready to be driven: servers, pace and proxies that all its plans share. [`Driver::drive`]
//! drives one plan over both. The gate, the search and the calibration use it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover_core::evidence::{Driven, LaneRun, LaneServer, RunEvent};
use cutover_core::gate::fit::{Means, unfit};
use cutover_core::history::History;
use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;
use cutover_live::drive::{ByteToxics, EventSink, MeasuredTimeout, Pace, Turns, drive};
use cutover_live::environment::{Environment, EnvironmentError, Source};
use cutover_toxiproxy::{ForeignError, ForeignToxiproxy};
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

/// What is driven, and how.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Settings {
    pub lanes: [Source; 2],
    /// The module to publish, where it is not the built-in one.
    pub module: Option<Vec<u8>>,
    pub aa: Option<LaneId>,
    /// Whether only the candidate is driven, as baselines stand for the legacy lane.
    pub alone: bool,
    /// The Toxiproxy that takes the byte toxics, by its URL, where that is not the run's own proxies.
    pub toxiproxy: Option<String>,
    /// Whether databases that the run creates on servers of others are left there.
    pub keep_databases: bool,
    /// The most publishes a second to each lane; a profile may ask for less.
    pub rate: Option<NonZeroU32>,
    /// The defects that each plan gets beside its own, of the reference legacy server and of the module.
    pub legacy_defects: Vec<String>,
    pub candidate_defects: Vec<String>,
}

/// What a run reports while it goes on.
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

pub struct Driver {
    environment: Environment,
    /// The pace of each server that is driven: in a run of a lane against itself both roles share one.
    paces: BTreeMap<LaneId, Arc<Pace>>,
    /// How long the answers of each server that scenarios share are waited for.
    answers: BTreeMap<LaneId, Arc<MeasuredTimeout>>,
    toxiproxy: Option<Arc<ForeignToxiproxy>>,
    aa: Option<LaneId>,
    alone: bool,
    planted: [Vec<String>; 2],
    work: WorkDir,
    tell: Sender<Message>,
    stop: CancellationToken,
}

impl Driver {
    /// A driver of which no server runs yet. When `stop` is cancelled, whatever is driven ends early.
    pub async fn new(settings: &Settings, tell: Sender<Message>, stop: CancellationToken) -> Result<Driver, Failure> {
        let work = WorkDir::make().map_err(|error| {
            Failure::environment(format!("can't make a directory for the servers' data: {error}"))
                .hint(work_dir::hint())
        })?;
        // No other run has this word, which is in the name of whatever is made on servers that are not ours.
        let run = format!("{:08x}", surroundings::random());
        let toxiproxy = match &settings.toxiproxy {
            Some(url) => Some(Arc::new(ForeignToxiproxy::reach(url, &run).await.map_err(no_toxiproxy)?)),
            None => None,
        };
        let binary = std::env::current_exe().map_err(|error| {
            let what = "can't find this program's own file, which serves the built-in lanes";
            Failure::environment(format!("{what}: {error}"))
        })?;
        let [legacy, candidate] = settings.lanes.clone();
        let environment = Environment::new(&binary, &work.path().join("servers"), &run, legacy, candidate);
        let environment = environment
            .keeping_databases(settings.keep_databases)
            .plant_legacy(settings.legacy_defects.clone())
            .plant_candidate(settings.candidate_defects.clone());
        let environment = match &settings.module {
            Some(module) => environment.with_module(module.clone()),
            None => environment,
        };
        let pace = |lane: LaneId| {
            let rate = [settings.rate, environment.rate(lane)].into_iter().flatten().min()?;
            Some((lane, Arc::new(Pace::per_second(rate))))
        };
        let paces = LaneId::BOTH.into_iter().filter_map(pace).collect();
        let driver = Driver {
            environment,
            paces,
            answers: LaneId::BOTH.into_iter().map(|lane| (lane, Arc::new(MeasuredTimeout::of_answers()))).collect(),
            toxiproxy,
            aa: settings.aa,
            alone: settings.alone,
            planted: [settings.legacy_defects.clone(), settings.candidate_defects.clone()],
            work,
            tell,
            stop,
        };
        // What can be done to a lane is known from now on.
        if let Some(asked) = driver.unless_stopped(driver.environment.ask_for_modules(settings.aa)).await {
            asked.map_err(unavailable)?;
        }
        Ok(driver)
    }

    pub fn means(&self) -> BTreeMap<LaneId, Means> {
        let mut means = self.environment.means();
        means.retain(|lane, _| !self.alone || *lane == LaneId::Candidate);
        means
    }

    /// Why a plan can't be driven over these lanes, if it can't.
    pub fn unfit(&self, plan: &Plan) -> Option<String> {
        unfit(plan, &self.means(), self.aa)
    }

    /// Does work that needs the lanes: tries them with what these plans use, and then does it. A server of ours that
    /// ends by itself ends the work.
    pub async fn with_lanes(
        &self,
        plans: &[Plan],
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        let only = if self.alone { Some(LaneId::Candidate) } else { self.aa };
        let work = async {
            match self.unless_stopped(self.environment.check_reachable(only, plans)).await {
                Some(reachable) => reachable.map_err(unavailable)?,
                None => return Ok(()),
            }
            work.await
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

    /// Drives a plan over both lanes, side by side; nothing comes back where the driver is to stop. `place` is a word
    /// that no other plan of the run has had.
    pub async fn drive(&self, plan: &Arc<Plan>, place: &str) -> Result<Option<Driven>, Failure> {
        let started = Instant::now();
        self.event(RunEvent::ScenarioStarted { scenario: plan.scenario.clone() }).await;
        // A lane alone has nobody to take turns with.
        let turns = if self.alone { None } else { Turns::of(plan) };
        let lane = |lane| self.drive_lane(lane, plan, place, turns.clone());
        let legacy = async {
            match self.alone {
                true => Ok(Some(LaneRun::none(plan, LaneId::Legacy))),
                false => lane(LaneId::Legacy).await,
            }
        };
        let lanes = tokio::try_join!(legacy, lane(LaneId::Candidate))?;
        let (Some(legacy), Some(candidate)) = lanes else {
            return Ok(None);
        };
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.event(RunEvent::ScenarioFinished { scenario: plan.scenario.clone() }).await;
        Ok(Some(Driven { plan: Plan::clone(plan), legacy, candidate, elapsed_ms }))
    }

    /// Drives a plan over one lane.
    pub async fn drive_one(&self, lane: LaneId, plan: &Arc<Plan>, place: &str) -> Result<Option<History>, Failure> {
        Ok(self.drive_lane(lane, plan, place, None).await?.map(|run| run.history))
    }

    /// Ends the shared servers of ours, with all that plans have left on them. No plan may be under way.
    pub async fn renew(&self) -> Result<(), Failure> {
        self.environment.renew().await.map_err(unavailable)
    }

    /// Removes the files of a plan that was driven at this place.
    pub fn forget(&self, place: &str) {
        self.environment.forget(place);
        // The directory is removed at the end with all that is in it.
        let _ = std::fs::remove_dir_all(self.work.path().join("clients").join(place));
    }

    async fn drive_lane(
        &self,
        lane: LaneId,
        plan: &Arc<Plan>,
        place: &str,
        turns: Option<Arc<Turns>>,
    ) -> Result<Option<LaneRun>, Failure> {
        let prepared = self.environment.prepare(lane, self.aa.unwrap_or(lane), plan, place);
        let Some(prepared) = self.unless_stopped(prepared).await else {
            return Ok(None);
        };
        let prepared = prepared.map_err(unavailable)?;
        let mut what = self.environment.what(self.aa.unwrap_or(lane));
        let [legacy, candidate] = &self.planted;
        let planted = if lane == LaneId::Legacy { legacy } else { candidate };
        if !planted.is_empty() {
            what += &format!(", with planted defects: {}", planted.join(", "));
        }
        let server = LaneServer { what, version: Some(prepared.version.clone()), spoken: BTreeSet::new() };
        let module_digest = prepared.module_digest.clone();
        self.event(RunEvent::LaneReady { lane, server, module_digest }).await;
        let checkpoints = self.work.path().join("clients").join(place).join(lane.as_str());
        let sink = Arc::new(EventQueue(self.tell.clone()));
        let mut stack = prepared.stack.clone();
        stack.byte_toxics = self.toxiproxy.clone().map(|toxiproxy| toxiproxy as Arc<dyn ByteToxics>);
        stack.pace = self.paces.get(&self.aa.unwrap_or(lane)).cloned();
        stack.least_between = self.paces.values().map(|pace| pace.interval()).max();
        stack.turns = turns;
        if let Some(answers) = self.answers.get(&self.aa.unwrap_or(lane)).filter(|_| stack.server.is_none()) {
            stack.answers = answers.clone();
        }
        let run = drive(plan.clone(), stack, &checkpoints, sink, self.stop.clone()).await;
        prepared.teardown().await;
        run.map(Some).map_err(|error| unavailable(error.into()))
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

    async fn event(&self, event: RunEvent) {
        let _ = self.tell.send(Message::Event(event)).await;
    }

    /// Ends every process of ours and removes what was made on servers of others. `outcome` is what was done with the
    /// driver; it comes back with a hint where the system was the cause.
    pub async fn end(self, mut outcome: Result<(), Failure>) -> Result<(), Failure> {
        if let Err(failure) = &mut outcome
            && failure.exit == Exit::Environment
        {
            failure.hint = failure.hint.take().or_else(|| surroundings::cause(&failure.message, self.work.path()));
        }
        let stopped = self.stop.is_cancelled();
        let within = if stopped { TEARDOWN_WHEN_STOPPED } else { TEARDOWN_WITHIN };
        for left in self.environment.teardown(within).await {
            let _ = self.tell.send(Message::Note(left)).await;
        }
        if let Some(toxiproxy) = self.toxiproxy {
            let cleared = toxiproxy.clear().await.map_err(|error| {
                Failure::environment(format!("proxies of this run are left behind: {error}"))
                    .hint("their names begin with `cutover-`; DELETE /proxies/<name> takes one away")
            });
            outcome = outcome.and(cleared);
        }
        // A run that was asked to stop early broke off for that reason.
        if stopped { Ok(()) } else { outcome }
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

pub fn unavailable(error: EnvironmentError) -> Failure {
    if error.is_usage() { Failure::usage(error.to_string()) } else { Failure::environment(error.to_string()) }
}
