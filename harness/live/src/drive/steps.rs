//! Performs the steps of a script, one function for each. A step waits for a state, never for a time. Where a state is
//! not reached within its bound, the step fails with what it waited for.

use std::time::Duration;

use cutover_core::history::{Outcome, Process, Record, StoredCheckpoint};
use cutover_core::ids::{ClientId, Cursor, FaultId, LaneId, OpId, StreamId};
use cutover_core::plan::{
    ENQUEUE, ModuleUpdate, PublishExpect, Reading, ServerAction, Step, deed_of, misuse, token_of,
};

use futures_util::future::join_all;

use super::case::Case;
use super::client::ClientHandle;
use super::measure::Turn;
use super::route::Route;
use super::visitor::Attempt;
use super::writer::{Write, recorded};
use crate::bounds;
use crate::lane::{Completion, OpError, Prune};

type Performed = Result<(), String>;

/// How often something is attempted that gets no answer.
const ATTEMPTS: u32 = 3;

impl Case {
    pub(super) async fn perform(&mut self, step: &Step) -> Performed {
        match step {
            Step::Policy { op, stream, retention, replay_budget } => {
                self.set_policy(*op, stream, *retention, *replay_budget).await
            }
            Step::Publish { lane: Some(only), .. } if *only != self.lane => Ok(()),
            Step::Publish { expect, stream, due_us, .. } => {
                let Some((op, publish)) = self.write_of(step) else { return Ok(()) };
                if let Some(due_us) = due_us {
                    self.until_due(op, stream, *due_us).await;
                }
                self.publish(op, &publish, expect).await
            }
            Step::Checkpoint { op, stream, client, seq, durable_offset, .. } => {
                let (client, seq, durable_offset) = (client.clone(), *seq, *durable_offset);
                let checkpoint = StoredCheckpoint { client, seq, durable_offset };
                let stream = stream.clone();
                let _ = self.writer.invoke(*op, &Write::Checkpoint { stream, checkpoint }).await;
                Ok(())
            }
            Step::Misuse { op, stream, what } => {
                if let Some(request) = misuse(what).and_then(|misuse| misuse.on(self.lane)) {
                    let (call, body) = (request.call.to_owned(), request.body.to_owned());
                    let _ = self.writer.invoke(*op, &Write::Call { stream: stream.clone(), call, body }).await;
                }
                Ok(())
            }
            Step::Call { op, stream, reducer, args, .. } => {
                let (call, body) = (reducer.clone(), args.clone());
                let done = self.writer.invoke(*op, &Write::Call { stream: stream.clone(), call, body }).await;
                if let (Some(mirror), Ok(Outcome::Done), ENQUEUE) = (&mut self.mirror, done, reducer.as_str()) {
                    mirror.enqueued(stream, args);
                }
                Ok(())
            }
            Step::Rows { op, stream, query, .. } => {
                let _ = self.writer.invoke(*op, &Write::Rows { stream: stream.clone(), query: query.clone() }).await;
                Ok(())
            }
            Step::Prune { op, stream, up_to, head, retention } => {
                let prune = Prune { up_to: *up_to, head: *head, retention: *retention };
                let _ = self.writer.invoke(*op, &Write::Prune { stream: stream.clone(), prune }).await;
                Ok(())
            }
            Step::Count { op, present, within_ms } => {
                self.count_connections(*op, present, *within_ms).await;
                Ok(())
            }
            Step::Attempt { op, stream, identity, token, deed, allowed, .. } => {
                if let (Some(token), Some(deed)) = (token_of(token), deed_of(deed)) {
                    self.attempt(*op, &Attempt { identity, stream, token, deed, allowed: *allowed }).await;
                }
                Ok(())
            }
            Step::Access(change) => match &self.authority {
                Some(authority) => authority.change(change).await.map_err(|why| format!("a change of access: {why}")),
                None => Ok(()),
            },
            Step::TakeTurn { block, spare } => {
                self.take_turn(*block, *spare).await;
                Ok(())
            }
            Step::EndTurn => {
                self.end_turn();
                Ok(())
            }
            Step::Inspect { stream } => self.inspect(&stream.clone()).await,
            Step::Connect { client, at_once } => self.connect(client, *at_once).await,
            Step::Disconnect { client } => self.disconnect(client).await,
            Step::Crash { client } => self.crash(client).await,
            Step::Resubscribe { client, streams } => self.resubscribe(client, streams).await,
            Step::SetCursor { client, stream, cursor } => self.set_cursor(client, stream, *cursor).await,
            Step::AwaitCaughtUp { clients } => self.caught_up(clients, bounds::STEP).await,
            Step::AwaitFired { fault } => self.fired(fault).await,
            Step::Arm { toxics } => self.arm(toxics).await,
            Step::Disarm { toxics } => self.disarm(toxics).await,
            Step::Backup { backup, copy } => self.back_up(backup, copy).await,
            Step::BackedUp { backup } => self.backed_up(backup).await,
            Step::Restore(restore) => self.restore(restore).await,
            Step::Server { lane, action } => self.control_server(*lane, *action).await,
            Step::UpdateModule { update } => self.update_module(*update).await,
            Step::Beside { of, action } => match &mut self.mirror {
                Some(mirror) => mirror.act(*of, *action).await,
                None => Ok(()),
            },
            Step::Relay { answers } => {
                if let Some(mirror) = &mut self.mirror {
                    mirror.answer(*answers);
                }
                Ok(())
            }
            Step::AwaitRelay => match &mut self.mirror {
                Some(mirror) => mirror.asked().await,
                None => Ok(()),
            },
            Step::AwaitOutbox => self.mirrored().await,
        }
    }

