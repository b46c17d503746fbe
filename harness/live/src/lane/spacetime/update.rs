//! An update of a database's module while clients follow it: asked of the server first, as an operator does.

use bytes::Bytes;
use cutover_core::plan::ModuleUpdate;

use super::admin;
use super::operate::{self, Plan, Policy, Sent};
use super::service::{ARM_REDUCER, PLANTED_WASM, SpacetimeService};
use crate::bounds;
use crate::lane::OpenError;
use crate::lane::http::HttpClient;

impl SpacetimeService {
    /// The module with planted defects has two tables and a reducer more than the other one. So it is what an additive
    /// update publishes, and a breaking one goes back.
    pub(super) async fn publish_anew(
        &self,
        name: &str,
        update: ModuleUpdate,
        defects: &[String],
    ) -> Result<(), OpenError> {
        let mut http = self.http(bounds::ADMIN)?;
        if update == ModuleUpdate::Breaking {
            return publish(&mut http, name, self.run.module.clone(), update).await;
        }
        publish(&mut http, name, Bytes::from_static(PLANTED_WASM), update).await?;
        for defect in defects {
            admin::call(&mut http, name, ARM_REDUCER, &serde_json::json!([defect])).await?;
        }
        Ok(())
    }
}

/// Publishes a module over the one that a database runs. Where the server makes plans, its plan must be of this kind.
async fn publish(http: &mut HttpClient, name: &str, wasm: Bytes, update: ModuleUpdate) -> Result<(), OpenError> {
    let planned = operate::plan(http, name, wasm.to_vec()).await?;
    let policy = policy(planned, update).map_err(OpenError::lasting)?;
    let hash = operate::module_hash(&wasm);
    let why = match operate::publish(http, name, wasm.to_vec(), &policy).await {
        Sent::Published => "the server said that it is published".to_owned(),
        Sent::Refused(why) | Sent::Unreached(why) => {
            return Err(OpenError::lasting(format!("the module was not published: {why}")));
        }
        Sent::Unsure(why) => why,
    };
    match operate::running_module(http, name).await? {
        running if running == hash => Ok(()),
        running => Err(OpenError::lasting(format!("the database runs the module {running}, and not {hash}: {why}"))),
    }
}

/// How to publish what the server made this plan for.
fn policy(plan: Plan, update: ModuleUpdate) -> Result<Policy, String> {
    match (plan, update) {
        (Plan::NoPlans, _) => Ok(Policy::Unsaid),
        (Plan::Auto { break_clients: false, .. }, ModuleUpdate::Additive) => Ok(Policy::Compatible),
        (Plan::Auto { break_clients: true, token, .. }, ModuleUpdate::Breaking) => Ok(Policy::BreakClients(token)),
        (Plan::Auto { steps, .. }, ModuleUpdate::Additive) => {
            Err(format!("the server plans to close all clients for an additive update: {steps}"))
        }
        (Plan::Auto { steps, .. }, ModuleUpdate::Breaking) => {
            Err(format!("the server plans to close no client for a breaking update: {steps}"))
        }
        (Plan::Manual(why), _) => Err(format!("the server asks for a migration by hand: {why}")),
    }
}

#[cfg(test)]
mod tests;
