//! Leases: what the server does not check of a token. The service that mints a token puts a lease for its identity.
//!
//! While access is open, no lease is asked for. While it is enforced, a connection needs one; only the owner does not.

use crate::refusal::{Denial, Refusal};

/// What a token must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    pub audience: String,
    /// How far the clocks may differ.
    pub leeway_ms: i64,
    pub max_age_ms: i64,
}

/// What a token says, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub audience: String,
    /// Blank where the token has none.
    pub token_id: String,
    pub issued_at_ms: i64,
    pub not_before_ms: i64,
    pub expires_at_ms: i64,
    pub is_key_retired: bool,
    pub is_revoked: bool,
}

/// Judges a token at a connect. Times count there and nowhere else: a connection may outlive its token.
pub fn judge(claims: &Claims, terms: &Terms, now_ms: i64) -> Result<(), Refusal> {
    let denial = if now_ms > claims.expires_at_ms.saturating_add(terms.leeway_ms) {
        Denial::TokenExpired
    } else if now_ms < claims.not_before_ms.saturating_sub(terms.leeway_ms) {
        Denial::TokenNotYetValid
    } else if is_invalid(claims, terms) {
        Denial::InvalidToken
    } else if now_ms.saturating_sub(claims.issued_at_ms) > terms.max_age_ms {
        Denial::TokenTooOld
    } else if claims.token_id.is_empty() {
        Denial::MissingTokenId
    } else if claims.is_revoked {
        Denial::TokenRevoked
    } else {
        return Ok(());
    };
    Err(Refusal::Denied(denial))
}

/// Whether no time will make the token good. It then gets no grants, because a query needs no connect on each server.
pub fn is_never_good(claims: &Claims, terms: &Terms) -> bool {
    is_invalid(claims, terms) || claims.token_id.is_empty() || claims.is_revoked
}

fn is_invalid(claims: &Claims, terms: &Terms) -> bool {
    claims.audience != terms.audience || claims.is_key_retired
}

#[cfg(target_arch = "wasm32")]
pub mod db {
    use spacetimedb::{Identity, ReducerContext, Table, reducer, table};

    use super::{Claims, Terms, is_never_good, judge};
    use crate::grant::{end_grants, put_grants};
    use crate::owner::{check_owner, is_owner};
    use crate::refusal::{Answer, Denial, Refusal, answer, check_name};

    /// What the owner asks of tokens. Access is open without its one row.
    #[table(name = access_terms)]
    pub struct AccessTerms {
        /// Always 0.
        #[primary_key]
        pub id: u8,
        pub audience: String,
        pub leeway_ms: i64,
        pub max_age_ms: i64,
    }

    /// One row per token.
    #[table(name = access_lease)]
    #[derive(Clone, PartialEq)]
    pub struct AccessLease {
        #[primary_key]
        pub identity: Identity,
        /// Whose checkpoints and sessions it may write.
        pub client_id: String,
        pub token_id: String,
        #[index(btree)]
        pub key_id: String,
        pub audience: String,
        pub issued_at_ms: i64,
        pub not_before_ms: i64,
        pub expires_at_ms: i64,
        /// The streams that it was minted for. What counts now is in the tables of grants.
        pub reads: Vec<String>,
        pub writes: Vec<String>,
        pub revoked: bool,
    }

    /// The signing keys whose tokens count no longer.
    #[table(name = retired_key)]
    pub struct RetiredKey {
        #[primary_key]
        pub key_id: String,
    }

    /// Puts the lease of a token, with its grants. The same again changes nothing, other content is a
    /// `lease_conflict`. Only the owner may.
    #[reducer]
    fn put_lease(
        ctx: &ReducerContext,
        identity: String,
        client_id: String,
        token_id: String,
        key_id: String,
        audience: String,
        issued_at_ms: i64,
        not_before_ms: i64,
        expires_at_ms: i64,
        reads: Vec<String>,
        writes: Vec<String>,
    ) -> Answer {
        let lease = identity_of(&identity).map(|identity| AccessLease {
            identity,
            client_id,
            token_id,
            key_id,
            audience,
            issued_at_ms,
            not_before_ms,
            expires_at_ms,
            reads,
            writes,
            revoked: false,
        });
        answer(ctx, NewLease { lease }, put)
    }

