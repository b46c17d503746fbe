//! One case of a plan: its writer, its clients, their proxies, and its script.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cutover_core::history::{Phase, Process, Record};
use cutover_core::ids::{ClientId, FaultId, LaneId, OpId, Seq, StreamId};
use cutover_core::plan::{self, Plan, PublishExpect, ServerAction, Step, WRITER};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::checkpoints::CheckpointFile;
use super::client::ClientHandle;
use super::inbox::Inbox;
use super::passage::Passage;
use super::patience::Patience;
use super::recorder::Recorder;
use super::stack::{DriveError, LaneStack, Victim};
use super::wiring::{faults_of, planned_hashes, strikes_case};
use super::writer::{Write, Writer};
use crate::bounds::{self, Bound};
use crate::lane::{OpError, Published};

/// After a client asked so often again for what did not come live, the script ends.
const MOST_OVERDUE: u32 = 3;

/// A case while it is driven.
pub struct Case {
    pub(super) plan: plan::Case,
    lane: LaneId,
    pub(super) recorder: Recorder,
    victim: Option<Victim>,
    writer: Writer,
    writer_proxy: Passage,
    clients: BTreeMap<ClientId, Client>,
    /// Whom each fault and toxic of this lane strikes.
    faults: BTreeMap<FaultId, ClientId>,
    pub(super) heads: BTreeMap<StreamId, Seq>,
    last_acked: Option<String>,
    server_up: bool,
    converge: Bound,
    patience: Patience,
    /// Whether the script came to its end.
    pub(super) script_ended: bool,
}

pub(super) struct Client {
    pub(super) handle: ClientHandle,
    proxy: Passage,
    pub(super) streams: Vec<StreamId>,
    wanted: bool,
    /// Whether it had no good connection within a whole bound. Nothing more is waited for at it.
    lost: AtomicBool,
}

impl Client {
    /// Whether waiting for it has an end: it was not lost, or has a connection again.
    fn can_be_waited_for(&self) -> bool {
        !self.lost.load(Ordering::Relaxed) || self.handle.status.borrow().subscribed
    }
}

impl Case {
    /// Starts proxies and clients, and gives every stream its policy.
    pub async fn set_up(
        planned: &plan::Case,
        plan: &Plan,
        stack: &LaneStack,
        recorder: &Recorder,
        dir: &Path,
    ) -> Result<Case, DriveError> {
        let lane = stack.role;
        std::fs::create_dir_all(dir).map_err(|source| DriveError::Directory { path: dir.to_owned(), source })?;
        let writer_faults =
            faults_of(plan, lane, |fault| fault.client.as_str() == WRITER && strikes_case(fault, planned));
        let writer_proxy =
            Passage::start(&WRITER.into(), writer_faults, (plan, planned), (stack, &stack.writer), recorder).await?;
        let writer = Writer::new(
            stack.lane.clone(),
            writer_proxy.endpoint(),
            recorder.clone(),
            Backoff::new(planned.writer_backoff_ms.clone()),
        )
        .at_pace(stack.pace.clone());
        let hashes = Arc::new(planned_hashes(planned));
        let mut clients = BTreeMap::new();
        for client in &planned.clients {
            let faults = faults_of(plan, lane, |fault| fault.client == client.id);
            let way = (stack, &stack.socket);
            let proxy = Passage::start(&client.id, faults, (plan, planned), way, recorder).await?;
            let file = CheckpointFile::of(dir, client.id.as_str());
            let inbox = Inbox::new(client.clone(), hashes.clone(), recorder.clone(), file);
            let handle = ClientHandle::spawn(stack.lane.clone(), proxy.endpoint(), inbox, recorder.clone());
            clients.insert(
                client.id.clone(),
                Client { handle, proxy, streams: client.streams.clone(), wanted: false, lost: AtomicBool::new(false) },
            );
        }
        let faults = plan.faults.iter().filter(|fault| fault.strikes(lane));
        let toxics = plan.toxics.iter().filter(|toxic| toxic.strikes(lane));
        let faults = faults.map(|fault| (fault.id.clone(), fault.client.clone()));
        let faults = faults.chain(toxics.map(|toxic| (toxic.id.clone(), toxic.client.clone())));
        let faults = faults.collect();
        let heads = planned.streams.iter().map(|stream| (stream.id.clone(), Seq(0))).collect();
        let mut case = Case {
            plan: planned.clone(),
            lane,
            recorder: recorder.clone(),
            victim: stack.victim.clone(),
            writer,
            writer_proxy,
            clients,
            faults,
            heads,
            last_acked: None,
            server_up: true,
            converge: Bound::new("converge", Duration::from_millis(plan.converge_within_ms)),
            patience: Patience::default(),
            script_ended: false,
        };
        case.set_policies().await?;
        Ok(case)
    }

