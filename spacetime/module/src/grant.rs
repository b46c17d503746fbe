//! Grants: which streams a lease may read and write, and the rows that a client sees.
//!
//! A subscription joins the table of read grants, so that table is public. A grant ends by the deletion of its row: the
//! rows that a subscriber then may no longer see go with it.

use spacetimedb::{Filter, Identity, ReducerContext, Table, client_visibility_filter, reducer, table};

use crate::key::pair_key;
use crate::lease::db::{AccessLease, claims, identity_of, lease_of, may_get_grants, terms};
use crate::owner::{check_owner, is_owner};
use crate::refusal::{Answer, Denial, Refusal, answer, check_name};

/// One row per lease, stream and right.
#[table(name = access_grant)]
pub struct AccessGrant {
    /// The identity, the right and the stream, joined.
    #[primary_key]
    pub grant_key: String,
    #[index(btree)]
    pub identity: Identity,
    pub stream_id: String,
    pub right: String,
}

/// What the filters join: the rights to read while access is enforced, and a row per stream for everyone while it is
/// open. A client that had both would see each row twice.
#[table(name = read_grant, public)]
pub struct ReadGrant {
    /// The identity and the stream, joined.
    #[primary_key]
    pub grant_key: String,
    #[index(btree)]
    pub identity: Identity,
    #[index(btree)]
    pub stream_id: String,
    pub everyone: bool,
}

// Without the `OR`, 1.2.0 begins the join at the identity, and then refuses a `WHERE` of the client's own.
#[client_visibility_filter]
const EVENTS: Filter = Filter::Sql(
    "SELECT sync_event.* FROM sync_event JOIN read_grant ON sync_event.stream_id = read_grant.stream_id \
     WHERE read_grant.identity = :sender OR read_grant.everyone = true",
);

#[client_visibility_filter]
const STREAMS: Filter = Filter::Sql(
    "SELECT sync_stream.* FROM sync_stream JOIN read_grant ON sync_stream.stream_id = read_grant.stream_id \
     WHERE read_grant.identity = :sender OR read_grant.everyone = true",
);

#[client_visibility_filter]
const CHECKPOINTS: Filter = Filter::Sql(
    "SELECT sync_checkpoint.* FROM sync_checkpoint \
     JOIN read_grant ON sync_checkpoint.stream_id = read_grant.stream_id \
     WHERE read_grant.identity = :sender OR read_grant.everyone = true",
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

#[derive(Clone, Copy, PartialEq)]
pub enum Right {
    Read,
    Write,
}

impl Right {
    fn of(word: &str) -> Result<Right, Refusal> {
        [Right::Read, Right::Write]
            .into_iter()
            .find(|right| right.word() == word)
            .ok_or(Refusal::BadArgument { argument: "right", message: "it is `read` or `write`" })
    }

    pub fn word(self) -> &'static str {
        match self {
            Right::Read => "read",
            Right::Write => "write",
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
    let identity = identity?;
    ctx.db.access_grant().grant_key().delete(grant_key(identity, &stream_id, Right::of(&right)?));
    if right == Right::Read.word() {
        ctx.db.read_grant().grant_key().delete(read_key(identity, &stream_id));
    }
    Ok(())
}

fn grant_key(identity: Identity, stream_id: &str, right: Right) -> String {
    pair_key(right.word(), &read_key(identity, stream_id))
}

fn read_key(identity: Identity, stream_id: &str) -> String {
    pair_key(&identity.to_hex(), stream_id)
}

pub fn insert(ctx: &ReducerContext, identity: Identity, stream_id: String, right: Right) {
    let grant_key = grant_key(identity, &stream_id, right);
    if ctx.db.access_grant().grant_key().find(&grant_key).is_some() {
        return;
    }
    if right == Right::Read && terms(ctx).is_some() {
        show(ctx, identity, &stream_id);
    }
    ctx.db.access_grant().insert(AccessGrant { grant_key, identity, stream_id, right: right.word().to_owned() });
}

/// Shows a stream to an identity, or to everyone.
fn show(ctx: &ReducerContext, identity: Identity, stream_id: &str) {
    let (grant_key, everyone) = (read_key(identity, stream_id), identity == EVERYONE);
    if ctx.db.read_grant().grant_key().find(&grant_key).is_none() {
        ctx.db.read_grant().insert(ReadGrant { grant_key, identity, stream_id: stream_id.to_owned(), everyone });
    }
}

/// The identity of no one, for what everyone may read.
const EVERYONE: Identity = Identity::ZERO;

/// Lets everyone read a stream while access is open.
pub fn open_stream(ctx: &ReducerContext, stream_id: &str) {
    if terms(ctx).is_none() {
        show(ctx, EVERYONE, stream_id);
    }
}

/// Shows these streams, which are all, to everyone, or each to those who may read it, as access now is.
pub fn show_all(ctx: &ReducerContext, streams: impl Iterator<Item = String>) {
    ctx.db.read_grant().iter().for_each(|row| _ = ctx.db.read_grant().grant_key().delete(row.grant_key));
    if terms(ctx).is_none() {
        streams.for_each(|stream_id| show(ctx, EVERYONE, &stream_id));
    } else {
        let reads = ctx.db.access_grant().iter().filter(|grant| grant.right == Right::Read.word());
        reads.for_each(|grant| show(ctx, grant.identity, &grant.stream_id));
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
    ctx.db.access_grant().identity().delete(identity);
    ctx.db.read_grant().identity().delete(identity);
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
        self.may(ctx, stream_id, Right::Read)
    }

    pub fn may_write(&self, ctx: &ReducerContext, stream_id: &str) -> bool {
        self.may(ctx, stream_id, Right::Write)
    }

    fn may(&self, ctx: &ReducerContext, stream_id: &str, right: Right) -> bool {
        let Self::Leased(lease) = self else { return true };
        ctx.db.access_grant().grant_key().find(grant_key(lease.identity, stream_id, right)).is_some()
    }
}
