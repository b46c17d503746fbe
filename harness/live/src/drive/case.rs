//! One case of a plan on one lane: its writer, its clients, their routes, and what it does in each phase. [`steps`]
//! performs its script, [`waits`] what the script waits for, and [`proof`] the proof of life.
//!
//! [`steps`]: super::steps
//! [`waits`]: super::waits
//! [`proof`]: super::proof

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cutover_core::gate::fit::takes_any_program;
use cutover_core::history::{Phase, Record};
use cutover_core::ids::{ClientId, FaultId, LaneId, OpId, Seq, StreamId};
use cutover_core::plan::{self, Expectation, Plan, PlannedClient, PublishExpect, Step, WRITER};
use futures_util::future::join_all;

use super::authority::Authority;
use super::backoff::Backoff;
use super::checkpoints::CheckpointFile;
use super::client::{ClientHandle, options_of, program};
use super::drill::Drills;
use super::inbox::{Inbox, PlannedEvents};
use super::inspector::Inspector;
use super::measure::Turn;
use super::mirror::Mirror;
use super::recorder::Recorder;
use super::route::Route;
use super::stack::{DriveError, LaneStack, ModuleControl, ServerControl};
use super::timeout::MeasuredTimeout;
use super::turns::Turns;
use super::visitor::Visitor;
use super::writer::{Write, Writer};
use crate::bounds::{self, Bound};

/// A script ends early once a client has asked again so often for events that did not come live.
const OVERDUE_MAX: u32 = 3;

/// A kill of the server that waits for the next event, and the publish that it left without an answer.
#[derive(Default)]
pub(super) struct AsSeen {
    pub(super) armed: bool,
    pub(super) unanswered: Option<(OpId, Write)>,
}

pub struct Case {
    pub(super) plan: plan::Case,
    pub(super) lane: LaneId,
    pub(super) recorder: Recorder,
    pub(super) server: Option<Arc<dyn ServerControl>>,
    pub(super) module: Option<Arc<dyn ModuleControl>>,
    pub(super) writer: Writer,
    pub(super) writer_route: Route,
    pub(super) clients: BTreeMap<ClientId, Client>,
    pub(super) fault_targets: BTreeMap<FaultId, ClientId>,
    pub(super) inspector: Inspector,
    pub(super) visitor: Option<Visitor>,
    pub(super) mirror: Option<Mirror>,
    pub(super) authority: Option<Arc<Authority>>,
    pub(super) struck: BTreeSet<ClientId>,
    /// Whether the lane's list of connections was found wrong. It is then not waited for again.
    pub(super) miscounted: bool,
    pub(super) heads: BTreeMap<StreamId, Seq>,
    pub(super) last_acked: Option<String>,
    pub(super) drills: Drills,
    pub(super) as_seen: AsSeen,
    pub(super) progress: MeasuredTimeout,
    pub(super) script_ended: bool,
    pub(super) turns: Option<Arc<Turns>>,
    pub(super) least_between: Option<Duration>,
    /// The turn that goes on.
    pub(super) turn: Option<Turn>,
    converge: Bound,
}

pub(super) struct Client {
    pub(super) handle: ClientHandle,
    pub(super) route: Route,
    pub(super) streams: Vec<StreamId>,
    pub(super) connected: bool,
    /// Whether a step has it read too slowly.
    pub(super) slow: bool,
    /// Set once it had no good connection within a whole bound.
    pub(super) unreachable: AtomicBool,
}

impl Client {
    /// Whether it is worth waiting for: it was always reachable, or has a connection again.
    fn is_reachable(&self) -> bool {
        !self.unreachable.load(Ordering::Relaxed) || self.handle.status.borrow().subscribed
    }
}