    async fn set_policies(&mut self) -> Result<(), DriveError> {
        for stream in self.plan.streams.clone() {
            let op = Write::Policy {
                stream: stream.id.clone(),
                retention: stream.retention,
                replay_budget: stream.replay_budget,
            };
            if let Err(error) = self.writer.invoke(OpId(0), &op).await {
                let (lane, stream) = (self.lane, stream.id.to_string());
                return Err(DriveError::Setup { lane, stream, what: error.what() });
            }
        }
        Ok(())
    }

    /// Does the case's part of a phase.
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

    /// Walks the script. A wait that is not met within its bound ends it: what would follow proves nothing more.
    async fn exercise(&mut self) {
        for step in self.plan.steps.clone() {
            if let Err(waiting_for) = self.step(&step).await {
                self.recorder.record(Record::TimedOut { waiting_for });
                return;
            }
            if let Some(waiting_for) = self.is_dead() {
                self.recorder.record(Record::TimedOut { waiting_for });
                return;
            }
        }
        self.script_ended = true;
    }

    /// What is waited for in vain where a client has to ask again for every event: each further step would take as long.
    fn is_dead(&self) -> Option<String> {
        let mut clients = self.clients.iter();
        let (id, _) = clients.find(|(_, client)| client.handle.status.borrow().overdue >= MOST_OVERDUE)?;
        Some(format!("`{id}` to be sent events live; it asked again {MOST_OVERDUE} times for what did not come"))
    }

