//! Subscribing on a new connection: from the checkpoint, or from the bootstrap where the checkpoint is stale.

use cutover_core::history::{Closed, RewindReason};
use cutover_core::ids::{ConnId, Cursor, StreamId};
use futures_util::FutureExt;

use super::inbox::Inbox;
use crate::bounds;
use crate::lane::{Arrival, Head, OpError, SubscriberSession};

/// Subscribes in a row on one connection. Each refusal rewinds at least one stream, so this is never reached.
const SUBSCRIBES_MAX: usize = 16;

/// The code of a lane that limits the rate (contract, "Errors").
const RATE_LIMITED: &str = "rate_limited";

pub enum Resumed {
    /// Every stream is subscribed and replayed.
    Following,
    /// Subscribed, but the replay ended before the head that the lane itself named.
    Behind,
    /// Subscribed from beyond the head. The cursor was of another history, so it was given up.
    Rewound,
    /// Refused for a reason that a bootstrap does not mend. The client gave up.
    Refused,
    /// The lane limits the rate: the client has to retry later.
    RateLimited,
    Ended(Closed),
}

pub async fn resume(
    session: &mut Box<dyn SubscriberSession>,
    inbox: &mut Inbox,
    conn: ConnId,
    streams: &[StreamId],
) -> Resumed {
    if !session.asks_one_by_one() {
        return subscribe(session, inbox, conn, streams).await;
    }
    for stream in streams {
        match subscribe(session, inbox, conn, std::slice::from_ref(stream)).await {
            Resumed::Following | Resumed::Behind => {}
            other => return other,
        }
    }
    if inbox.caught_up_with_heads() { Resumed::Following } else { Resumed::Behind }
}

async fn subscribe(
    session: &mut Box<dyn SubscriberSession>,
    inbox: &mut Inbox,
    conn: ConnId,
    streams: &[StreamId],
) -> Resumed {
    for _ in 0..SUBSCRIBES_MAX {
        let asked = inbox.begin_subscription(conn, streams);
        let replay_batch = inbox.planned.replay_batch;
        let answer = bounds::IN_ALL.within(session.subscribe(&asked, replay_batch)).await;
        if let Some(closed) = drain(session, inbox, conn) {
            return Resumed::Ended(closed);
        }
        match answer {
            Ok(Ok(heads)) => return accepted(inbox, &asked, &heads),
            Ok(Err(OpError::Refused(refusal))) => {
                inbox.refused(&asked, &refusal);
                if refusal.code == RATE_LIMITED {
                    return Resumed::RateLimited;
                }
                if refusal.code != "stale_cursor" {
                    inbox.give_up(format!("the lane refused the subscription: {}", refusal.code));
                    return Resumed::Refused;
                }
                if !inbox.rewind_stale(&asked, &refusal) {
                    inbox.give_up("the lane called a bootstrap stale".to_owned());
                    return Resumed::Refused;
                }
            }
            Ok(Err(OpError::Unknown(why) | OpError::Later(why) | OpError::Unwritten(why))) => {
                return Resumed::Ended(Closed::Lost { why });
            }
            Err(_) => return Resumed::Ended(Closed::Silent),
        }
    }
    inbox.give_up("the lane refused every subscription".to_owned());
    Resumed::Refused
}

/// Takes what has arrived, up to the end. Live events after an answer belong to the same subscription.
pub(super) fn drain(session: &mut Box<dyn SubscriberSession>, inbox: &mut Inbox, conn: ConnId) -> Option<Closed> {
    while let Some(arrival) = session.next().now_or_never() {
        if let Arrival::Closed(why) = arrival {
            return Some(why);
        }
        inbox.take(conn, arrival);
    }
    None
}

fn accepted(inbox: &mut Inbox, asked: &[(StreamId, Option<Cursor>)], heads: &[(StreamId, Head)]) -> Resumed {
    let mut rewound = false;
    for (stream, cursor) in asked {
        let named = heads.iter().find(|(named, _)| named == stream);
        let head = named.map_or(Head::Unreported, |(_, head)| *head);
        inbox.accepted(stream, head);
        let beyond = match head {
            Head::At(head) => cursor.is_some_and(|cursor| cursor.0 > head.0),
            Head::BelowCursor => true,
            Head::Unreported => false,
        };
        if beyond {
            inbox.rewind(stream, RewindReason::AheadOfHead);
            rewound = true;
        }
    }
    if rewound {
        Resumed::Rewound
    } else if inbox.caught_up_with_heads() {
        Resumed::Following
    } else {
        Resumed::Behind
    }
}
