//! The way from one client to its lane: our proxy, where all faults are, with the byte toxics in it, or in a proxy of
//! somebody else's in front of it.

use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use cutover_core::ids::{ClientId, FaultId, LaneId};
use cutover_core::plan::{self, Plan, PlannedFault, PlannedToxic};
use tokio::sync::Mutex;

use super::byte_toxics::Front;
use super::recorder::Recorder;
use super::stack::{DriveError, LaneStack, Route};
use super::strikes::Strikes;
use super::wiring::of_case;
use crate::lane::Endpoint;
use crate::proxy::{MessageToxic, Proxy, ProxyConfig};
use crate::toxic::Toxic;

/// What is between a client, or the writer, and its lane.
pub struct Passage {
    proxy: Arc<Proxy>,
    authority: String,
    /// Every toxic that the plan has for it on this lane.
    toxics: Vec<PlannedToxic>,
    /// Which of them are on, in the plan's order.
    armed: Mutex<Vec<FaultId>>,
    outside: Option<Outside>,
}

/// Toxics in a proxy that is not ours.
struct Outside {
    front: Box<dyn Front>,
    strikes: Strikes,
}

impl Deref for Passage {
    type Target = Proxy;

    fn deref(&self) -> &Proxy {
        &self.proxy
    }
}

impl Passage {
    /// Starts the proxy of one client, with its faults armed and the toxics that are on from the start.
    pub async fn start(
        client: &ClientId,
        faults: Vec<PlannedFault>,
        (plan, case): (&Plan, &plan::Case),
        (stack, route): (&LaneStack, &Route),
        recorder: &Recorder,
    ) -> Result<Passage, DriveError> {
        let lane = stack.role;
        let toxics = toxics_of((plan, case), client, lane);
        let armed: Vec<FaultId> = plan
            .toxics_from_start(client, lane)
            .filter(|toxic| of_case(toxic.id.as_str(), case))
            .map(|toxic| toxic.id.clone())
            .collect();
        let outside = stack.byte_toxics.as_ref().filter(|_| !toxics.is_empty());
        let inside = match outside {
            Some(_) => Vec::new(),
            None => of_ids(&toxics, &armed),
        };
        let ledger = Arc::new(recorder.clone());
        let config = ProxyConfig {
            faults: faults.into_iter().map(MessageToxic::from).collect(),
            toxics: inside,
            seed: plan.seed.0,
            ..ProxyConfig::transparent(client.clone(), route.upstream.clone(), stack.taggers.clone(), ledger)
        };
        let failed = |source| DriveError::Proxy { client: client.to_string(), source };
        let proxy = Arc::new(Proxy::start(config).await.map_err(failed)?);
        let outside = match outside {
            None => None,
            Some(outside) => {
                let name = format!("{}-{lane}-{client}", plan.scenario);
                let front = outside.front(&name, proxy.addr()).await.map_err(DriveError::Front)?;
                let strikes = Strikes::watch(Arc::clone(&proxy), client.clone(), recorder.clone());
                Some(Outside { front, strikes })
            }
        };
        let passage = Passage { proxy, authority: route.authority.clone(), toxics, armed: Mutex::default(), outside };
        passage.arm(&armed).await.map_err(DriveError::Front)?;
        Ok(passage)
    }

    /// Where the client goes.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint { connect: self.entrance(), authority: self.authority.clone() }
    }

    fn entrance(&self) -> SocketAddr {
        match &self.outside {
            Some(outside) => outside.front.addr(),
            None => self.proxy.addr(),
        }
    }

    /// Puts toxics on; those of other clients are none of this passage's affair.
    ///
    /// # Errors
    /// Where a foreign proxy does not take one.
    pub async fn arm(&self, toxics: &[FaultId]) -> io::Result<()> {
        let mut armed = self.armed.lock().await;
        let new: Vec<FaultId> = toxics.iter().filter(|id| self.is_mine(id) && !armed.contains(id)).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        if let Some(outside) = &self.outside {
            for toxic in of_ids(&self.toxics, &new) {
                outside.strikes.armed(&toxic);
                outside.front.add(&toxic).await?;
            }
        }
        armed.extend(new);
        self.set_inside(&armed);
        Ok(())
    }

    /// Takes toxics off.
    ///
    /// # Errors
    /// Where a foreign proxy does not let one go.
    pub async fn disarm(&self, toxics: &[FaultId]) -> io::Result<()> {
        let mut armed = self.armed.lock().await;
        let gone: Vec<FaultId> = toxics.iter().filter(|id| armed.contains(id)).cloned().collect();
        if gone.is_empty() {
            return Ok(());
        }
        if let Some(outside) = &self.outside {
            for toxic in of_ids(&self.toxics, &gone) {
                outside.front.remove(&toxic).await?;
                outside.strikes.disarmed(&toxic);
            }
        }
        armed.retain(|id| !gone.contains(id));
        self.set_inside(&armed);
        Ok(())
    }

    fn is_mine(&self, id: &FaultId) -> bool {
        self.toxics.iter().any(|toxic| toxic.id == *id)
    }

    fn set_inside(&self, armed: &[FaultId]) {
        if self.outside.is_none() {
            self.proxy.set_toxics(of_ids(&self.toxics, armed));
        }
    }

    /// Takes all faults and toxics off, for good.
    ///
    /// # Errors
    /// Where a foreign proxy does not let a toxic go.
    pub async fn heal(&self) -> io::Result<()> {
        let all: Vec<FaultId> = self.toxics.iter().map(|toxic| toxic.id.clone()).collect();
        let freed = match self.outside {
            Some(_) => self.disarm(&all).await,
            None => Ok(()),
        };
        self.proxy.heal();
        freed
    }

    /// Waits until a fault or a toxic has struck at least once.
    pub async fn wait_fired(&self, id: &FaultId) {
        match &self.outside {
            Some(outside) if self.is_mine(id) => outside.strikes.wait(id).await,
            _ => self.proxy.wait_fired(id).await,
        }
    }

    /// Ends all that there is of it.
    pub async fn shutdown(&self) {
        if let Some(outside) = &self.outside {
            outside.front.end().await;
            outside.strikes.end();
        }
        self.proxy.shutdown().await;
    }
}

fn toxics_of((plan, case): (&Plan, &plan::Case), client: &ClientId, lane: LaneId) -> Vec<PlannedToxic> {
    // There is a writer in each case; other clients are one case's.
    let mine =
        |toxic: &&PlannedToxic| toxic.client == *client && toxic.strikes(lane) && of_case(toxic.id.as_str(), case);
    plan.toxics.iter().filter(mine).cloned().collect()
}

/// Those of some toxics that are named, in the plan's order, as a proxy takes them.
fn of_ids(toxics: &[PlannedToxic], ids: &[FaultId]) -> Vec<Toxic> {
    let named = toxics.iter().filter(|toxic| ids.contains(&toxic.id));
    named
        .map(|toxic| Toxic {
            name: toxic.id.clone(),
            direction: toxic.stream,
            toxicity: toxic.toxicity,
            toxic: toxic.toxic.clone(),
        })
        .collect()
}
