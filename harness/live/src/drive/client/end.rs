//! How a client ends its connection, and what it records of an end.

use std::sync::PoisonError;

use cutover_core::history::{Closed, Completion, Outcome, Record};
use cutover_core::ids::{ConnId, Cursor, StreamId};

use super::Actor;
use crate::bounds;
use crate::drive::writer::recorded;
use crate::lane::SubscriberSession;

impl Actor {
    /// Closes a connection that can't go on, of itself or since the lane told it to.
    pub(super) async fn leave(&mut self, session: &mut Box<dyn SubscriberSession>) {
        session.close().await;
        self.closed(match self.inbox.told_to_wait {
            Some(_) => Closed::Channel { event: "sync:error slow_consumer".to_owned() },
            None => Closed::ByClient,
        });
    }

    pub(super) async fn close(&mut self, session: &mut Option<Box<dyn SubscriberSession>>) {
        if let Some(mut open) = session.take() {
            for (stream, cursor) in self.inbox.cursors() {
                match bounds::ANSWER.within(open.checkpoint(&stream, cursor)).await {
                    Ok(Some(completion)) => self.checkpointed(stream, cursor, recorded(completion, |()| Outcome::Done)),
                    Ok(None) => {}
                    Err(reached) => {
                        let why = format!("no answer: {reached}");
                        self.checkpointed(stream, cursor, Completion::Info { why });
                    }
                }
            }
            open.close().await;
            self.closed(Closed::ByClient);
        }
    }

    fn checkpointed(&self, stream: StreamId, cursor: Cursor, completion: Completion) {
        let client = self.inbox.planned.id.clone();
        self.recorder.record(Record::Checkpointed { client, stream, cursor, completion });
    }

    pub(super) fn closed(&mut self, why: Closed) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, ended)) = connections.last_mut().filter(|_| !matches!(why, Closed::NotOpened { .. })) {
            *ended = true;
        }
        drop(connections);
        let (client, conn) = (self.inbox.planned.id.clone(), ConnId(self.conn));
        self.recorder.record(Record::Closed { client, conn, why: why.clone() });
        let Some(habit) = self.habit else { return };
        if why.keeps_away(habit) {
            self.inbox.keep_away(habit, why);
        } else if matches!(why, Closed::Channel { .. }) {
            self.rejoins = true;
        }
    }
}