    pub(super) async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Policy { op, stream, retention, replay_budget } => {
                let policy =
                    Write::Policy { stream: stream.clone(), retention: *retention, replay_budget: *replay_budget };
                let _ = self.writer.invoke(*op, &policy).await;
                Ok(())
            }
            Step::Publish { op, stream, key, payload, expect, .. } => {
                self.publish(*op, stream, key, payload, expect).await
            }
            Step::Connect { client } => {
                self.client(client, true)?.connect().await;
                self.joined(client).await
            }
            Step::Disconnect { client } => {
                self.client(client, false)?.disconnect().await;
                Ok(())
            }
            Step::Crash { client } => {
                self.client(client, false)?.crash().await;
                Ok(())
            }
            Step::Resubscribe { client } => {
                self.caught_up(std::slice::from_ref(client), bounds::STEP).await?;
                self.client(client, true)?.resubscribe().await;
                Ok(())
            }
            Step::SetCursor { client, stream, cursor } => {
                self.client(client, false)?.set_cursor(stream, *cursor).await;
                Ok(())
            }
            Step::AwaitCaughtUp { clients } => self.caught_up(clients, bounds::STEP).await,
            Step::AwaitFired { fault } => self.fired(fault).await,
            Step::Arm { toxics } => self.switch(toxics, true).await,
            Step::Disarm { toxics } => self.switch(toxics, false).await,
            Step::Server { lane, action } if lane.is_none_or(|only| only == self.lane) => self.server(*action).await,
            Step::Server { .. } => Ok(()),
        }
    }

    /// A client, and whether it is to be connected from now on.
    fn client(&mut self, id: &ClientId, wanted: bool) -> Result<&ClientHandle, String> {
        let client = self.clients.get_mut(id).ok_or_else(|| format!("client `{id}`, which the case does not have"))?;
        client.wanted = wanted;
        Ok(&client.handle)
    }

    async fn publish(
        &mut self,
        op: OpId,
        stream: &StreamId,
        key: &str,
        payload: &str,
        expect: &PublishExpect,
    ) -> Result<(), String> {
        self.writer_proxy.expect_ack(Some(op));
        let publish = Write::Publish { stream: stream.clone(), key: key.to_owned(), payload: payload.to_owned() };
        let completion = self.writer.invoke(op, &publish).await;
        self.writer_proxy.expect_ack(None);
        match completion {
            Ok(Some(Published { seq, .. })) => {
                let head = self.heads.entry(stream.clone()).or_default();
                *head = seq.max(*head);
                // A repeat writes nothing, so that there is nothing new to be durable.
                if matches!(expect, PublishExpect::Accepted { .. }) {
                    self.last_acked = Some(key.to_owned());
                }
                for client in self.clients.values() {
                    client.proxy.acked(op);
                }
                Ok(())
            }
            Err(OpError::Unknown(why) | OpError::Later(why) | OpError::Unwritten(why)) => {
                Err(format!("an answer to op {op}: {why}"))
            }
            _ => Ok(()),
        }
    }

    async fn caught_up(&self, clients: &[ClientId], within: Bound) -> Result<(), String> {
        let each = clients.iter().filter_map(|id| self.clients.get(id).map(|client| (id, client)));
        let waits: Vec<_> = each.map(|(id, client)| self.settled(id, client, within).boxed()).collect();
        join_all(waits).await.into_iter().collect()
    }

    async fn settled(&self, id: &ClientId, client: &Client, within: Bound) -> Result<(), String> {
        within
            .within(self.at_heads(client))
            .await
            .map_err(|reached| format!("`{id}` to catch up with the acknowledged heads, {reached}"))
    }

    /// Returns once a client is at every acknowledged head, or will never be. One that makes no progress asks again: what
    /// a new subscription does not bring will not come.
    async fn at_heads(&self, client: &Client) {
        let heads = self.heads_of(client);
        let mut status = client.handle.status.clone();
        let mut since = Instant::now();
        let mut before = None;
        loop {
            let (settled, moves) = {
                let now = status.borrow_and_update();
                (now.is_settled(&heads), now.moves)
            };
            if before.replace(moves).is_some_and(|before| before != moves) {
                self.patience.progressed(since.elapsed());
            }
            if settled {
                return;
            }
            since = Instant::now();
            match self.patience.window().within(status.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => {
                    client.handle.ask_again(heads.clone()).await;
                    since = Instant::now();
                }
            }
        }
    }

    /// Waits until a client is subscribed, or will never be: what is published next reaches it live on every lane. Where
    /// its server is down there is nothing to wait for.
    async fn joined(&self, id: &ClientId) -> Result<(), String> {
        let Some(client) = self.clients.get(id).filter(|_| self.server_up) else {
            return Ok(());
        };
        let mut status = client.handle.status.clone();
        let joined = bounds::STEP.within(status.wait_for(|status| status.subscribed || status.gave_up.is_some())).await;
        joined.map(|_| ()).map_err(|reached| format!("`{id}` to be subscribed, {reached}"))
    }

    async fn fired(&self, fault: &FaultId) -> Result<(), String> {
        let Some(struck) = self.faults.get(fault) else {
            return Ok(());
        };
        let client = self.clients.get(struck);
        let proxy = client.map_or(&self.writer_proxy, |client| &client.proxy);
        let in_vain = async {
            match client {
                Some(client) => self.at_rest(client).await,
                None => std::future::pending().await,
            }
        };
        let fires = async {
            tokio::select! {
                biased;
                () = proxy.wait_fired(fault) => Ok(()),
                () = in_vain => Err(format!("fault `{fault}` to fire, and its client came to rest")),
            }
        };
        let fired = bounds::STEP.within(fires).await;
        fired.map_err(|reached| format!("fault `{fault}` to fire, {reached}"))?
    }

    /// Returns once a client is where it will stay, and nothing has happened at it for some time.
    async fn at_rest(&self, client: &Client) {
        let mut status = client.handle.status.clone();
        loop {
            self.at_heads(client).await;
            status.mark_unchanged();
            if !matches!(bounds::REST.within(status.changed()).await, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// Puts toxics on or takes them off, whosever they are.
    async fn switch(&self, toxics: &[FaultId], on: bool) -> Result<(), String> {
        for passage in self.passages() {
            let done = match on {
                true => passage.arm(toxics).await,
                false => passage.disarm(toxics).await,
            };
            done.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn passages(&self) -> impl Iterator<Item = &Passage> {
        [&self.writer_proxy].into_iter().chain(self.clients.values().map(|client| &client.proxy))
    }

    async fn server(&mut self, action: ServerAction) -> Result<(), String> {
        let victim = self.victim.clone().ok_or("a server of ours to kill or pause")?;
        let process =
            victim.suffer(action, self.last_acked.as_deref()).await.map_err(|error| format!("the server: {error}"))?;
        self.recorder.record(Record::Process { process: process.clone() });
        if matches!(process, Process::Killed { .. } | Process::Paused) {
            self.all_noticed().await?;
        }
        Ok(())
    }

    /// Waits until every connected client knows that its server is gone, so that each suffers it at the same point.
    async fn all_noticed(&self) -> Result<(), String> {
        let waits: Vec<_> = self.connected().map(|(id, client)| noticed(id, client).boxed()).collect();
        join_all(waits).await.into_iter().collect()
    }

    /// Disarms every fault and toxic.
    async fn heal(&mut self) {
        for passage in self.passages() {
            if let Err(error) = passage.heal().await {
                self.recorder.record(Record::TimedOut { waiting_for: format!("toxics to be taken off: {error}") });
            }
        }
        self.settle(bounds::HEAL).await;
    }

    /// Waits until every connected client has had a round trip on a good connection.
    pub(super) async fn settle(&self, within: Bound) {
        let waits: Vec<_> = self
            .connected()
            .filter(|(_, client)| client.can_be_waited_for())
            .map(|(id, client)| round_trip(&self.recorder, id, client, within).boxed())
            .collect();
        join_all(waits).await;
    }

    /// Waits until every connected client is at every head.
    async fn converge(&mut self) {
        let connected = self.connected().filter(|(_, client)| client.can_be_waited_for());
        let connected: Vec<_> = connected.map(|(id, _)| id.clone()).collect();
        if let Err(waiting_for) = self.caught_up(&connected, self.converge).await {
            self.recorder.record(Record::TimedOut { waiting_for });
        }
    }

    /// Lets arrive what is in flight, and records where every client ended.
    async fn drain(&mut self) {
        self.settle(bounds::DRAIN).await;
        for (id, client) in &self.clients {
            let crashed = client.proxy.stats().crashed;
            if crashed > 0 {
                let waiting_for = format!(
                    "the proxy of `{id}` to do its work: {crashed} of its connections ended in a fault of its own"
                );
                self.recorder.record(Record::TimedOut { waiting_for });
            }
            let status = client.handle.status.borrow().clone();
            for stream in &client.streams {
                let cursor = status.cursors.get(stream).copied().unwrap_or_default();
                self.recorder.record(Record::Watermark { client: id.clone(), stream: stream.clone(), cursor });
            }
        }
    }

    /// Ends clients and proxies.
    pub async fn end(self) {
        drop(self.writer);
        self.writer_proxy.shutdown().await;
        for client in self.clients.into_values() {
            client.handle.stop().await;
            client.proxy.shutdown().await;
        }
    }

    pub(super) fn connected(&self) -> impl Iterator<Item = (&ClientId, &Client)> {
        self.clients.iter().filter(|(_, client)| client.wanted)
    }
}

async fn round_trip(recorder: &Recorder, id: &ClientId, client: &Client, within: Bound) {
    if let Err(reached) = within.within(client.handle.settle()).await {
        client.lost.store(true, Ordering::Relaxed);
        recorder.record(Record::TimedOut { waiting_for: format!("`{id}` to have a good connection, {reached}") });
    }
}

async fn noticed(id: &ClientId, client: &Client) -> Result<(), String> {
    let mut status = client.handle.status.clone();
    let gone = bounds::STEP.within(status.wait_for(|status| !status.subscribed)).await;
    gone.map(|_| ()).map_err(|reached| format!("`{id}` to notice that its server is gone, {reached}"))
}