impl Case {
    pub async fn set_up(
        planned: &plan::Case,
        plan: &Plan,
        stack: &LaneStack,
        recorder: &Recorder,
        dir: &Path,
    ) -> Result<Case, DriveError> {
        let lane = stack.role;
        std::fs::create_dir_all(dir).map_err(|source| DriveError::Directory { path: dir.to_owned(), source })?;
        let writer_route = Route::start(&WRITER.into(), (plan, planned), (stack, &stack.writer), recorder).await?;
        let backoff = Backoff::new(planned.writer_backoff_ms.clone());
        let writer = Writer::new(stack.lane.clone(), writer_route.endpoint(), recorder.clone(), backoff)
            .at_pace(stack.pace.clone())
            .waiting(answers(plan, stack));
        let inspector = Inspector::start((plan, planned), stack, recorder).await?;
        let visitor = Visitor::start((plan, planned), stack, recorder).await?;
        let mirror = Mirror::start((plan, planned), stack, recorder).await?;
        let hashes = Arc::new(planned_events(planned));
        let mut clients = BTreeMap::new();
        for client in &planned.clients {
            let launch = launch_of(client, plan, stack, dir);
            let others;
            let stack = match launch.as_ref().and_then(|_| stack.taggers.for_others()) {
                Some(taggers) => {
                    others = LaneStack { taggers, ..stack.clone() };
                    &others
                }
                None => stack,
            };
            let route = Route::start(&client.id, (plan, planned), (stack, &stack.socket), recorder).await?;
            let file = CheckpointFile::of(dir, client.id.as_str());
            // A habit is one of legacy clients.
            let habit = client.habit.clone().filter(|_| lane == LaneId::Legacy);
            let inbox = Inbox::new(PlannedClient { habit, ..client.clone() }, hashes.clone(), recorder.clone(), file);
            let other = client.passes_off.then(|| stack.lane.passing_off()).flatten();
            let lane_of_client = (other.unwrap_or_else(|| stack.lane.clone()), stack.authority.clone());
            let handle = match launch {
                Some(launch) => program::spawn(launch, stack, &route, inbox, recorder.clone()).await?,
                None => ClientHandle::spawn(lane_of_client, route.endpoint(), inbox, recorder.clone()),
            };
            let (streams, unreachable) = (client.streams.clone(), AtomicBool::new(false));
            let (connected, slow) = (false, false);
            clients.insert(client.id.clone(), Client { handle, route, streams, connected, slow, unreachable });
        }
        let faults = plan.faults.iter().filter(|fault| fault.applies_to(lane)).map(|fault| (&fault.id, &fault.client));
        let toxics = plan.toxics.iter().filter(|toxic| toxic.applies_to(lane)).map(|toxic| (&toxic.id, &toxic.client));
        let fault_targets = faults.chain(toxics).map(|(id, client)| (id.clone(), client.clone())).collect();
        let mut case = Case {
            plan: planned.clone(),
            lane,
            recorder: recorder.clone(),
            server: stack.server.clone(),
            module: stack.module.clone(),
            writer,
            writer_route,
            inspector,
            visitor,
            mirror,
            authority: stack.authority.clone(),
            struck: Case::struck(plan),
            miscounted: false,
            clients,
            fault_targets,
            heads: planned.streams.iter().map(|stream| (stream.id.clone(), Seq(0))).collect(),
            last_acked: None,
            as_seen: AsSeen::default(),
            drills: Drills::new(stack, dir, &planned.name),
            progress: MeasuredTimeout::of_progress(),
            script_ended: false,
            turns: stack.turns.clone(),
            least_between: stack.least_between,
            turn: None,
            converge: Bound::new("converge", Duration::from_millis(plan.converge_within_ms)),
        };
        if let Some(window) = &plan.window {
            case.set_up_by(Write::Window(window.clone()), "the window of clients".to_owned()).await?;
        }
        case.set_policies().await?;
        Ok(case)
    }

    async fn set_policies(&mut self) -> Result<(), DriveError> {
        for stream in self.plan.streams.clone() {
            let policy = Write::Policy {
                stream: stream.id.clone(),
                retention: stream.retention,
                replay_budget: stream.replay_budget,
            };
            self.set_up_by(policy, format!("stream `{}`", stream.id)).await?;
        }
        Ok(())
    }

    async fn set_up_by(&mut self, write: Write, place: String) -> Result<(), DriveError> {
        let done = self.writer.invoke(OpId(0), &write).await;
        done.map(drop).map_err(|error| DriveError::Setup { lane: self.lane, place, what: error.what() })
    }

