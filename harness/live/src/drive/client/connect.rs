//! How a client gets a connection on which it follows every stream: it waits, opens and resumes, or gives up.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::sync::PoisonError;
use std::time::Duration;

use cutover_core::history::{Closed, Record};
use cutover_core::ids::ConnId;
use cutover_core::plan::{PlannedClient, WRITER};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Actor, Command, Wake};
use crate::bounds;
use crate::drive::resume::{Resumed, resume};
use crate::lane::{ClientOptions, Lane, OpenError, SubscriberSession};

/// A client that was connected before gives up after so many refusals in a row that are not marked as transient.
const REFUSALS_MAX: u32 = 10;

impl Actor {
    pub(super) async fn wait_to_reconnect(&mut self, commands: &mut mpsc::Receiver<Command>) -> Wake {
        if self.inbox.gave_up.is_some() {
            // Nothing will come of what is waited for.
            self.waiting.clear();
            return Wake::Command(commands.recv().await);
        }
        let at = match self.reconnect_at {
            Some(at) => at,
            None => Instant::now() + self.wait(),
        };
        self.reconnect_at = Some(at);
        tokio::select! {
            biased;
            command = commands.recv() => Wake::Command(command),
            () = tokio::time::sleep_until(at) => Wake::Reconnect,
        }
    }

    fn wait(&mut self) -> Duration {
        if let Some(habit) = self.habit {
            let asked = self.asked_to_wait.take().max(self.inbox.told_to_wait);
            return match std::mem::take(&mut self.rejoins) {
                true => Duration::from_millis(habit.rejoin_ms[0]) + asked.unwrap_or_default(),
                false => self.backoff.after_failure(asked),
            };
        }
        // Only a connection that brought an event was good. To be opened, joined and subscribed is not enough.
        if std::mem::replace(&mut self.applied, self.inbox.applied) != self.inbox.applied {
            self.backoff.reset();
        }
        self.backoff.after_failure(self.asked_to_wait.take().max(self.inbox.told_to_wait))
    }

