//! The proof of life: one more event for every stream after the converge phase. This file publishes it and waits for
//! it; a checker decides whether it came live.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use cutover_core::ids::{ClientId, Seq, StreamId};
use futures_util::FutureExt;
use futures_util::future::join_all;

use super::case::{Case, Client};
use crate::bounds::{self, Bound};

/// The first wait for the events, before the first heartbeat. It doubles from wait to wait.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_millis(250);
/// The events had time enough once so many heartbeats were answered, and the bound of a proof is reached,
const ROUND_TRIPS_MIN: u32 = 8;
/// and so many times the slowest of these answers has passed, so that a slow machine or network gets more time.
const SLOWEST_FACTOR: u32 = 20;

impl Case {
    /// Publishes to every stream, and waits until each connected client has the event on its present connection, or had
    /// time enough. A client that is behind the head already is not waited for. Where the script ended early, the seqs
    /// of the proof are not those of the plan, so nothing is published.
    pub(super) async fn prove_alive(&mut self) {
        if !self.script_ended {
            return;
        }
        self.settle(bounds::DRAIN).await;
        let at_heads = |client: &Client| {
            let status = client.handle.status.borrow();
            status.stuck.is_empty() && status.is_settled(&self.heads_of(client))
        };
        let ready = self.connected().filter(|(_, client)| at_heads(client));
        let ready: BTreeSet<ClientId> = ready.map(|(id, _)| id.clone()).collect();
        for step in self.plan.proof_of_life.clone() {
            if let Err(waiting_for) = self.perform(&step).await {
                self.timed_out(waiting_for);
                return;
            }
        }
        let waits: Vec<_> = self
            .connected()
            .filter(|(id, _)| ready.contains(id))
            .map(|(_, client)| arrives(client, self.heads_of(client)).boxed())
            .collect();
        join_all(waits).await;
    }
}

/// Waits for the heads of a client, for the end of its connection, or until there was time enough.
async fn arrives(client: &Client, heads: BTreeMap<StreamId, Seq>) {
    let mut status = client.handle.status.clone();
    let (mut proof, started) = (bounds::PROOF.begin(), Instant::now());
    let (mut wait, mut slowest) = (FIRST_WAIT, Duration::ZERO);
    for answered in 0.. {
        let slow = started.elapsed() < slowest * SLOWEST_FACTOR;
        if answered >= ROUND_TRIPS_MIN && proof.is_reached() && !slow {
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
        if !proof.during(client.handle.answers_heartbeat()).await {
            return;
        }
        slowest = slowest.max(asked.elapsed());
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}
