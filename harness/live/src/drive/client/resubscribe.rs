//! Unsubscribing and subscribing again on one connection.

use cutover_core::history::Closed;
use cutover_core::ids::{ConnId, StreamId};

use super::Actor;
use crate::bounds;
use crate::drive::resume::{drain, resume};
use crate::lane::{Completion, OpError, SubscriberSession};

impl Actor {
    /// Subscribes these streams anew without a cursor. What was in flight belongs to the old subscription.
    pub(super) async fn resubscribe(
        &mut self,
        mut session: Box<dyn SubscriberSession>,
        streams: &[StreamId],
    ) -> Option<Box<dyn SubscriberSession>> {
        let ended = match self.round_trip(&mut session).await {
            false => None,
            true => {
                let answer = bounds::IN_ALL.within(session.unsubscribe(streams)).await;
                let closed = drain(&mut session, &mut self.inbox, ConnId(self.conn));
                Some(closed.or_else(|| not_unsubscribed(answer)))
            }
        };
        self.inbox.unsubscribed(streams);
        match ended {
            // The round trip has recorded how the connection ended.
            None => None,
            Some(Some(why)) => {
                self.closed(why);
                self.inbox.end_of_connection();
                None
            }
            Some(None) => {
                let outcome = resume(&mut session, &mut self.inbox, ConnId(self.conn), streams).await;
                self.after_resume(session, outcome).await
            }
        }
    }
}

fn not_unsubscribed<E>(answer: Result<Completion, E>) -> Option<Closed> {
    let why = match answer {
        Ok(Ok(())) => return None,
        Ok(Err(OpError::Refused(refusal))) => format!("the lane refused to unsubscribe: {}", refusal.code),
        Ok(Err(OpError::Unknown(why) | OpError::Later(why) | OpError::Unwritten(why))) => why,
        Err(_) => return Some(Closed::Silent),
    };
    Some(Closed::Lost { why })
}