    /// Opens a connection. A command that ends it interrupts the attempt; any other waits until the attempt has ended.
    pub(super) async fn open_until_interrupted(
        &mut self,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Option<Box<dyn SubscriberSession>> {
        let mut deferred = VecDeque::new();
        let opened = {
            let mut opening = pin!(self.open());
            loop {
                tokio::select! {
                    biased;
                    session = &mut opening => break Ok(session),
                    command = commands.recv() => {
                        let end = match command {
                            Some(Command::Crash(_)) => Some(Closed::Crashed),
                            Some(Command::Disconnect(_)) | None => Some(Closed::ByClient),
                            _ => None,
                        };
                        deferred.extend(command);
                        if let Some(end) = end { break Err(end) }
                    }
                }
            }
        };
        self.deferred.append(&mut deferred);
        let why = match opened {
            Ok(session) => return session,
            Err(why) => why,
        };
        if self.opened == self.conn {
            self.closed(why);
            self.inbox.end_of_connection();
        }
        None
    }

    async fn open(&mut self) -> Option<Box<dyn SubscriberSession>> {
        self.conn += 1;
        self.reconnect_at = None;
        let client = options_of(&self.inbox.planned);
        let lane = match self.lane_with_token().await {
            Ok(lane) => lane,
            Err(why) => {
                self.closed(Closed::NotOpened { why });
                return None;
            }
        };
        let opened = bounds::IN_ALL.within(lane.subscriber(&self.endpoint, &client)).await;
        let mut session = match opened {
            Ok(Ok(session)) => session,
            Ok(Err(error)) => {
                self.not_opened(&error).await;
                return None;
            }
            Err(reached) => {
                self.closed(Closed::NotOpened { why: format!("no answer: {reached}") });
                return None;
            }
        };
        (self.was_connected, self.refusals, self.opened) = (true, 0, self.conn);
        if self.habit.is_some() {
            // Such a client begins anew with each connection that opens.
            self.backoff.reset();
        }
        if let Some(name) = session.connection_name() {
            self.connections.lock().unwrap_or_else(PoisonError::into_inner).push((name, false));
        }
        self.recorder.record(Record::Opened {
            client: self.inbox.planned.id.clone(),
            conn: ConnId(self.conn),
            spoken: session.spoken(),
            habit: self.habit.map(|habit| habit.name.to_owned()),
        });
        if self.inbox.planned.refused.is_some() {
            session.close().await;
            self.closed(Closed::ByClient);
            self.inbox.end_of_connection();
            self.inbox.give_up("the lane let it in".to_owned());
            return None;
        }
        let streams = self.inbox.planned.streams.clone();
        let outcome = resume(&mut session, &mut self.inbox, ConnId(self.conn), &streams).await;
        self.after_resume(session, outcome).await
    }

    pub(super) async fn after_resume(
        &mut self,
        mut session: Box<dyn SubscriberSession>,
        outcome: Resumed,
    ) -> Option<Box<dyn SubscriberSession>> {
        let kept = match outcome {
            Resumed::Following => !self.inbox.is_out_of_order(),
            Resumed::Ended(why) => {
                self.closed(why);
                self.inbox.end_of_connection();
                return None;
            }
            // Live events that close the gap may be in flight, so check again after a round trip.
            Resumed::Behind => {
                if self.barrier(&mut session).await.is_err() {
                    self.inbox.end_of_connection();
                    return None;
                }
                !self.inbox.is_out_of_order() && self.inbox.caught_up_with_heads()
            }
            Resumed::Rewound | Resumed::Refused | Resumed::RateLimited => false,
        };
        if kept {
            if self.waiting.is_empty() || self.round_trip(&mut session).await {
                return Some(session);
            }
            return None;
        }
        if self.inbox.is_out_of_order() && self.barrier(&mut session).await.is_err() {
            self.inbox.end_of_connection();
            return None;
        }
        self.leave(&mut session).await;
        self.inbox.end_of_connection();
        None
    }

    /// The lane for the token that the client presents now, where it has an identity.
    async fn lane_with_token(&mut self) -> Result<Arc<dyn Lane>, String> {
        let Some(authority) = &self.authority else { return Ok(self.lane.clone()) };
        let client = self.inbox.planned.id.clone();
        let presented = authority.presented(&client).await?;
        let (conn, token, minted) = (ConnId(self.conn), presented.word.to_owned(), presented.minted);
        self.recorder.record(Record::Presented { client, conn, token, minted });
        self.lane.bearing(Some(presented.token)).ok_or_else(|| "the lane takes no token of a client".to_owned())
    }

    async fn not_opened(&mut self, error: &OpenError) {
        let negotiates = self.inbox.planned.join.is_some();
        if let Some(refusal) = error.refusal.as_ref().filter(|_| negotiates) {
            let (client, refusal, subscribed) = (self.inbox.planned.id.clone(), *refusal.clone(), error.subscribed);
            self.recorder.record(Record::NotLetIn { client, conn: ConnId(self.conn), refusal, subscribed });
        }
        self.closed(Closed::NotOpened { why: error.to_string() });
        self.asked_to_wait = error.retry_after;
        // A lane that refuses a client for good may say otherwise. One answer is enough to judge that.
        if error.retryable && !(self.inbox.planned.refused.is_some() && error.refusal.is_some()) {
            return;
        }
        // Another token may help, but not after a fresh one was refused.
        if let Some(authority) = &self.authority {
            if !authority.refused(&self.inbox.planned.id).await {
                self.inbox.give_up(error.to_string());
            }
            return;
        }
        // A lane may refuse a client for a while: by a load balancer's page, or with 403 while keys change.
        self.refusals += 1;
        if !self.was_connected || self.refusals >= REFUSALS_MAX {
            self.inbox.give_up(error.to_string());
        }
    }
}

pub(in crate::drive) fn options_of(planned: &PlannedClient) -> ClientOptions {
    debug_assert_ne!(planned.id.as_str(), WRITER);
    ClientOptions {
        name: planned.id.to_string(),
        serializer: planned.serializer,
        compression: planned.compression,
        join: planned.join.clone(),
    }
}
