//! Capabilities of providers, such as the jobs of NIP-90 that each takes: the table and the reducer.

use spacetimedb::{ReducerContext, Table, Timestamp, reducer, table};

use crate::canonical::payload_hash;
use crate::grant::caller;
use crate::key::pair_key;
use crate::once::db::Call;
use crate::refusal::{Answer, Refusal, answer, check_name};

/// One row per provider and capability.
#[table(name = provider_capability, public)]
pub struct ProviderCapability {
    /// The provider and the capability, joined.
    #[primary_key]
    pub capability_key: String,
    #[index(btree)]
    pub provider_id: String,
    pub capability: String,
    /// The provider's JSON text as it came.
    pub descriptor: String,
    pub descriptor_hash: String,
    pub published_at: Timestamp,
}

/// Publishes a capability of a provider; a new key replaces its descriptor. Refusals: `bad_argument`,
/// `forbidden_client`, `invalid_payload`, `idempotency_conflict`, checked in this order.
#[reducer]
fn publish_provider_capability(
    ctx: &ReducerContext,
    idempotency_key: String,
    provider_id: String,
    capability: String,
    descriptor: String,
) -> Answer {
    answer(ctx, NewCapability { idempotency_key, provider_id, capability, descriptor }, publish)
}

pub struct NewCapability {
    pub idempotency_key: String,
    pub provider_id: String,
    pub capability: String,
    pub descriptor: String,
}

impl NewCapability {
    pub fn row_key(&self) -> String {
        pair_key(&self.provider_id, &self.capability)
    }
}

pub fn call<'a>(row: &'a str, idempotency_key: &'a str) -> Call<'a> {
    Call { table: "provider_capability", row, idempotency_key }
}

fn publish(ctx: &ReducerContext, asked: NewCapability) -> Result<(), Refusal> {
    check_name("provider_id", &asked.provider_id)?;
    check_name("capability", &asked.capability)?;
    caller(ctx)?.check_client(&asked.provider_id)?;
    let descriptor_hash = payload_hash(&asked.descriptor).map_err(Refusal::InvalidPayload)?;
    let capability_key = asked.row_key();
    if !call(&capability_key, &asked.idempotency_key).is_new(ctx, &[&descriptor_hash])? {
        return Ok(());
    }
    let NewCapability { provider_id, capability, descriptor, .. } = asked;
    ctx.db.provider_capability().capability_key().delete(&capability_key);
    let published_at = ctx.timestamp;
    let row = ProviderCapability { capability_key, provider_id, capability, descriptor, descriptor_hash, published_at };
    ctx.db.provider_capability().insert(row);
    Ok(())
}
