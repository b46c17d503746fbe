//! What the steps of a script wait for, each within a bound. An error says what was waited for in vain.

use cutover_core::ids::{ClientId, FaultId};
use cutover_core::plan::BRIDGE;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::case::{Case, Client};
use super::status::Status;
use crate::bounds::{self, Bound};

impl Case {
    /// Waits until each of these clients has applied every acknowledged event of its streams, or never will.
    pub(super) async fn caught_up(&self, clients: &[ClientId], within: Bound) -> Result<(), String> {
        let catch_up = async |id: &ClientId, client: &Client| {
            let reached = within.within(self.at_heads(client)).await;
            reached.map_err(|reached| format!("`{id}` to catch up with the acknowledged heads, {reached}"))
        };
        let clients = clients.iter().filter_map(|id| Some((id, self.clients.get(id)?)));
        let waits = clients.map(|(id, client)| catch_up(id, client));
        join_all(waits).await.into_iter().collect()
    }

    /// Returns once a client is at every acknowledged head, or never will be. One that makes no progress subscribes
    /// anew: what a new subscription does not bring will not come.
    async fn at_heads(&self, client: &Client) {
        let heads = self.heads_of(client);
        let mut status = client.handle.status.clone();
        let mut since = Instant::now();
        let mut before = None;
        loop {
            let (settled, moves) = {
                let now = status.borrow_and_update();
                (now.is_settled(&heads), now.moves)
            };
            if before.replace(moves).is_some_and(|before| before != moves) {
                self.progress.ended_well(since.elapsed());
            }
            if settled {
                return;
            }
            since = Instant::now();
            match self.progress.bound().within(status.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => {
                    client.handle.replay_if_overdue(heads.clone()).await;
                    since = Instant::now();
                }
            }
        }
    }

    /// Waits until a client is subscribed, or gave up: what is published next reaches it live on every lane.
    pub(super) async fn subscribed(&self, id: &ClientId) -> Result<(), String> {
        self.client_is(id, "be subscribed", |status| status.subscribed || status.gave_up.is_some()).await
    }

    /// Waits until every connected client knows that its server is gone, so that the same point of the script follows
    /// on each lane.
    pub(super) async fn server_loss_noticed(&self) -> Result<(), String> {
        let unsubscribed = |status: &Status| !status.subscribed;
        let waits = self.connected().map(|(id, _)| self.client_is(id, "notice that its server is gone", unsubscribed));
        join_all(waits).await.into_iter().collect()
    }

    /// How often each connected client lost its connection.
    pub(super) fn connections_lost(&self) -> Vec<(ClientId, u64)> {
        self.connected().map(|(id, client)| (id.clone(), client.handle.status.borrow().ends)).collect()
    }

    /// Waits until each of these clients lost its connection once more. It may be back by then.
    pub(super) async fn closed_since(&self, before: Vec<(ClientId, u64)>) -> Result<(), String> {
        let waits = before.iter().map(|(id, ends)| {
            let closed = |status: &Status| status.ends > *ends || status.gave_up.is_some();
            self.client_is(id, "be closed by a breaking update of the module", closed)
        });
        join_all(waits).await.into_iter().collect()
    }

    async fn client_is(&self, id: &ClientId, what: &str, state: impl FnMut(&Status) -> bool) -> Result<(), String> {
        let Some(client) = self.clients.get(id) else {
            return Ok(());
        };
        let mut status = client.handle.status.clone();
        let reached = bounds::STEP.within(status.wait_for(state)).await;
        reached.map(|_| ()).map_err(|reached| format!("`{id}` to {what}, {reached}"))
    }

    /// Waits until a fault or a toxic has fired. In vain where its client came to rest before.
    pub(super) async fn fired(&self, fault: &FaultId) -> Result<(), String> {
        let Some(target) = self.fault_targets.get(fault) else {
            return Ok(());
        };
        let client = self.clients.get(target);
        let of_bridge = self.mirror.as_ref().filter(|_| target.as_str() == BRIDGE).map(|mirror| &mirror.route);
        let route = of_bridge.unwrap_or_else(|| client.map_or(&self.writer_route, |client| &client.route));
        let client_at_rest = async {
            match client {
                Some(client) => self.at_rest(client).await,
                None => std::future::pending().await,
            }
        };
        let fires = async {
            tokio::select! {
                biased;
                () = route.wait_fired(fault) => Ok(()),
                () = client_at_rest => Err(format!("fault `{fault}` to fire, and its client came to rest")),
            }
        };
        let fired = bounds::STEP.within(fires).await;
        fired.map_err(|reached| format!("fault `{fault}` to fire, {reached}"))?
    }

    /// Returns once a client is at its heads, and nothing has happened at it for some time.
    async fn at_rest(&self, client: &Client) {
        let mut status = client.handle.status.clone();
        loop {
            self.at_heads(client).await;
            status.mark_unchanged();
            if !matches!(bounds::REST.within(status.changed()).await, Ok(Ok(()))) {
                return;
            }
        }
    }
}
