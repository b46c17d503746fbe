//! How a client comes to a connection on which it follows every stream: waits, opens, resumes, and gives up.

use std::collections::VecDeque;
use std::pin::pin;

use cutover_core::history::{Closed, Record};
use cutover_core::ids::ConnId;
use cutover_core::plan::{PlannedClient, WRITER};
use tokio::sync::mpsc;

use super::{Actor, Command, Pause};
use crate::bounds;
use crate::drive::resume::{Resumed, resume};
use crate::lane::{ClientOptions, OpenError, SubscriberSession};

/// After so many refusals in a row that do not say that they pass, a client that was let in before gives up.
const MOST_REFUSALS: u32 = 10;

impl Actor {
    pub(super) async fn wait_to_reconnect(&mut self, commands: &mut mpsc::Receiver<Command>) -> Pause {
        if self.inbox.gave_up() {
            // Who waits for it would wait in vain.
            self.waiting.clear();
            return Pause::Command(commands.recv().await);
        }
        // A connection that brought an event was good. That one could be opened, joined and subscribed is half a success.
        if std::mem::replace(&mut self.applied, self.inbox.applied()) != self.inbox.applied() {
            self.backoff.reset();
        }
        let wait = self.backoff.after_failure(self.asked_to_wait.take());
        tokio::select! {
            biased;
            command = commands.recv() => Pause::Command(command),
            () = tokio::time::sleep(wait) => Pause::Reconnect,
        }
    }

    /// Opens a connection. A command to end it is obeyed at once; any other waits until the attempt has ended.
    pub(super) async fn open_unless_told(
        &mut self,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Option<Box<dyn SubscriberSession>> {
        let mut put_off = VecDeque::new();
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
                        put_off.extend(command);
                        if let Some(end) = end { break Err(end) }
                    }
                }
            }
        };
        self.put_off.append(&mut put_off);
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

    /// Opens a connection and resumes every stream on it.
    async fn open(&mut self) -> Option<Box<dyn SubscriberSession>> {
        self.conn += 1;
        let client = options_of(self.inbox.planned());
        let opened = bounds::IN_ALL.within(self.lane.subscriber(&self.endpoint, &client)).await;
        let mut session = match opened {
            Ok(Ok(session)) => session,
            Ok(Err(error)) => {
                self.not_opened(&error);
                return None;
            }
            Err(reached) => {
                self.closed(Closed::NotOpened { why: format!("no answer: {reached}") });
                return None;
            }
        };
        (self.was_let_in, self.refusals, self.opened) = (true, 0, self.conn);
        self.recorder.record(Record::Opened {
            client: self.inbox.client().clone(),
            conn: ConnId(self.conn),
            spoken: session.spoken(),
        });
        let outcome = resume(&mut session, &mut self.inbox, ConnId(self.conn)).await;
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
            // Live events may be on their way to close the distance: look again after a round trip.
            Resumed::Behind => {
                if self.barrier(&mut session).await.is_err() {
                    self.inbox.end_of_connection();
                    return None;
                }
                !self.inbox.is_out_of_order() && self.inbox.caught_up_with_heads()
            }
            Resumed::Rewound | Resumed::Refused | Resumed::PutOff => false,
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
        session.close().await;
        self.closed(Closed::ByClient);
        self.inbox.end_of_connection();
        None
    }

    fn not_opened(&mut self, error: &OpenError) {
        self.closed(Closed::NotOpened { why: error.to_string() });
        self.asked_to_wait = error.retry_after;
        if error.retryable {
            return;
        }
        // A lane that let the client in before may refuse it in passing: a load balancer's page, a 403 while keys change.
        self.refusals += 1;
        if !self.was_let_in || self.refusals >= MOST_REFUSALS {
            self.inbox.give_up(error.to_string());
        }
    }
}

fn options_of(planned: &PlannedClient) -> ClientOptions {
    debug_assert_ne!(planned.id.as_str(), WRITER);
    ClientOptions { name: planned.id.to_string(), serializer: planned.serializer, compression: planned.compression }
}
