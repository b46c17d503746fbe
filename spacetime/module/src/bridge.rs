//! The outbox of the bridge to Nostr: what is to be sent, in order, and what was sent.

use crate::refusal::Refusal;

/// Whether an event becomes sent: the first relay id counts, and the same one again changes nothing.
pub fn decide_sent(sent_as: &str, relay_event_id: &str) -> Result<bool, Refusal> {
    match sent_as {
        "" => Ok(true),
        same if same == relay_event_id => Ok(false),
        _ => Err(Refusal::KeyConflict),
    }
}

#[cfg(target_arch = "wasm32")]
pub mod db {
    use spacetimedb::{ReducerContext, Table, Timestamp, reducer, table};

    use super::decide_sent;
    use crate::event::checked_hash;
    use crate::grant::caller;
    use crate::refusal::{Answer, Refusal, answer, check_name};
    use crate::resume::db::view;

    /// One row per event, for ever.
    #[table(name = bridge_outbox)]
    pub struct BridgeOutbox {
        #[primary_key]
        pub event_key: String,
        /// From 1, without gaps.
        #[unique]
        pub position: u64,
        pub stream_id: String,
        pub payload: String,
        pub payload_hash: String,
        pub enqueued_at: Timestamp,
        /// The relay's id of it; blank until it is sent.
        pub relay_event_id: String,
    }

    /// Puts an event at the end of the outbox. Refusals: `bad_argument`, `forbidden_topic`, `invalid_payload`,
    /// `payload_hash_mismatch`, `idempotency_conflict`, checked in this order.
    #[reducer]
    fn enqueue_bridge_event(
        ctx: &ReducerContext,
        event_key: String,
        stream_id: String,
        payload: String,
        payload_hash: String,
    ) -> Answer {
        answer(ctx, NewBridgeEvent { event_key, stream_id, payload, given_hash: payload_hash }, enqueue)
    }

    /// Notes that an event was sent. Only the bridge, which is the owner, may while access is enforced.
    #[reducer]
    fn mark_bridge_event_sent(ctx: &ReducerContext, event_key: String, relay_event_id: String) -> Answer {
        answer(ctx, Sent { event_key, relay_event_id }, mark_sent)
    }

    pub struct NewBridgeEvent {
        pub event_key: String,
        pub stream_id: String,
        pub payload: String,
        pub given_hash: String,
    }

    pub struct Sent {
        pub event_key: String,
        pub relay_event_id: String,
    }

    fn enqueue(ctx: &ReducerContext, asked: NewBridgeEvent) -> Result<(), Refusal> {
        let NewBridgeEvent { event_key, stream_id, payload, given_hash } = asked;
        check_name("event_key", &event_key)?;
        check_name("stream_id", &stream_id)?;
        if view(ctx, &stream_id).is_none() || !caller(ctx)?.may_write(ctx, &stream_id) {
            return Err(Refusal::ForbiddenTopic(vec![stream_id]));
        }
        let payload_hash = checked_hash(&payload, &given_hash)?;
        if let Some(existing) = ctx.db.bridge_outbox().event_key().find(&event_key) {
            let same = existing.stream_id == stream_id && existing.payload_hash == payload_hash;
            return if same { Ok(()) } else { Err(Refusal::KeyConflict) };
        }
        let (position, enqueued_at) = (ctx.db.bridge_outbox().count() + 1, ctx.timestamp);
        let relay_event_id = String::new();
        ctx.db.bridge_outbox().insert(BridgeOutbox {
            event_key,
            position,
            stream_id,
            payload,
            payload_hash,
            enqueued_at,
            relay_event_id,
        });
        Ok(())
    }

    fn mark_sent(ctx: &ReducerContext, Sent { event_key, relay_event_id }: Sent) -> Result<(), Refusal> {
        check_name("relay_event_id", &relay_event_id)?;
        caller(ctx)?.check_free()?;
        let event = ctx.db.bridge_outbox().event_key().find(&event_key).ok_or(Refusal::UnknownBridgeEvent)?;
        if decide_sent(&event.relay_event_id, &relay_event_id)? {
            ctx.db.bridge_outbox().event_key().update(BridgeOutbox { relay_event_id, ..event });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
