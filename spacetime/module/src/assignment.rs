//! Compute assignments: a request, who takes it, and how far it is. The rule of transitions, the table, its reducers.

use crate::refusal::Refusal;

/// Each state with those that may follow it.
const STATES: [(&str, &[&str]); 6] = [
    (OPEN, &[ASSIGNED, CANCELLED]),
    (ASSIGNED, &["running", CANCELLED]),
    ("running", &["completed", "failed", CANCELLED]),
    ("completed", &[]),
    ("failed", &[]),
    (CANCELLED, &[]),
];

pub const OPEN: &str = "open";
const ASSIGNED: &str = "assigned";
const CANCELLED: &str = "cancelled";

/// An assignment, as far as an update depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing<'a> {
    pub state: &'a str,
    pub requester_id: &'a str,
    /// Blank until it is assigned.
    pub provider_id: &'a str,
}

pub fn check_state(state: &str) -> Result<(), Refusal> {
    match STATES.iter().any(|(known, _)| *known == state) {
        true => Ok(()),
        false => Err(Refusal::BadArgument { argument: "state", message: "it is no state of an assignment" }),
    }
}

/// The client that may take an assignment to a state.
pub fn may_update<'a>(standing: &Standing<'a>, state: &str, provider_id: &'a str) -> &'a str {
    match state {
        CANCELLED => standing.requester_id,
        ASSIGNED => provider_id,
        _ => standing.provider_id,
    }
}

/// Refuses a state that may not follow, and another provider than the one that took the assignment.
pub fn check_update(standing: &Standing<'_>, state: &str, provider_id: &str) -> Result<(), Refusal> {
    let following = STATES.iter().find(|(from, _)| *from == standing.state).map_or(&[][..], |(_, following)| following);
    if !following.contains(&state) {
        return Err(Refusal::IllegalTransition { from: standing.state.to_owned(), to: state.to_owned() });
    }
    match state {
        ASSIGNED if provider_id.trim().is_empty() => {
            Err(Refusal::BadArgument { argument: "provider_id", message: "it is blank" })
        }
        ASSIGNED => Ok(()),
        _ if provider_id != standing.provider_id => Err(Refusal::AssignmentConflict),
        _ => Ok(()),
    }
}

#[cfg(target_arch = "wasm32")]
pub mod db {
    use spacetimedb::{ReducerContext, Table, Timestamp, reducer, table};

    use super::{OPEN, Standing, check_state, check_update, may_update};
    use crate::canonical::payload_hash;
    use crate::grant::caller;
    use crate::once::db::Call;
    use crate::refusal::{Answer, Refusal, answer, check_name};

    /// One row per assignment.
    #[table(name = compute_assignment, public)]
    pub struct ComputeAssignment {
        #[primary_key]
        pub assignment_id: String,
        pub requester_id: String,
        /// The requester's JSON text as it came.
        pub request: String,
        pub request_hash: String,
        /// Blank until a provider takes it.
        pub provider_id: String,
        pub state: String,
        pub opened_at: Timestamp,
        pub updated_at: Timestamp,
    }

    /// Opens an assignment. Its id is its key: the same again changes nothing, other content is an
    /// `idempotency_conflict`. Refusals before that: `bad_argument`, `forbidden_client`, `invalid_payload`.
    #[reducer]
    fn open_compute_assignment(
        ctx: &ReducerContext,
        assignment_id: String,
        requester_id: String,
        request: String,
    ) -> Answer {
        answer(ctx, NewAssignment { assignment_id, requester_id, request }, open)
    }

    /// Takes an assignment to its next state. A provider takes it and goes on with it, the requester cancels it.
    /// Refusals: `bad_argument`, `unknown_assignment`, `forbidden_client`, `idempotency_conflict`,
    /// `illegal_transition`, `assignment_conflict`, checked in this order.
    #[reducer]
    fn update_compute_assignment(
        ctx: &ReducerContext,
        idempotency_key: String,
        assignment_id: String,
        provider_id: String,
        state: String,
    ) -> Answer {
        answer(ctx, Update { idempotency_key, assignment_id, provider_id, state }, update)
    }

    pub struct NewAssignment {
        pub assignment_id: String,
        pub requester_id: String,
        pub request: String,
    }

    pub struct Update {
        pub idempotency_key: String,
        pub assignment_id: String,
        pub provider_id: String,
        pub state: String,
    }

    impl Update {
        pub fn call(&self) -> Call<'_> {
            Call { table: "compute_assignment", row: &self.assignment_id, idempotency_key: &self.idempotency_key }
        }
    }

    fn open(ctx: &ReducerContext, asked: NewAssignment) -> Result<(), Refusal> {
        let NewAssignment { assignment_id, requester_id, request } = asked;
        check_name("assignment_id", &assignment_id)?;
        check_name("requester_id", &requester_id)?;
        caller(ctx)?.check_client(&requester_id)?;
        let request_hash = payload_hash(&request).map_err(Refusal::InvalidPayload)?;
        if let Some(existing) = ctx.db.compute_assignment().assignment_id().find(&assignment_id) {
            let same = existing.requester_id == requester_id && existing.request_hash == request_hash;
            return if same { Ok(()) } else { Err(Refusal::KeyConflict) };
        }
        let (opened_at, updated_at) = (ctx.timestamp, ctx.timestamp);
        let (provider_id, state) = (String::new(), OPEN.to_owned());
        ctx.db.compute_assignment().insert(ComputeAssignment {
            assignment_id,
            requester_id,
            request,
            request_hash,
            provider_id,
            state,
            opened_at,
            updated_at,
        });
        Ok(())
    }

    fn update(ctx: &ReducerContext, asked: Update) -> Result<(), Refusal> {
        check_state(&asked.state)?;
        let existing = ctx.db.compute_assignment().assignment_id().find(&asked.assignment_id);
        let existing = existing.ok_or(Refusal::UnknownAssignment)?;
        let standing = Standing {
            state: &existing.state,
            requester_id: &existing.requester_id,
            provider_id: &existing.provider_id,
        };
        caller(ctx)?.check_client(may_update(&standing, &asked.state, &asked.provider_id))?;
        if !asked.call().is_new(ctx, &[&asked.provider_id, &asked.state])? {
            return Ok(());
        }
        check_update(&standing, &asked.state, &asked.provider_id)?;
        let Update { provider_id, state, .. } = asked;
        let updated_at = ctx.timestamp;
        let row = ComputeAssignment { provider_id, state, updated_at, ..existing };
        ctx.db.compute_assignment().assignment_id().update(row);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
