//! What waits to be sent to one client: encoded frames, and how full the buffer is.

use bytes::BytesMut;
use serde_json::{Value, value::RawValue};

use crate::frame::{self, OP_PONG, OP_TEXT};
use crate::wire::{Outbound, Vsn, reply_payload};

/// How many bytes of replies may wait before the socket is read no further.
const MAX_REPLY_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Outbox {
    vsn: Vsn,
    high_water_bytes: usize,
    pub(crate) bytes: BytesMut,
    /// An upper bound of how many of these are replies.
    reply_bytes: usize,
}

impl Outbox {
    pub(crate) fn new(vsn: Vsn, high_water_bytes: usize) -> Self {
        Self { vsn, high_water_bytes, bytes: BytesMut::new(), reply_bytes: 0 }
    }

    pub(crate) fn is_v1(&self) -> bool {
        self.vsn == Vsn::V1
    }

    /// Whether more of a replay or a live tail may be added. Replies and errors always may: they are as many as the
    /// requests, and requests are not read while the buffer is far too full.
    pub(crate) fn has_room(&self) -> bool {
        self.bytes.len() < self.high_water_bytes
    }

    /// Whether so many replies wait that the client is not even listened to. Events do not count: a heartbeat is
    /// answered in the middle of a replay.
    pub(crate) fn is_flooded(&self) -> bool {
        self.reply_bytes.min(self.bytes.len()) >= MAX_REPLY_BYTES
    }

    pub(crate) fn sent(&mut self) {
        self.reply_bytes = self.reply_bytes.min(self.bytes.len());
    }

    pub(crate) fn pong(&mut self, payload: &[u8]) {
        let before = self.bytes.len();
        frame::put(&mut self.bytes, OP_PONG, payload);
        self.reply_bytes += self.bytes.len() - before;
    }

    pub(crate) fn push(&mut self, join_ref: &Value, topic: impl Into<Value>, event: &str, payload: &RawValue) {
        self.put(&Outbound { join_ref, reference: &Value::Null, topic: &topic.into(), event, payload });
    }

    /// A reply to a request. A topic that is not text comes back as it was sent.
    pub(crate) fn reply(
        &mut self,
        join_ref: &Value,
        reference: &Value,
        topic: impl Into<Value>,
        answer: &Result<Value, Value>,
    ) {
        let payload = match answer {
            Ok(response) => reply_payload("ok", response),
            Err(response) => reply_payload("error", response),
        };
        let before = self.bytes.len();
        self.put(&Outbound { join_ref, reference, topic: &topic.into(), event: "phx_reply", payload: &payload });
        self.reply_bytes += self.bytes.len() - before;
    }

    /// `phx_close` or `phx_error` of a channel: the ref is the join's.
    pub(crate) fn channel_end(&mut self, join_ref: &Value, topic: impl Into<Value>, event: &str) {
        let payload = crate::wire::raw(&serde_json::json!({}));
        self.put(&Outbound { join_ref, reference: join_ref, topic: &topic.into(), event, payload: &payload });
    }

    fn put(&mut self, message: &Outbound<'_>) {
        frame::put(&mut self.bytes, OP_TEXT, self.vsn.encode(message).as_bytes());
    }
}
