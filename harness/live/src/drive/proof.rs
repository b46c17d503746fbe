//! The proof of life: one more event for every stream, once all has healed and converged. Whether it came live is the
//! checkers' affair; here it is published and waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use cutover_core::history::Record;
use cutover_core::ids::{ClientId, Seq, StreamId};
use futures_util::FutureExt;
use futures_util::future::join_all;

use super::case::{Case, Client};
use crate::bounds::{self, Bound};

/// The first wait for the events, before the lane is asked whether it answers at all. It doubles from wait to wait.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait between two heartbeats.
const LONGEST_WAIT: Duration = Duration::from_millis(250);
/// The events had time enough once so many heartbeats were answered, the bound of a proof is reached,
const LEAST_ROUND_TRIPS: u32 = 8;
/// and so many times the slowest of these answers has passed: a slow machine or network gets more time.
const SLOWEST_TIMES: u32 = 20;

impl Case {
    /// Publishes to every stream, and waits until each connected client has it on the connection that it has now, or has
    /// had time enough. A client that is behind the head already proves nothing, and is not waited for. Where the script did
    /// not come to its end, the plan does not know the seqs that come next, and there is nothing to prove.
    pub(super) async fn prove_alive(&mut self) {
        if !self.script_ended {
            return;
        }
        self.settle(bounds::DRAIN).await;
        let at_heads = |client: &Client| {
            let status = client.handle.status.borrow();
            status.stuck.is_empty() && status.is_settled(&self.heads_of(client))
        };
        let asked = self.connected().filter(|(_, client)| at_heads(client));
        let asked: BTreeSet<ClientId> = asked.map(|(id, _)| id.clone()).collect();
        for step in self.plan.proof_of_life.clone() {
            if let Err(waiting_for) = self.step(&step).await {
                self.recorder.record(Record::TimedOut { waiting_for });
                return;
            }
        }
        let waits: Vec<_> = self
            .connected()
            .filter(|(id, _)| asked.contains(id))
            .map(|(_, client)| arrives(client, self.heads_of(client)).boxed())
            .collect();
        join_all(waits).await;
    }

    /// The acknowledged heads of a client's streams.
    pub(super) fn heads_of(&self, client: &Client) -> BTreeMap<StreamId, Seq> {
        let head = |stream: &StreamId| self.heads.get(stream).copied().unwrap_or_default();
        let streams = client.streams.iter();
        streams.map(|stream| (stream.clone(), head(stream))).collect()
    }
}

/// Waits for the heads of a client, for its connection's end, or until there was time enough.
async fn arrives(client: &Client, heads: BTreeMap<StreamId, Seq>) {
    let mut status = client.handle.status.clone();
    let (mut proof, started) = (bounds::PROOF.begin(), Instant::now());
    let (mut wait, mut slowest) = (FIRST_WAIT, Duration::ZERO);
    for answered in 0.. {
        let slow = started.elapsed() < slowest * SLOWEST_TIMES;
        if answered >= LEAST_ROUND_TRIPS && proof.is_reached() && !slow {
            return;
        }
        let settled = async {
            let _ = status.wait_for(|status| status.is_settled(&heads) || !status.subscribed).await;
        };
        let one = Bound::new("proof", wait).within(settled);
        if proof.during(one).await.is_ok() {
            return;
        }
        let asked = Instant::now();
        if !proof.during(client.handle.asks_for_life()).await {
            return;
        }
        slowest = slowest.max(asked.elapsed());
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}
