//! Whether access is enforced, or the database open to everyone.

use spacetimedb::{ReducerContext, Table, reducer};

use crate::grant::show_all;
use crate::lease::Terms;
use crate::lease::db::{AccessTerms, access_terms};
use crate::owner::check_owner;
use crate::refusal::{Answer, Refusal, answer};
use crate::stream::db::sync_stream;

/// Enforces leases and grants, or opens the database to all. Only the owner may.
#[reducer]
fn set_access(ctx: &ReducerContext, enforced: bool, audience: String, leeway_ms: i64, max_age_ms: i64) -> Answer {
    let terms = enforced.then_some(Terms { audience, leeway_ms, max_age_ms });
    answer(ctx, NewAccess { terms }, set)
}

pub struct NewAccess {
    pub terms: Option<Terms>,
}

fn set(ctx: &ReducerContext, NewAccess { terms }: NewAccess) -> Result<(), Refusal> {
    check_owner(ctx)?;
    ctx.db.access_terms().id().delete(0);
    if let Some(Terms { audience, leeway_ms, max_age_ms }) = terms {
        ctx.db.access_terms().insert(AccessTerms { id: 0, audience, leeway_ms, max_age_ms });
    }
    show_all(ctx, ctx.db.sync_stream().iter().map(|stream| stream.stream_id));
    Ok(())
}