    /// Ends a lease and its grants. Only the owner may.
    #[reducer]
    fn revoke_lease(ctx: &ReducerContext, identity: String) -> Answer {
        answer(ctx, Revocation { identity: identity_of(&identity) }, revoke)
    }

    /// Ends every lease of a signing key, those to come included. Only the owner may.
    #[reducer]
    fn retire_key(ctx: &ReducerContext, key_id: String) -> Answer {
        answer(ctx, Retirement { key_id }, retire)
    }

    pub struct NewLease {
        pub lease: Result<AccessLease, Refusal>,
    }

    pub struct Revocation {
        pub identity: Result<Identity, Refusal>,
    }

    pub struct Retirement {
        pub key_id: String,
    }

    pub fn identity_of(hex: &str) -> Result<Identity, Refusal> {
        Identity::from_hex(hex)
            .map_err(|_| Refusal::BadArgument { argument: "identity", message: "it is not 64 hex digits" })
    }

    fn put(ctx: &ReducerContext, NewLease { lease }: NewLease) -> Result<(), Refusal> {
        check_owner(ctx)?;
        let lease = lease?;
        check_name("client_id", &lease.client_id)?;
        check_name("key_id", &lease.key_id)?;
        if let Some(existing) = ctx.db.access_lease().identity().find(lease.identity) {
            let same = existing == AccessLease { revoked: existing.revoked, ..lease };
            return if same { Ok(()) } else { Err(Refusal::LeaseConflict) };
        }
        let lease = ctx.db.access_lease().insert(lease);
        put_grants(ctx, &lease)
    }

    fn revoke(ctx: &ReducerContext, Revocation { identity }: Revocation) -> Result<(), Refusal> {
        check_owner(ctx)?;
        let lease = lease_of(ctx, identity?).ok_or(Refusal::UnknownLease)?;
        end_grants(ctx, lease.identity);
        ctx.db.access_lease().identity().update(AccessLease { revoked: true, ..lease });
        Ok(())
    }

    fn retire(ctx: &ReducerContext, Retirement { key_id }: Retirement) -> Result<(), Refusal> {
        check_owner(ctx)?;
        check_name("key_id", &key_id)?;
        for lease in ctx.db.access_lease().key_id().filter(&key_id) {
            end_grants(ctx, lease.identity);
        }
        if ctx.db.retired_key().key_id().find(&key_id).is_none() {
            ctx.db.retired_key().insert(RetiredKey { key_id });
        }
        Ok(())
    }

    pub fn lease_of(ctx: &ReducerContext, identity: Identity) -> Option<AccessLease> {
        ctx.db.access_lease().identity().find(identity)
    }

    pub fn terms(ctx: &ReducerContext) -> Option<Terms> {
        let AccessTerms { audience, leeway_ms, max_age_ms, .. } = ctx.db.access_terms().id().find(0)?;
        Some(Terms { audience, leeway_ms, max_age_ms })
    }

    pub fn claims(ctx: &ReducerContext, lease: &AccessLease) -> Claims {
        Claims {
            audience: lease.audience.clone(),
            token_id: lease.token_id.clone(),
            issued_at_ms: lease.issued_at_ms,
            not_before_ms: lease.not_before_ms,
            expires_at_ms: lease.expires_at_ms,
            is_key_retired: ctx.db.retired_key().key_id().find(&lease.key_id).is_some(),
            is_revoked: lease.revoked,
        }
    }

    /// Whether a lease gets grants.
    pub fn may_get_grants(ctx: &ReducerContext, lease: &AccessLease) -> bool {
        terms(ctx).is_none_or(|terms| !is_never_good(&claims(ctx, lease), &terms))
    }

    /// Judges a caller that connects.
    pub fn check_connect(ctx: &ReducerContext) -> Result<(), Refusal> {
        match terms(ctx) {
            Some(terms) if !is_owner(ctx) => {
                let lease = lease_of(ctx, ctx.sender).ok_or(Refusal::Denied(Denial::MissingAuthorization))?;
                let now_ms = ctx.timestamp.to_micros_since_unix_epoch() / 1000;
                judge(&claims(ctx, &lease), &terms, now_ms)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