    pub(super) async fn mirrored(&mut self) -> Performed {
        match &mut self.mirror {
            Some(mirror) => mirror.mirrored().await,
            None => Ok(()),
        }
    }

    async fn attempt(&mut self, op: OpId, attempt: &Attempt<'_>) {
        let Some(visitor) = &mut self.visitor else { return };
        for nth in 1..=ATTEMPTS {
            self.recorder.record(Record::Invoke { op, attempt: nth });
            let completion = visitor.attempt(attempt).await;
            let again = matches!(completion, Err(OpError::Later(_) | OpError::Unknown(_)));
            self.recorder.record(Record::Complete { op, attempt: nth, completion: recorded(completion, |done| done) });
            if !again {
                return;
            }
        }
    }

    async fn set_policy(
        &mut self,
        op: OpId,
        stream: &StreamId,
        retention: Option<u64>,
        replay_budget: Option<u64>,
    ) -> Performed {
        let policy = Write::Policy { stream: stream.clone(), retention, replay_budget };
        // A refusal is in the history. It does not end the script.
        let _ = self.writer.invoke(op, &policy).await;
        Ok(())
    }

    /// Sends publishes at the same moment, each on a connection of its own.
    pub(super) async fn publish_together(&mut self, steps: &[Step]) -> Performed {
        let writes: Vec<(OpId, Write)> = steps.iter().filter_map(|step| self.write_of(step)).collect();
        let sent = writes.iter().map(|(op, write)| {
            let mut writer = self.writer.another();
            async move {
                writer.ready().await;
                writer.invoke(*op, write).await
            }
        });
        let completions = join_all(sent).await;
        for ((op, write), completion) in writes.iter().zip(completions) {
            self.published(*op, write, true, completion)?;
        }
        Ok(())
    }

    fn write_of(&self, step: &Step) -> Option<(OpId, Write)> {
        let Step::Publish { op, stream, key, payload, claims, .. } = step else { return None };
        let next_seq = claims.next_seq.map(|next| next.after(self.head_of(stream)));
        let (stream, key, payload, hash) = (stream.clone(), key.clone(), payload.clone(), claims.payload_hash.clone());
        Some((*op, Write::Publish { stream, key, payload, next_seq, hash }))
    }

    async fn publish(&mut self, op: OpId, publish: &Write, expect: &PublishExpect) -> Performed {
        if self.is_kill_armed() {
            return self.publish_and_kill(op, publish).await;
        }
        self.writer_route.expect_ack(Some(op));
        let completion = self.writer.invoke(op, publish).await;
        self.writer_route.expect_ack(None);
        // A repeat writes nothing, so there is nothing new to become durable.
        self.published(op, publish, matches!(expect, PublishExpect::Accepted { .. }), completion)
    }

    pub(super) fn published(
        &mut self,
        op: OpId,
        publish: &Write,
        is_new: bool,
        completion: Completion<Outcome>,
    ) -> Performed {
        let Write::Publish { stream, key, payload, .. } = publish else {
            return Ok(());
        };
        match completion {
            Ok(Outcome::Published { seq, .. }) => {
                let head = self.heads.entry(stream.clone()).or_default();
                *head = seq.max(*head);
                self.inspector.acknowledged(stream, seq, key, payload);
                if is_new {
                    self.drills.acknowledged();
                    self.last_acked = Some(key.clone());
                }
                for client in self.clients.values() {
                    client.route.acked(op);
                }
                Ok(())
            }
            Err(OpError::Unknown(why) | OpError::Later(why)) => Err(format!("an answer to op {op}: {why}")),
            Ok(
                Outcome::Pruned { .. }
                | Outcome::Seen { .. }
                | Outcome::Rows { .. }
                | Outcome::NotOffered
                | Outcome::Done,
            )
            // The lane answered, each time, and wrote nothing: there is nothing to wait for.
            | Err(OpError::Refused(_) | OpError::Unwritten(_)) => Ok(()),
        }
    }

    /// A spare turn that is not needed is none: what is published in it is neither sent at a rate nor measured.
    async fn take_turn(&mut self, block: u32, is_spare: bool) {
        let is_measured = match &self.turns {
            Some(turns) => turns.take(self.lane, is_spare).await,
            None => !is_spare,
        };
        if is_measured {
            self.recorder.record(Record::Turn { block });
            let (from, began_us) = (self.recorder.len(), self.recorder.now_us());
            self.turn = Some(Turn { block, from, began_us, due: Vec::new() });
        }
    }

