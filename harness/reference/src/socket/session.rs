//! One socket's Phoenix session: heartbeats, joins and leaves.

use std::sync::{Arc, atomic::Ordering};

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::channel::{CHANNEL_TOPIC, Channel, End, Joined};
use crate::compat::{self, ClientInfo};
use crate::defects::Defect;
use crate::frame::{self, Message};
use crate::outbox::Outbox;
use crate::presence::Presence;
use crate::shared::Shared;
use crate::store::Mailbox;
use crate::wire::{Inbound, Malformed, Payload, Vsn};

#[derive(Clone, Debug, Default)]
pub(crate) struct Principal {
    pub(crate) jti: Option<String>,
    /// What the token grants; `None` is all.
    pub(crate) grants: Option<Arc<[String]>>,
}

pub(crate) struct Session {
    shared: Arc<Shared>,
    vsn: Vsn,
    principal: Principal,
    query: Vec<(String, String)>,
    mailbox: Arc<Mailbox>,
    channel: Option<Channel>,
    pub(crate) out: Outbox,
}

pub(crate) struct Close(pub(crate) u16);

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, vsn: Vsn, principal: Principal, query: Vec<(String, String)>) -> Self {
        let mailbox = shared.store.hub().mailbox(principal.jti.as_deref());
        let out = Outbox::new(vsn, shared.config.limits.out_high_water_bytes);
        Self { shared, vsn, principal, query, mailbox, channel: None, out }
    }

    pub(crate) fn mailbox(&self) -> Arc<Mailbox> {
        self.mailbox.clone()
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.out.is_flooded() || self.channel.as_ref().is_some_and(Channel::is_busy)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.channel.as_ref().map(Channel::deadline)
    }

    pub(crate) fn receive(&mut self, message: Message, now: Instant) -> Result<(), Close> {
        let inbound = match message {
            Message::Text(text) => self.vsn.decode_text(&text),
            Message::Binary(bytes) => self.vsn.decode_binary(&bytes),
            Message::Ping(payload) => {
                self.out.pong(&payload);
                return Ok(());
            }
            Message::Pong => return Ok(()),
            Message::Close(code) => return Err(Close(code)),
        };
        match inbound {
            Ok(inbound) if inbound.event == "phx_join" && inbound.topic.is_object() => {
                // Phoenix crashes when it logs such a topic.
                self.shared.log("sync socket closed: a join of a topic that is an object");
                return Err(Close(frame::CLOSE_ERROR));
            }
            Ok(inbound) => self.route(inbound, now),
            Err(Malformed(why)) => {
                self.shared.log(&format!("sync socket closed: malformed message: {why}"));
                return Err(Close(frame::CLOSE_ERROR));
            }
        }
        Ok(())
    }

    fn route(&mut self, message: Inbound, now: Instant) {
        let is_channel = message.topic == CHANNEL_TOPIC;
        let ok = Ok(json!({}));
        match message.event.as_str() {
            "heartbeat" if message.topic == "phoenix" => {
                self.out.reply(&Value::Null, &message.reference, "phoenix", &ok);
            }
            "phx_join" if is_channel => self.join(&message, now),
            event => match self.channel.as_mut().filter(|_| is_channel) {
                Some(channel) => channel.receive(message, now),
                None if event == "phx_leave" => {
                    self.out.reply(&message.join_ref, &message.reference, message.topic, &ok);
                }
                None => {
                    let unmatched = Err(json!({"reason": "unmatched topic"}));
                    self.out.reply(&Value::Null, &message.reference, message.topic, &unmatched);
                }
            },
        }
    }

    /// Joins, and replaces an older join: its pending requests are never answered, and its close is sent after the new
    /// join's reply.
    fn join(&mut self, message: &Inbound, now: Instant) {
        let old = self.channel.take();
        let answer = self.joined(message, now);
        self.out.reply(&message.join_ref, &message.reference, CHANNEL_TOPIC, &answer);
        if let Some(old) = old {
            self.out.channel_end(old.join_ref(), CHANNEL_TOPIC, End::Close.event());
        }
    }

    fn joined(&mut self, message: &Inbound, now: Instant) -> Result<Value, Value> {
        let params = match &message.payload {
            Payload::Json(Value::Object(params)) => params,
            _ => return Err(json!({"reason": "join crashed"})),
        };
        let config = &self.shared.config;
        let client = ClientInfo::new(params, &self.query);
        let refused = match config.compat.enforced && !config.defects.has(Defect::IgnoreCompat) {
            true => compat::check(&client, &config.compat, &config.defects).err(),
            false => None,
        };
        if let Some(refusal) = refused.clone().filter(|_| !config.defects.has(Defect::RefusedJoinSubscribes)) {
            return Err(refusal);
        }
        let subscription_id = match &self.principal.jti {
            Some(jti) => format!("sub_sync_jti:{jti}"),
            None => format!("sub_{}", self.shared.joins.fetch_add(1, Ordering::Relaxed) + 1),
        };
        let allowed_topics = self.shared.store.view().allowed_topics(self.principal.grants.as_deref());
        let response = json!({
            "subscription_id": subscription_id,
            "allowed_topics": allowed_topics,
            "current_watermarks": [],
        });
        let joined = Joined {
            shared: self.shared.clone(),
            mailbox: self.mailbox.clone(),
            join_ref: message.join_ref.clone(),
            reference: message.reference.clone(),
            subscription_id,
            grants: self.principal.grants.clone(),
            presence: Presence::new(self.shared.clone(), client.client, self.principal.jti.clone()),
        };
        self.channel = Some(Channel::new(joined, now));
        refused.map_or(Ok(response), Err)
    }

    pub(crate) fn work(&mut self, now: Instant) -> Result<(), Close> {
        if self.mailbox.is_revoked() && !self.shared.config.defects.has(Defect::AcceptRevoked) {
            if let Some(channel) = &self.channel
                && !self.shared.config.defects.has(Defect::RevokeUntold)
            {
                channel.push_revoked(&mut self.out);
            }
            return Err(Close(frame::CLOSE_ERROR));
        }
        let Some(channel) = &mut self.channel else {
            return Ok(());
        };
        let end = channel.tick(now, &mut self.out).or_else(|| channel.work(&mut self.out));
        if let Some(end) = end {
            self.out.channel_end(channel.join_ref(), CHANNEL_TOPIC, end.event());
            self.channel = None;
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.store.hub().close(&self.mailbox, self.principal.jti.as_deref());
    }
}
