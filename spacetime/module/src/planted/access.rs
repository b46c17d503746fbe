//! Defects of leases, grants and the window.

use spacetimedb::{Identity, Table};

use super::{Armed, Around};
use crate::access::NewAccess;
use crate::checkpoint::db::NewCheckpoint;
use crate::grant::{NewGrant, Right, Withdrawal, access_grant, insert, put_grants};
use crate::lease::db::{AccessLease, NewLease, Retirement, Revocation, access_lease, lease_of, terms};
use crate::refusal::{Refusal, Rule};
use crate::stream::db::sync_stream;
use crate::window::Client;
use crate::window::db::{NewWindow, window};

const LEEWAY_MS: i64 = 30_000;

impl Around for NewAccess {}
impl Around for NewWindow {}
impl Around for NewGrant {}

impl Around for NewLease {
    fn around(mut self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        if let Ok(lease) = &mut self.lease {
            let audience = terms(armed.ctx).map_or(lease.audience.clone(), |terms| terms.audience);
            let wide = if armed.has("leeway-twice-as-wide") { LEEWAY_MS } else { 0 };
            let narrow = if armed.has("no-leeway") { LEEWAY_MS } else { 0 };
            (lease.expires_at_ms, lease.not_before_ms) =
                (lease.expires_at_ms + wide - narrow, lease.not_before_ms - wide + narrow);
            if armed.has("expiry-ignored") {
                lease.expires_at_ms = i64::MAX;
            }
            if armed.has("not-before-ignored") {
                lease.not_before_ms = 0;
            }
            if armed.has("age-ignored") {
                lease.issued_at_ms = i64::MAX;
            }
            if armed.has("audience-ignored") {
                lease.audience = audience;
            }
            if armed.has("token-id-ignored") && lease.token_id.is_empty() {
                lease.token_id = "any".to_owned();
            }
        }
        rule(armed.ctx, self)
    }
}

impl Around for Revocation {
    fn around(self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        if armed.has("revocation-ignored") {
            return Ok(());
        }
        let lease = self.identity.clone().ok().and_then(|identity| lease_of(armed.ctx, identity));
        rule(armed.ctx, self)?;
        match lease.filter(|_| armed.has("revocation-leaves-grants")) {
            Some(lease) => put_grants(armed.ctx, &lease),
            None => Ok(()),
        }
    }
}

impl Around for Retirement {
    fn around(self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        if armed.has("retired-key-accepted") { Ok(()) } else { rule(armed.ctx, self) }
    }
}

impl Around for Withdrawal {
    fn around(self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        if armed.has("withdrawal-ignored") { Ok(()) } else { rule(armed.ctx, self) }
    }
}

impl Around for Client {
    fn around(mut self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
        let Some(window) = window(armed.ctx).filter(|_| !armed.has("window-ignored")) else {
            return Ok(());
        };
        let max = window.max_client_build_id.as_ref();
        if armed.has("least-build-refused") && self.client_build_id == window.min_client_build_id {
            self.client_build_id.insert(0, ' ');
        }
        if armed.has("greatest-build-refused") && max == Some(&self.client_build_id) {
            self.client_build_id.push(' ');
        }
        if armed.has("greatest-schema-refused") && self.schema_version == window.max_schema_version {
            self.schema_version += 1;
        }
        let is_served = |schema| (window.min_schema_version..=window.max_schema_version).contains(&schema);
        if armed.has("schema-before-protocol") && !is_served(self.schema_version) {
            self.protocol_version.clone_from(&window.protocol_version);
        }
        let mut outcome = rule(armed.ctx, self);
        if let Err(Refusal::Incompatible { window, .. }) = &mut outcome
            && armed.has("window-without-its-greatest-build")
        {
            window.max_client_build_id = None;
        }
        outcome
    }
}

/// Lets a caller do for a moment what it has no right to. Returns the rows to take back.
pub fn before(armed: &Armed) -> Vec<Identity> {
    let (ctx, caller) = (armed.ctx, armed.ctx.sender);
    if lease_of(ctx, caller).is_none() || grants(armed, Right::Write).iter().any(|(identity, _)| *identity == caller) {
        return Vec::new();
    }
    let streams: Vec<String> = match () {
        () if armed.has("every-lease-writes") => ctx.db.sync_stream().iter().map(|row| row.stream_id).collect(),
        () if armed.has("reader-writes") => {
            let reads = grants(armed, Right::Read).into_iter().filter(|(identity, _)| *identity == caller);
            reads.map(|(_, stream_id)| stream_id).collect()
        }
        () => return Vec::new(),
    };
    streams.into_iter().for_each(|stream_id| insert(ctx, caller, stream_id, Right::Write));
    vec![caller]
}

/// Takes the rows back, and grants what no one granted.
pub fn after(armed: &Armed, lent: Vec<Identity>) {
    let ctx = armed.ctx;
    for caller in lent {
        let rows = ctx.db.access_grant().identity().filter(caller).filter(|grant| grant.right == Right::Write.word());
        rows.for_each(|grant| _ = ctx.db.access_grant().grant_key().delete(grant.grant_key));
    }
    let (by_prefix, all) = (armed.has("grant-by-prefix"), armed.has("granted-all-streams"));
    if !by_prefix && !all {
        return;
    }
    let stem = |stream_id: &str| stream_id.rsplit_once('.').map_or(stream_id.to_owned(), |(stem, _)| stem.to_owned());
    let granted = grants(armed, Right::Read).into_iter().map(|(identity, stream_id)| (identity, stem(&stream_id)));
    let granted: Vec<(Identity, String)> = granted.collect();
    for stream in ctx.db.sync_stream().iter() {
        for (identity, _) in granted.iter().filter(|(_, stem)| all || stream.stream_id.starts_with(stem)) {
            insert(ctx, *identity, stream.stream_id.clone(), Right::Read);
        }
    }
}

fn grants(armed: &Armed, right: Right) -> Vec<(Identity, String)> {
    let rows = armed.ctx.db.access_grant().iter().filter(|grant| grant.right == right.word());
    rows.map(|grant| (grant.identity, grant.stream_id)).collect()
}

/// Acknowledges a checkpoint. With the defect, the caller has the other client's name for a moment.
pub fn as_another(armed: &Armed, asked: NewCheckpoint, rule: Rule<NewCheckpoint>) -> Result<(), Refusal> {
    let leases = armed.ctx.db.access_lease();
    let Some(lease) = lease_of(armed.ctx, armed.ctx.sender).filter(|_| armed.has("checkpoint-of-another-client"))
    else {
        return rule(armed.ctx, asked);
    };
    let own = lease.clone();
    leases.identity().update(AccessLease { client_id: asked.client_id.clone(), ..lease });
    rule(armed.ctx, asked)?;
    leases.identity().update(own);
    Ok(())
}
