//! The route from one client, or the writer, to its lane: our proxy with all faults, and the byte toxics in it or in a
//! foreign proxy in front of it.

use std::io;
use std::ops::Deref;
use std::sync::Arc;

use cutover_core::ids::{ClientId, FaultId};
use cutover_core::plan::{self, Plan, PlannedToxic, Reading};
use tokio::sync::Mutex;

use super::byte_toxics::Front;
use super::fault_log::FaultLog;
use super::recorder::Recorder;
use super::stack::{Destination, DriveError, LaneStack};
use crate::lane::Endpoint;
use crate::proxy::{Limits, MessageToxic, Proxy, ProxyConfig};
use crate::toxic::Toxic;

/// What the system keeps of a lane's bytes where a toxic keeps a client from reading. The system may double it.
const LANE_BUFFER_BYTES: usize = 128 * 1024;

pub struct Route {
    proxy: Arc<Proxy>,
    authority: String,
    toxics: Vec<PlannedToxic>,
    armed: Mutex<Vec<FaultId>>,
    foreign: Option<Foreign>,
}

struct Foreign {
    front: Box<dyn Front>,
    log: FaultLog,
}

impl Deref for Route {
    type Target = Proxy;

    fn deref(&self) -> &Proxy {
        &self.proxy
    }
}

impl Route {
    /// Starts the proxy of a client, or of the writer, with its faults armed and the toxics that are on from the start.
    pub async fn start(
        client: &ClientId,
        (plan, case): (&Plan, &plan::Case),
        (stack, destination): (&LaneStack, &Destination),
        recorder: &Recorder,
    ) -> Result<Route, DriveError> {
        let lane = stack.role;
        // A client belongs to one case, but each case has a writer.
        let faults = plan.faults.iter().filter(|fault| fault.client == *client && fault.applies_to(lane));
        let faults = faults.filter(|fault| is_of_case(&fault.id, case)).cloned().map(MessageToxic::from).collect();
        let toxics = plan.toxics.iter().filter(|toxic| toxic.client == *client && toxic.applies_to(lane));
        let toxics: Vec<_> = toxics.filter(|toxic| is_of_case(&toxic.id, case)).cloned().collect();
        let from_start = plan.toxics_from_start(client, lane).map(|toxic| toxic.id.clone());
        let armed: Vec<_> = from_start.filter(|id| is_of_case(id, case)).collect();
        // A small buffer before the proxy, so that the lane notices soon that nothing more is read.
        let slows = toxics.iter().any(|toxic| toxic.reading().is_some());
        let limits = Limits { lane_buffer_bytes: slows.then_some(LANE_BUFFER_BYTES), ..Limits::default() };
        let foreign = stack.byte_toxics.as_ref().filter(|_| !toxics.is_empty());
        let (upstream, ledger) = (destination.upstream.clone(), Arc::new(recorder.clone()));
        let config = ProxyConfig {
            faults,
            toxics: if foreign.is_some() { Vec::new() } else { of_ids(&toxics, &armed) },
            seed: plan.seed.0,
            limits,
            ..ProxyConfig::transparent(client.clone(), upstream, stack.taggers.clone(), ledger)
        };
        let failed = |source| DriveError::Proxy { client: client.to_string(), source };
        let proxy = Arc::new(Proxy::start(config).await.map_err(failed)?);
        let foreign = match foreign {
            None => None,
            Some(service) => {
                let name = format!("{}-{lane}-{client}", plan.scenario);
                let front = service.front(&name, proxy.addr()).await.map_err(DriveError::Front)?;
                let log = FaultLog::start(Arc::clone(&proxy), client.clone(), recorder.clone());
                Some(Foreign { front, log })
            }
        };
        let route = Route { proxy, authority: destination.authority.clone(), toxics, armed: Mutex::default(), foreign };
        route.arm(&armed).await.map_err(DriveError::Front)?;
        Ok(route)
    }

    pub fn endpoint(&self) -> Endpoint {
        let connect = self.foreign.as_ref().map_or_else(|| self.proxy.addr(), |foreign| foreign.front.addr());
        Endpoint { connect, authority: self.authority.clone() }
    }

    /// Adds those of these toxics that are of this route.
    pub async fn arm(&self, toxics: &[FaultId]) -> io::Result<()> {
        let mut armed = self.armed.lock().await;
        let new: Vec<FaultId> = toxics.iter().filter(|id| self.is_own(id) && !armed.contains(id)).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        if let Some(foreign) = &self.foreign {
            for toxic in of_ids(&self.toxics, &new) {
                foreign.log.armed(&toxic);
                foreign.front.add(&toxic).await?;
            }
        }
        armed.extend(new);
        self.set_own(&armed);
        Ok(())
    }

    /// Removes those of these toxics that are on.
    pub async fn disarm(&self, toxics: &[FaultId]) -> io::Result<()> {
        let mut armed = self.armed.lock().await;
        let gone: Vec<FaultId> = toxics.iter().filter(|id| armed.contains(id)).cloned().collect();
        if gone.is_empty() {
            return Ok(());
        }
        if let Some(foreign) = &self.foreign {
            for toxic in of_ids(&self.toxics, &gone) {
                foreign.front.remove(&toxic).await?;
                foreign.log.disarmed(&toxic);
            }
        }
        armed.retain(|id| !gone.contains(id));
        self.set_own(&armed);
        Ok(())
    }

    /// How the client of this route reads under those of these toxics that are its own; `None` where as usual.
    pub fn reading(&self, toxics: &[FaultId]) -> Option<Reading> {
        self.toxics.iter().filter(|toxic| toxics.contains(&toxic.id)).find_map(PlannedToxic::reading)
    }

    fn is_own(&self, id: &FaultId) -> bool {
        self.toxics.iter().any(|toxic| toxic.id == *id)
    }

    fn set_own(&self, armed: &[FaultId]) {
        if self.foreign.is_none() {
            self.proxy.set_toxics(of_ids(&self.toxics, armed));
        }
    }

    /// Removes all faults and toxics for good.
    pub async fn heal(&self) -> io::Result<()> {
        let all: Vec<FaultId> = self.toxics.iter().map(|toxic| toxic.id.clone()).collect();
        let removed = match self.foreign {
            Some(_) => self.disarm(&all).await,
            None => Ok(()),
        };
        self.proxy.heal();
        removed
    }

    pub async fn wait_fired(&self, id: &FaultId) {
        match &self.foreign {
            Some(foreign) if self.is_own(id) => foreign.log.wait(id).await,
            _ => self.proxy.wait_fired(id).await,
        }
    }

    pub async fn shutdown(&self) {
        if let Some(foreign) = &self.foreign {
            foreign.front.end().await;
            foreign.log.end();
        }
        self.proxy.shutdown().await;
    }
}

/// Whether a fault or toxic is of this case: in an expanded scenario its name ends with `@` and the name of its case.
fn is_of_case(id: &FaultId, case: &plan::Case) -> bool {
    id.as_str().split_once('@').is_none_or(|(_, name)| name == case.name)
}

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