    pub async fn part(&mut self, phase: Phase) {
        match phase {
            Phase::Exercise => self.exercise().await,
            Phase::Heal => self.heal().await,
            Phase::Converge => self.converge().await,
            Phase::ProofOfLife => self.prove_alive().await,
            Phase::Drain => self.drain().await,
            Phase::Setup | Phase::Done => {}
        }
    }

    /// Performs the script. It ends at the first wait that is not met within its bound.
    async fn exercise(&mut self) {
        let steps = self.plan.steps.clone();
        for steps in steps.chunk_by(are_together) {
            let performed = match steps {
                [step] => self.perform(step).await,
                _ => self.publish_together(steps).await,
            };
            if let Err(waiting_for) = performed.and_then(|()| self.is_live()) {
                self.timed_out(waiting_for);
                return;
            }
        }
        self.script_ended = true;
    }

    /// An error where a client had to ask again for event after event: each further step would take as long.
    fn is_live(&self) -> Result<(), String> {
        let overdue = |(_, client): &(&ClientId, &Client)| client.handle.status.borrow().overdue >= OVERDUE_MAX;
        match self.clients.iter().find(overdue) {
            None => Ok(()),
            Some((id, _)) => {
                Err(format!("`{id}` to be sent events live; it asked again {OVERDUE_MAX} times for what did not come"))
            }
        }
    }

    async fn heal(&mut self) {
        let slow = self.no_longer_slow(|_| true);
        for route in self.routes() {
            if let Err(error) = route.heal().await {
                self.timed_out(format!("toxics to be taken off: {error}"));
            }
        }
        if let Some(mirror) = &mut self.mirror {
            mirror.heal().await;
        }
        self.read_again(&slow).await;
        self.settle(bounds::HEAL).await;
    }

    async fn converge(&mut self) {
        let reachable = self.connected().filter(|(_, client)| client.is_reachable());
        let reachable: Vec<_> = reachable.map(|(id, _)| id.clone()).collect();
        if let Err(waiting_for) = self.caught_up(&reachable, self.converge).await {
            self.timed_out(waiting_for);
        }
        if let Err(waiting_for) = self.mirrored().await {
            self.timed_out(waiting_for);
        }
    }

    /// Waits for what is in flight, and records what the lane stores and where every client ended.
    async fn drain(&mut self) {
        for stream in self.plan.streams.clone() {
            let _ = self.inspect(&stream.id).await;
        }
        self.inspect_connections().await;
        if let Some(mirror) = &mut self.mirror
            && let Err(waiting_for) = mirror.record_outbox().await
        {
            self.timed_out(waiting_for);
        }
        self.settle(bounds::DRAIN).await;
        for client in self.clients.values() {
            if bounds::DRAIN.within(client.handle.ask_oddly()).await.is_err() {
                break;
            }
        }
        for (id, client) in &self.clients {
            let crashed = client.route.stats().crashed;
            if crashed > 0 {
                self.timed_out(format!(
                    "the proxy of `{id}` to do its work: {crashed} of its connections ended in a fault of its own"
                ));
            }
            let status = client.handle.status.borrow().clone();
            for stream in &client.streams {
                let cursors = status.delivered.as_ref().unwrap_or(&status.cursors);
                let cursor = cursors.get(stream).copied().unwrap_or_default();
                self.recorder.record(Record::Watermark { client: id.clone(), stream: stream.clone(), cursor });
            }
        }
    }

    /// Waits until every connected client has had a round trip on a good connection.
    pub(super) async fn settle(&self, within: Bound) {
        let round_trip = async |id: &ClientId, client: &Client| {
            if let Err(reached) = within.within(client.handle.settle()).await {
                client.unreachable.store(true, Ordering::Relaxed);
                self.timed_out(format!("`{id}` to have a good connection, {reached}"));
            }
        };
        let reachable = self.connected().filter(|(_, client)| client.is_reachable());
        join_all(reachable.map(|(id, client)| round_trip(id, client))).await;
    }

