//! Grants: which streams a lease may read and write, and the rows that a client sees.
//!
//! A subscription joins the table of read grants, so that table is public. A grant ends by the deletion of its row: the
//! rows that a subscriber then may no longer see go with it.

use spacetimedb::{Filter, Identity, ReducerContext, Table, client_visibility_filter, reducer, table};

use crate::key::pair_key;
use crate::lease::db::{AccessLease, claims, identity_of, lease_of, may_get_grants, terms};
use crate::owner::{check_owner, is_owner};
use crate::refusal::{Answer, Denial, Refusal, answer, check_name};

/// One row per lease and stream that it may read.
#[table(name = read_grant, public)]
pub struct ReadGrant {
    /// The identity and the stream, joined.
    #[primary_key]
    pub grant_key: String,
    #[index(btree)]
    pub identity: Identity,
    #[index(btree)]
    pub stream_id: String,
}

/// One row per lease and stream that it may write.
#[table(name = write_grant)]
pub struct WriteGrant {
    /// The identity and the stream, joined.
    #[primary_key]
    pub grant_key: String,
    #[index(btree)]
    pub identity: Identity,
    pub stream_id: String,
}

#[client_visibility_filter]
const EVENTS: Filter = Filter::Sql(
    "SELECT sync_event.* FROM sync_event JOIN read_grant ON sync_event.stream_id = read_grant.stream_id \
     WHERE read_grant.identity = :sender",
);

#[client_visibility_filter]
const STREAMS: Filter = Filter::Sql(
    "SELECT sync_stream.* FROM sync_stream JOIN read_grant ON sync_stream.stream_id = read_grant.stream_id \
     WHERE read_grant.identity = :sender",
);

#[client_visibility_filter]
const CHECKPOINTS: Filter = Filter::Sql(
    "SELECT sync_checkpoint.* FROM sync_checkpoint JOIN read_grant ON sync_checkpoint.stream_id = read_grant.stream_id \
     WHERE read_grant.identity = :sender",
);

/// Grants a lease the right to `read` or `write` a stream. Only the owner may.
#[reducer]
fn put_grant(ctx: &ReducerContext, identity: String, stream_id: String, right: String) -> Answer {
    answer(ctx, NewGrant { identity: identity_of(&identity), stream_id, right }, put)
}

/// Withdraws such a right. Withdrawing what is not there changes nothing. Only the owner may.
#[reducer]
fn withdraw_grant(ctx: &ReducerContext, identity: String, stream_id: String, right: String) -> Answer {
    answer(ctx, Withdrawal { identity: identity_of(&identity), stream_id, right }, withdraw)
}

pub struct NewGrant {
    pub identity: Result<Identity, Refusal>,
    pub stream_id: String,
    pub right: String,
}

pub struct Withdrawal {
    pub identity: Result<Identity, Refusal>,
    pub stream_id: String,
    pub right: String,
}

#[derive(Clone, Copy)]
pub enum Right {
    Read,
    Write,
}

impl Right {
    fn of(word: &str) -> Result<Right, Refusal> {
        match word {
            "read" => Ok(Right::Read),
            "write" => Ok(Right::Write),
            _ => Err(Refusal::BadArgument { argument: "right", message: "it is `read` or `write`" }),
        }
    }
}

fn put(ctx: &ReducerContext, NewGrant { identity, stream_id, right }: NewGrant) -> Result<(), Refusal> {
    check_owner(ctx)?;
    let (identity, right) = (identity?, Right::of(&right)?);
    check_name("stream_id", &stream_id)?;
    let lease = lease_of(ctx, identity).ok_or(Refusal::UnknownLease)?;
    if !may_get_grants(ctx, &lease) {
        return Err(Refusal::Denied(Denial::InvalidToken));
    }
    insert(ctx, identity, stream_id, right);
    Ok(())
}

fn withdraw(ctx: &ReducerContext, Withdrawal { identity, stream_id, right }: Withdrawal) -> Result<(), Refusal> {
    check_owner(ctx)?;
    let grant_key = grant_key(identity?, &stream_id);
    match Right::of(&right)? {
        Right::Read => ctx.db.read_grant().grant_key().delete(grant_key),
        Right::Write => ctx.db.write_grant().grant_key().delete(grant_key),
    };
    Ok(())
}

fn grant_key(identity: Identity, stream_id: &str) -> String {
    pair_key(&identity.to_hex(), stream_id)
}

pub fn insert(ctx: &ReducerContext, identity: Identity, stream_id: String, right: Right) {
    let grant_key = grant_key(identity, &stream_id);
    match right {
        Right::Read if ctx.db.read_grant().grant_key().find(&grant_key).is_none() => {
            ctx.db.read_grant().insert(ReadGrant { grant_key, identity, stream_id });
        }
        Right::Write if ctx.db.write_grant().grant_key().find(&grant_key).is_none() => {
            ctx.db.write_grant().insert(WriteGrant { grant_key, identity, stream_id });
        }
        _ => {}
    }
}

/// Puts the grants that a lease was minted with.
pub fn put_grants(ctx: &ReducerContext, lease: &AccessLease) -> Result<(), Refusal> {
    for (streams, right) in [(&lease.reads, Right::Read), (&lease.writes, Right::Write)] {
        for stream_id in streams {
            check_name("stream_id", stream_id)?;
            if may_get_grants(ctx, lease) {
                insert(ctx, lease.identity, stream_id.clone(), right);
            }
        }
    }
    Ok(())
}

pub fn end_grants(ctx: &ReducerContext, identity: Identity) {
    ctx.db.read_grant().identity().delete(identity);
    ctx.db.write_grant().identity().delete(identity);
}

/// Who calls a reducer.
pub enum Caller {
    /// The owner, or anyone while access is open.
    Free,
    Leased(AccessLease),
}

/// Finds out who calls. A lease that was revoked, or whose key was retired, ends the calls of open connections, too.
pub fn caller(ctx: &ReducerContext) -> Result<Caller, Refusal> {
    if terms(ctx).is_none() || is_owner(ctx) {
        return Ok(Caller::Free);
    }
    let lease = lease_of(ctx, ctx.sender).ok_or(Refusal::Denied(Denial::MissingAuthorization))?;
    let claims = claims(ctx, &lease);
    if claims.is_key_retired {
        return Err(Refusal::Denied(Denial::InvalidToken));
    }
    if claims.is_revoked {
        return Err(Refusal::Denied(Denial::TokenRevoked));
    }
    Ok(Caller::Leased(lease))
}

impl Caller {
    pub fn check_free(&self) -> Result<(), Refusal> {
        match self {
            Self::Free => Ok(()),
            Self::Leased(_) => Err(Refusal::NotTheOwner),
        }
    }

    pub fn check_client(&self, client_id: &str) -> Result<(), Refusal> {
        match self {
            Self::Leased(lease) if lease.client_id != client_id => Err(Refusal::ForbiddenClient),
            _ => Ok(()),
        }
    }

    pub fn may_read(&self, ctx: &ReducerContext, stream_id: &str) -> bool {
        let Self::Leased(lease) = self else { return true };
        ctx.db.read_grant().grant_key().find(grant_key(lease.identity, stream_id)).is_some()
    }

    pub fn may_write(&self, ctx: &ReducerContext, stream_id: &str) -> bool {
        let Self::Leased(lease) = self else { return true };
        ctx.db.write_grant().grant_key().find(grant_key(lease.identity, stream_id)).is_some()
    }
}
