//! Presence of sessions: who is there, in which state, and when it was seen last.

use crate::refusal::Refusal;

const STATES: [&str; 3] = ["online", "away", "offline"];

pub fn check_state(state: &str) -> Result<(), Refusal> {
    if STATES.contains(&state) {
        return Ok(());
    }
    Err(Refusal::BadArgument { argument: "state", message: "it is `online`, `away` or `offline`" })
}

/// A session never changes its client.
pub fn check_owner(existing_client: Option<&str>, client_id: &str) -> Result<(), Refusal> {
    match existing_client {
        Some(existing) if existing != client_id => Err(Refusal::PresenceConflict),
        _ => Ok(()),
    }
}

#[cfg(target_arch = "wasm32")]
pub mod db {
    use spacetimedb::{ReducerContext, Table, Timestamp, reducer, table};

    use super::{check_owner, check_state};
    use crate::grant::caller;
    use crate::once::db::Call;
    use crate::refusal::{Answer, Refusal, answer, check_name};

    /// One row per session.
    #[table(name = session_presence, public)]
    pub struct SessionPresence {
        #[primary_key]
        pub session_id: String,
        #[index(btree)]
        pub client_id: String,
        pub state: String,
        pub last_seen_at: Timestamp,
    }

    /// Sets the state of a session, which is created where it does not exist. Refusals: `bad_argument`,
    /// `forbidden_client`, `idempotency_conflict`, `presence_conflict`, checked in this order.
    #[reducer]
    fn upsert_presence(
        ctx: &ReducerContext,
        idempotency_key: String,
        session_id: String,
        client_id: String,
        state: String,
    ) -> Answer {
        answer(ctx, NewPresence { idempotency_key, session_id, client_id, state }, upsert)
    }

    pub struct NewPresence {
        pub idempotency_key: String,
        pub session_id: String,
        pub client_id: String,
        pub state: String,
    }

    impl NewPresence {
        pub fn call(&self) -> Call<'_> {
            Call { table: "session_presence", row: &self.session_id, idempotency_key: &self.idempotency_key }
        }
    }

    fn upsert(ctx: &ReducerContext, asked: NewPresence) -> Result<(), Refusal> {
        check_name("session_id", &asked.session_id)?;
        check_name("client_id", &asked.client_id)?;
        check_state(&asked.state)?;
        caller(ctx)?.check_client(&asked.client_id)?;
        if !asked.call().is_new(ctx, &[&asked.client_id, &asked.state])? {
            return Ok(());
        }
        let existing = ctx.db.session_presence().session_id().find(&asked.session_id);
        check_owner(existing.as_ref().map(|row| row.client_id.as_str()), &asked.client_id)?;
        let NewPresence { session_id, client_id, state, .. } = asked;
        let row = SessionPresence { session_id, client_id, state, last_seen_at: ctx.timestamp };
        if existing.is_some() {
            ctx.db.session_presence().session_id().update(row);
        } else {
            ctx.db.session_presence().insert(row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
