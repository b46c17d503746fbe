//! What stands between a case and its lane: which faults strike whom, and the proxies that they are armed in.

use std::sync::Arc;

use cutover_core::ids::{ClientId, LaneId};
use cutover_core::plan::{self, Plan, PlannedFault, PublishExpect, Step};

use super::inbox::PlannedHashes;
use super::recorder::Recorder;
use super::stack::{DriveError, LaneStack, Route};
use crate::lane::Endpoint;
use crate::proxy::{MessageToxic, Proxy, ProxyConfig};

/// A fault on the writer names an operation; it belongs to the case that has it.
pub(super) fn strikes_case(fault: &PlannedFault, case: &plan::Case) -> bool {
    let plan::Position::Ack { op } = &fault.at else {
        return true;
    };
    case.steps
        .iter()
        .any(|step| matches!(step, Step::Publish { op: published, .. } if published == op))
}

/// The faults of a plan on one lane that fit.
pub(super) fn faults_of(plan: &Plan, lane: LaneId, of: impl Fn(&PlannedFault) -> bool) -> Vec<PlannedFault> {
    plan.faults
        .iter()
        .filter(|fault| fault.strikes(lane) && of(fault))
        .cloned()
        .collect()
}

/// Starts the proxy of one client, with its faults armed.
pub(super) async fn start_proxy(
    client: &ClientId,
    faults: Vec<PlannedFault>,
    route: &Route,
    stack: &LaneStack,
    recorder: &Recorder,
) -> Result<Proxy, DriveError> {
    let ledger = Arc::new(recorder.clone());
    let config = ProxyConfig {
        faults: faults.into_iter().map(MessageToxic::from).collect(),
        ..ProxyConfig::transparent(client.clone(), route.upstream.clone(), stack.taggers.clone(), ledger)
    };
    Proxy::start(config).await.map_err(|source| DriveError::Proxy {
        client: client.to_string(),
        source,
    })
}

/// Where a client goes that is behind this proxy.
pub(super) fn endpoint(proxy: &Proxy, route: &Route) -> Endpoint {
    Endpoint {
        connect: proxy.addr(),
        authority: route.authority.clone(),
    }
}

/// The planned hash of every event that a case publishes.
pub(super) fn planned_hashes(case: &plan::Case) -> PlannedHashes {
    let published = case.steps.iter().filter_map(|step| match step {
        Step::Publish {
            stream,
            hash,
            expect: PublishExpect::Accepted { seq },
            ..
        } => Some(((stream.clone(), *seq), *hash)),
        _ => None,
    });
    published.collect()
}
