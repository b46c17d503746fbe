//! Defects of presence, capabilities, assignments and the outbox.

use spacetimedb::{ReducerContext, Table};

use super::{Armed, Around};
use crate::assignment::db::{ComputeAssignment, NewAssignment, Update, compute_assignment};
use crate::bridge::db::{BridgeOutbox, NewBridgeEvent, Sent, bridge_outbox};
use crate::capability::{NewCapability, call, provider_capability};
use crate::once::db::{Call, reducer_key};
use crate::presence::db::{NewPresence, SessionPresence, session_presence};
use crate::refusal::{Refusal, Rule};

fn was_used(ctx: &ReducerContext, call: &Call<'_>) -> bool {
    ctx.db.reducer_key().call_key().find(call.key()).is_some()
}

fn forget(ctx: &ReducerContext, call: &Call<'_>) {
    ctx.db.reducer_key().call_key().delete(call.key());
}

impl Around for NewPresence {
    fn around(self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        let rows = armed.ctx.db.session_presence();
        let existing = rows.session_id().find(&self.session_id);
        let is_late = was_used(armed.ctx, &self.call());
        if armed.has("presence-conflict-accepted") {
            forget(armed.ctx, &self.call());
        }
        if armed.has("presence-repeat-refused") && is_late {
            return Err(Refusal::KeyConflict);
        }
        if armed.has("session-changes-its-client") && existing.is_some_and(|row| row.client_id != self.client_id) {
            rows.session_id().delete(&self.session_id);
        }
        if armed.has("presence-of-all-sessions") {
            rows.iter().filter(|row| row.session_id != self.session_id).for_each(|mut row| {
                row.state.clone_from(&self.state);
                rows.session_id().update(row);
            });
        }
        let (session_id, state) = (self.session_id.clone(), self.state.clone());
        rule(armed.ctx, self)?;
        if armed.has("presence-goes-back")
            && is_late
            && let Some(row) = rows.session_id().find(&session_id)
        {
            rows.session_id().update(SessionPresence { state, ..row });
        }
        Ok(())
    }
}

impl Around for NewCapability {
    fn around(self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        let key = self.row_key();
        if armed.has("capability-conflict-accepted") {
            forget(armed.ctx, &call(&key, &self.idempotency_key));
        }
        if armed.has("capability-of-all-providers") {
            let rows = armed.ctx.db.provider_capability();
            rows.iter().filter(|row| row.capability == self.capability && row.capability_key != key).for_each(
                |mut row| {
                    row.descriptor.clone_from(&self.descriptor);
                    rows.capability_key().update(row);
                },
            );
        }
        rule(armed.ctx, self)
    }
}

impl Around for NewAssignment {
    fn around(self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        if armed.has("assignment-opened-again") {
            armed.ctx.db.compute_assignment().assignment_id().delete(&self.assignment_id);
        }
        let (assignment_id, request) = (self.assignment_id.clone(), self.request.clone());
        match rule(armed.ctx, self) {
            Err(Refusal::KeyConflict) if armed.has("assignment-conflict-accepted") => {
                set(armed, &assignment_id, |row| row.request = request);
                Ok(())
            }
            other => other,
        }
    }
}

impl Around for Update {
    fn around(self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        if armed.has("update-key-ignored") {
            forget(armed.ctx, &self.call());
        }
        let (assignment_id, provider_id, state) =
            (self.assignment_id.clone(), self.provider_id.clone(), self.state.clone());
        let outcome = rule(armed.ctx, self);
        let accepted = match &outcome {
            Err(Refusal::IllegalTransition { from, to }) => {
                let ended = matches!(from.as_str(), "completed" | "failed" | "cancelled");
                (armed.has("assignment-goes-on-after-its-end") && ended)
                    || (armed.has("assignment-skips-a-state") && from == "open" && to != "assigned")
                    || (armed.has("assignment-goes-back") && from == "running" && to == "assigned")
                    || (armed.has("assignment-taken-twice") && from == "assigned" && to == "assigned")
            }
            Err(Refusal::AssignmentConflict) => armed.has("assignment-changes-its-provider"),
            Err(Refusal::KeyConflict) => armed.has("update-conflict-accepted"),
            _ => false,
        };
        if !accepted {
            return outcome;
        }
        set(armed, &assignment_id, |row| (row.provider_id, row.state) = (provider_id, state));
        Ok(())
    }
}

fn set(armed: &Armed, assignment_id: &str, change: impl FnOnce(&mut ComputeAssignment)) {
    let rows = armed.ctx.db.compute_assignment();
    if let Some(mut row) = rows.assignment_id().find(assignment_id.to_owned()) {
        change(&mut row);
        rows.assignment_id().update(row);
    }
}

impl Around for NewBridgeEvent {
    fn around(mut self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        let rows = armed.ctx.db.bridge_outbox();
        let existing = rows.event_key().find(&self.event_key);
        if armed.has("outbox-hash-ignored") {
            self.given_hash.clear();
        }
        if armed.has("outbox-repeat-puts-it-back")
            && let Some(sent) = &existing
        {
            rows.event_key().update(BridgeOutbox { relay_event_id: String::new(), ..clone_of(sent) });
        }
        if armed.has("outbox-conflict-accepted") && existing.as_ref().is_some_and(|row| row.payload != self.payload) {
            rows.event_key().delete(&self.event_key);
        }
        if armed.has("outbox-takes-a-repeat") && existing.is_some() {
            self.event_key.push('\'');
        }
        rule(armed.ctx, self)
    }
}

/// An append is refused while more events wait than this.
const MOST_WAITING: usize = 2;

pub fn wait_for_the_outbox(armed: &Armed) -> Result<(), Refusal> {
    let waiting = || armed.ctx.db.bridge_outbox().iter().filter(|row| row.relay_event_id.is_empty()).count();
    if armed.has("append-waits-for-the-outbox") && waiting() > MOST_WAITING {
        return Err(Refusal::BadArgument { argument: "outbox", message: "is full" });
    }
    Ok(())
}

fn clone_of(row: &BridgeOutbox) -> BridgeOutbox {
    BridgeOutbox {
        event_key: row.event_key.clone(),
        position: row.position,
        stream_id: row.stream_id.clone(),
        payload: row.payload.clone(),
        payload_hash: row.payload_hash.clone(),
        enqueued_at: row.enqueued_at,
        relay_event_id: row.relay_event_id.clone(),
    }
}

impl Around for Sent {
    fn around(self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        if armed.has("outbox-sent-twice")
            && let Some(row) = armed.ctx.db.bridge_outbox().event_key().find(&self.event_key)
        {
            armed.ctx.db.bridge_outbox().event_key().update(BridgeOutbox { relay_event_id: String::new(), ..row });
        }
        let unknown = armed.ctx.db.bridge_outbox().event_key().find(&self.event_key).is_none();
        if armed.has("outbox-sends-what-is-unknown") && unknown || armed.has("outbox-loses-marks") {
            return Ok(());
        }
        rule(armed.ctx, self)
    }
}
