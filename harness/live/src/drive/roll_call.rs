//! Compares the connections that a lane lists with those that the clients have.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use cutover_core::history::Record;
use cutover_core::ids::ClientId;

use super::case::Case;
use crate::bounds;

const PAUSE: Duration = Duration::from_millis(50);

impl Case {
    /// Records whether the lane lists every open connection and none that ended. It is given time: a server notices the
    /// end of a connection a little later. What a fault or toxic may keep from it is not asked for.
    pub(super) async fn inspect_connections(&mut self) {
        let mut bound = bounds::ROLL_CALL.begin();
        loop {
            let Some(listed) = self.inspector.connections().await else { return };
            let (record, is_right) = self.compared(&listed.into_iter().collect());
            if is_right || bound.is_reached() {
                return self.recorder.record(record);
            }
            bound.during(tokio::time::sleep(PAUSE)).await;
        }
    }

    fn compared(&self, listed: &BTreeSet<String>) -> (Record, bool) {
        let (mut found, mut missing, mut left) = (0, Vec::new(), Vec::new());
        for (id, client) in &self.clients {
            let is_open = client.handle.status.borrow().subscribed;
            let connections = client.handle.connections.lock().unwrap_or_else(PoisonError::into_inner);
            let lists = |ended: bool| connections.iter().filter(move |one| one.1 == ended && listed.contains(&one.0));
            found += lists(false).count() as u64;
            if is_open && connections.last().is_some_and(|(name, ended)| !ended && !listed.contains(name)) {
                missing.push(id.clone());
            }
            if lists(true).next().is_some() && !self.struck.contains(id) {
                left.push(id.clone());
            }
        }
        let is_right = missing.is_empty() && left.is_empty();
        (Record::Connections { listed: found, missing, left }, is_right)
    }

    /// The clients whose connections a fault or toxic disturbs: their server may not see an end.
    pub(super) fn struck(plan: &cutover_core::plan::Plan) -> BTreeSet<ClientId> {
        let faults = plan.faults.iter().map(|fault| fault.client.clone());
        faults.chain(plan.toxics.iter().map(|toxic| toxic.client.clone())).collect()
    }
}