    fn end_turn(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        let measured = turn.measured(&self.recorder.since(turn.from));
        if let Some(turns) = &self.turns {
            turns.end(self.lane, turn.samples(&measured));
        }
        measured.into_iter().for_each(|record| self.recorder.record(record));
    }

    /// Waits until a publish is to be sent. One that is late already is sent at once.
    async fn until_due(&mut self, op: OpId, stream: &StreamId, due_us: u64) {
        let Some(turn) = &mut self.turn else { return };
        let least =
            self.least_between.unwrap_or_default().saturating_mul(u32::try_from(turn.due.len()).unwrap_or(u32::MAX));
        let after_us = due_us.max(u64::try_from(least.as_micros()).unwrap_or(u64::MAX));
        let due = turn.began_us.saturating_add(after_us);
        turn.due.push((op, stream.clone(), due));
        let wait = due.saturating_sub(self.recorder.now_us());
        tokio::time::sleep(Duration::from_micros(wait)).await;
    }

    async fn connect(&mut self, client: &ClientId, at_once: bool) -> Performed {
        self.client(client, true)?.connect().await;
        if at_once { Ok(()) } else { self.subscribed(client).await }
    }

    async fn disconnect(&mut self, client: &ClientId) -> Performed {
        self.client(client, false)?.disconnect().await;
        Ok(())
    }

    async fn crash(&mut self, client: &ClientId) -> Performed {
        self.client(client, false)?.crash().await;
        Ok(())
    }

    async fn resubscribe(&mut self, client: &ClientId, streams: &[StreamId]) -> Performed {
        self.caught_up(std::slice::from_ref(client), bounds::STEP).await?;
        self.client(client, true)?.resubscribe(streams.to_vec()).await;
        Ok(())
    }

    async fn set_cursor(&mut self, client: &ClientId, stream: &StreamId, cursor: Cursor) -> Performed {
        self.client(client, false)?.set_cursor(stream, cursor).await;
        Ok(())
    }

    /// A client, and whether it is to be connected from now on.
    fn client(&mut self, id: &ClientId, connected: bool) -> Result<&ClientHandle, String> {
        let client = self.clients.get_mut(id).ok_or_else(|| format!("client `{id}`, which the case does not have"))?;
        client.connected = connected;
        Ok(&client.handle)
    }

    /// Each route takes those toxics that are its own.
    async fn arm(&mut self, toxics: &[FaultId]) -> Performed {
        for (id, client) in &mut self.clients {
            if let Some(reading) = client.route.reading(toxics) {
                client.slow = true;
                client.handle.reads(reading != Reading::Nothing).await;
                self.recorder.record(Record::Reads { client: id.clone(), slow: Some(reading) });
            }
        }
        for route in self.routes() {
            route.arm(toxics).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    async fn disarm(&mut self, toxics: &[FaultId]) -> Performed {
        let slow = self.no_longer_slow(|route| route.reading(toxics).is_some());
        for route in self.routes() {
            route.disarm(toxics).await.map_err(|error| error.to_string())?;
        }
        self.read_again(&slow).await;
        Ok(())
    }

    /// Records that slow clients on these routes read as usual, before the toxics are off: what the lane kept back
    /// until then comes after that.
    pub(super) fn no_longer_slow(&mut self, on: impl Fn(&Route) -> bool) -> Vec<ClientId> {
        let slow = self.clients.iter_mut().filter(|(_, client)| client.slow && on(&client.route));
        slow.map(|(id, client)| {
            client.slow = false;
            self.recorder.record(Record::Reads { client: id.clone(), slow: None });
            id.clone()
        })
        .collect()
    }

    pub(super) async fn read_again(&self, clients: &[ClientId]) {
        for client in clients.iter().filter_map(|id| self.clients.get(id)) {
            client.handle.reads(true).await;
        }
    }

    /// A lane without a module has nothing to update.
    async fn update_module(&mut self, update: ModuleUpdate) -> Performed {
        let Some(module) = self.module.clone() else { return Ok(()) };
        let before = self.connections_lost();
        self.recorder.record(Record::Process { process: Process::Updating { update } });
        module.update(update).await.map_err(|why| format!("the module to be published anew: {why}"))?;
        match update {
            ModuleUpdate::Additive => Ok(()),
            ModuleUpdate::Breaking => self.closed_since(before).await,
        }
    }

    async fn control_server(&mut self, lane: Option<LaneId>, action: ServerAction) -> Performed {
        if lane.is_some_and(|only| only != self.lane) {
            return Ok(());
        }
        if action == ServerAction::KillAsSeen {
            self.arm_kill();
            return Ok(());
        }
        let server = self.server.as_ref().ok_or("a server of ours to kill or pause")?;
        let done = server.apply(action, self.last_acked.as_deref()).await;
        let process = done.map_err(|error| format!("the server: {error}"))?;
        let gone = matches!(process, Process::Killed { .. } | Process::Paused);
        self.recorder.record(Record::Process { process: process.clone() });
        if gone { self.server_loss_noticed().await } else { self.answer_after_kill(&process).await }
    }
}
