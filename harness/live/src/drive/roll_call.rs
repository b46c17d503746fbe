//! Compares the connections that a lane lists with those that the clients have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::time::Duration;

use cutover_core::history::Record;
use cutover_core::ids::{ClientId, OpId};

use super::case::{Case, Client};
use crate::bounds::{self, Bound};

const PAUSE: Duration = Duration::from_millis(50);

enum Roll {
    Called,
    /// The lane does not list its connections.
    NotOffered,
    NoAnswer,
}

impl Case {
    /// Records whether the lane lists every open connection and none that ended. It is given time: a server notices the
    /// end of a connection a little later. What a fault or toxic may keep from it is not asked for.
    pub(super) async fn inspect_connections(&mut self) {
        if self.miscounted {
            return;
        }
        let _ = self.call_roll(None, &|_, client| client.handle.status.borrow().subscribed, bounds::ROLL_CALL).await;
    }

    /// The same of a script that names who is connected.
    pub(super) async fn count_connections(&mut self, op: OpId, present: &[ClientId], within_ms: u64) {
        let within = Bound::new("count", Duration::from_millis(within_ms));
        match self.call_roll(Some(op), &|id, _| present.contains(id), within).await {
            Roll::Called => {}
            Roll::NotOffered => self.recorder.record(Record::NotCounted { op }),
            Roll::NoAnswer => self.timed_out("the lane's list of its connections".to_owned()),
        }
    }

    async fn call_roll(
        &mut self,
        op: Option<OpId>,
        present: &(dyn Fn(&ClientId, &Client) -> bool + Sync),
        within: Bound,
    ) -> Roll {
        let mut bound = within.begin();
        loop {
            match self.inspector.connections().await {
                Ok(None) => return Roll::NotOffered,
                Err(()) if bound.is_reached() => return Roll::NoAnswer,
                Err(()) => {}
                Ok(Some(listed)) => {
                    let (record, is_right) = self.compared(op, &listed, present);
                    if is_right || bound.is_reached() {
                        self.miscounted = !is_right;
                        self.recorder.record(record);
                        return Roll::Called;
                    }
                }
            }
            bound.during(tokio::time::sleep(PAUSE)).await;
        }
    }

    fn compared(
        &self,
        op: Option<OpId>,
        listed: &[String],
        present: &(dyn Fn(&ClientId, &Client) -> bool + Sync),
    ) -> (Record, bool) {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        listed.iter().for_each(|name| *times.entry(name).or_default() += 1);
        let (mut found, mut missing, mut left) = (0, Vec::new(), Vec::new());
        for (id, client) in &self.clients {
            let connections = client.handle.connections.lock().unwrap_or_else(PoisonError::into_inner);
            let open = connections.last().filter(|(_, ended)| !ended).map(|(name, _)| name.as_str());
            let names: BTreeSet<&str> = connections.iter().map(|(name, _)| name.as_str()).collect();
            let listed: usize = names.iter().filter_map(|name| times.get(name)).sum();
            let is_listed = open.is_some_and(|name| times.contains_key(name));
            let is_present = present(id, client);
            found += u64::from(is_listed);
            if is_present && !is_listed && !(op.is_none() && connections.is_empty()) {
                missing.push(id.clone());
            }
            // A script that counts gives the lanes time for what its faults do.
            let is_judged = op.is_some() || !self.struck.contains(id);
            let is_away = op.is_some() && !is_present;
            if is_judged && listed > usize::from(is_listed && !is_away) {
                left.push(id.clone());
            }
        }
        let is_right = missing.is_empty() && left.is_empty();
        (Record::Connections { op, listed: found, missing, left }, is_right)
    }

    /// The clients whose connections a fault or toxic disturbs: their server may not see an end.
    pub(super) fn struck(plan: &cutover_core::plan::Plan) -> BTreeSet<ClientId> {
        let faults = plan.faults.iter().map(|fault| fault.client.clone());
        faults.chain(plan.toxics.iter().map(|toxic| toxic.client.clone())).collect()
    }
}
