//! What waits to be sent to one client: encoded frames, and how full the buffer is.

use bytes::BytesMut;
use serde_json::{Value, value::RawValue};

use super::frame;
use crate::wire::{Outbound, Vsn, reply_payload};

/// Encodes messages and keeps them until the socket takes them.
#[derive(Debug)]
pub(crate) struct Outbox {
    vsn: Vsn,
    high_water_bytes: usize,
    /// The bytes that wait.
    pub(crate) bytes: BytesMut,
}

impl Outbox {
    pub(crate) fn new(vsn: Vsn, high_water_bytes: usize) -> Self {
        Self { vsn, high_water_bytes, bytes: BytesMut::new() }
    }

    /// Whether more of a replay or a live tail may be added. Replies and errors always may: they are as many as the
    /// requests, and requests are not read while the buffer is far too full.
    pub(crate) fn has_room(&self) -> bool {
        self.bytes.len() < self.high_water_bytes
    }

    /// Whether so much waits that the client is not even listened to.
    pub(crate) fn is_flooded(&self) -> bool {
        self.bytes.len() >= self.high_water_bytes.saturating_mul(4)
    }

    /// A push of a channel.
    pub(crate) fn push(&mut self, join_ref: &Value, topic: &str, event: &str, payload: &RawValue) {
        self.put(&Outbound { join_ref, reference: &Value::Null, topic, event, payload });
    }

    /// A reply to a request.
    pub(crate) fn reply(
        &mut self,
        join_ref: &Value,
        reference: &Value,
        topic: &str,
        answer: &Result<Value, Value>,
    ) {
        let payload = match answer {
            Ok(response) => reply_payload("ok", response),
            Err(response) => reply_payload("error", response),
        };
        self.put(&Outbound { join_ref, reference, topic, event: "phx_reply", payload: &payload });
    }

    /// `phx_close` or `phx_error` of a channel: the ref is the join's.
    pub(crate) fn channel_end(&mut self, join_ref: &Value, topic: &str, event: &str) {
        let payload = crate::wire::raw(&serde_json::json!({}));
        self.put(&Outbound { join_ref, reference: join_ref, topic, event, payload: &payload });
    }

    fn put(&mut self, message: &Outbound<'_>) {
        frame::put_text(&mut self.bytes, &self.vsn.encode(message));
    }
}