    pub async fn end(self) {
        drop(self.writer);
        self.writer_route.shutdown().await;
        self.inspector.end().await;
        if let Some(visitor) = self.visitor {
            visitor.end().await;
        }
        if let Some(mirror) = self.mirror {
            mirror.end().await;
        }
        for client in self.clients.into_values() {
            client.handle.stop().await;
            client.route.shutdown().await;
        }
    }

    pub(super) fn timed_out(&self, waiting_for: String) {
        self.recorder.record(Record::TimedOut { waiting_for });
    }

    pub(super) fn connected(&self) -> impl Iterator<Item = (&ClientId, &Client)> {
        self.clients.iter().filter(|(_, client)| client.connected)
    }

    pub(super) fn routes(&self) -> impl Iterator<Item = &Route> {
        let of_bridge = self.mirror.iter().map(|mirror| &mirror.route);
        let of_clients = self.clients.values().map(|client| &client.route);
        [&self.writer_route].into_iter().chain(of_bridge).chain(of_clients)
    }

    pub(super) fn head_of(&self, stream: &StreamId) -> Seq {
        self.heads.get(stream).copied().unwrap_or_default()
    }

    /// Records what the lane stores of a stream, where it shows that. One that does not answer is recorded, and ends no
    /// script.
    pub(super) async fn inspect(&mut self, stream: &StreamId) -> Result<(), String> {
        match self.inspector.inspect(stream).await {
            Ok(Some(stored)) => self.recorder.record(Record::Stored { stream: stream.clone(), stored }),
            Ok(None) => {}
            Err(why) => self.timed_out(format!("what is stored of {stream}: {why}")),
        }
        Ok(())
    }

    pub(super) fn heads_of(&self, client: &Client) -> BTreeMap<StreamId, Seq> {
        client.streams.iter().map(|stream| (stream.clone(), self.head_of(stream))).collect()
    }
}

/// The program that stands in a client's place on this lane, if one does.
fn launch_of(client: &PlannedClient, plan: &Plan, stack: &LaneStack, dir: &Path) -> Option<program::Launch> {
    let seat = &stack.programs;
    if seat.of_other {
        return None;
    }
    let data_dir = dir.join("programs").join(client.id.as_str());
    if let Some(defect) = client.programs.as_ref().and_then(|programs| programs.defect) {
        let is_here = matches!(plan.expect, Expectation::Block { lane, .. } if lane == stack.role);
        let planted = || program::Planted { lane: stack.lane.clone(), options: options_of(client), defect };
        return is_here.then(|| program::Launch { what: program::Started::Planted(planted()), data_dir });
    }
    let is_honest = plan.expect == Expectation::Allow;
    let own = client.programs.as_ref().and_then(|programs| programs.of(stack.role)).map(<[String]>::to_vec);
    let usual = seat.usual.clone().filter(|_| client.programs.is_none() && is_honest && takes_any_program(plan));
    let from_scenario = seat.scenario_dir.clone().filter(|_| own.is_some());
    let cwd = from_scenario.unwrap_or_else(|| PathBuf::from("."));
    let what = program::Started::Process { command: own.or(usual)?, cwd, tied_by: seat.binary.clone() };
    Some(program::Launch { what, data_dir })
}

/// How long the answers to a plan's writes are waited for.
fn answers(plan: &Plan, stack: &LaneStack) -> Arc<MeasuredTimeout> {
    let mut disturbed =
        plan.faults.iter().map(|fault| &fault.client).chain(plan.toxics.iter().map(|toxic| &toxic.client));
    match disturbed.any(|client| client.as_str() == WRITER) {
        true => Arc::new(MeasuredTimeout::of_disturbed_answers()),
        false => stack.answers.clone(),
    }
}

fn are_together(left: &Step, right: &Step) -> bool {
    let group = |step: &Step| match step {
        Step::Publish { together, .. } => *together,
        _ => None,
    };
    group(left).is_some() && group(left) == group(right)
}

pub(super) fn planned_events(case: &plan::Case) -> PlannedEvents {
    let published = case.all_steps().filter_map(|step| match step {
        Step::Publish { stream, key, hash, expect: PublishExpect::Accepted { seq }, .. } => {
            Some(((stream.clone(), *seq), (*hash, key.clone())))
        }
        _ => None,
    });
    published.collect()
}
