//! Which toxics of a foreign proxy struck, as well as our proxy behind it can know.
//!
//! A foreign proxy tells nobody what its toxics did. What ours sees: how many bytes it wrote towards the client and
//! towards the lane, and how many connections began and ended. A toxic that delays, limits or slices has struck once bytes
//! went its way while it was on; one that ends connections, or draws their end out, once a connection ended while it was
//! on; one that lets nothing pass, once something was lost in it, or a connection began or ended. Where a toxic is drawn for some
//! connections only, which of them got it can't be known.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover_core::history::Fire;
use cutover_core::ids::{ClientId, FaultId};
use cutover_core::plan::{ByteToxic, Direction};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::recorder::Recorder;
use crate::proxy::{LedgerSink, Proxy, ProxyStats};
use crate::toxic::Toxic;

/// How often the proxy's numbers are looked at.
const EVERY: Duration = Duration::from_millis(20);

/// Watches the toxics of one client.
pub struct Strikes {
    shared: Arc<Shared>,
    struck: watch::Receiver<BTreeSet<FaultId>>,
    ended: CancellationToken,
}

struct Shared {
    proxy: Arc<Proxy>,
    client: ClientId,
    recorder: Recorder,
    /// Toxics that are on and have not struck, with the numbers from when they were put on.
    open: Mutex<Vec<(Toxic, ProxyStats)>>,
    struck: watch::Sender<BTreeSet<FaultId>>,
}

impl Strikes {
    /// Begins to watch; nothing is on yet.
    pub fn watch(proxy: Arc<Proxy>, client: ClientId, recorder: Recorder) -> Strikes {
        let (tell, struck) = watch::channel(BTreeSet::new());
        let shared = Arc::new(Shared { proxy, client, recorder, open: Mutex::default(), struck: tell });
        let ended = CancellationToken::new();
        tokio::spawn(look(Arc::clone(&shared), ended.clone()));
        Strikes { shared, struck, ended }
    }

    /// A toxic is about to be put on.
    pub fn armed(&self, toxic: &Toxic) {
        let now = self.shared.proxy.stats();
        self.shared.open().push((toxic.clone(), now));
    }

    /// A toxic was taken off.
    pub fn disarmed(&self, toxic: &Toxic) {
        self.shared.look();
        self.shared.open().retain(|(open, _)| open.name != toxic.name);
    }

    /// Waits until a toxic has struck.
    pub async fn wait(&self, id: &FaultId) {
        let mut struck = self.struck.clone();
        // The sender is ours, so that there is an answer or none for ever.
        let _ = struck.wait_for(|struck| struck.contains(id)).await;
    }

    /// Ends the watch.
    pub fn end(&self) {
        self.ended.cancel();
    }
}

impl Drop for Strikes {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

impl Shared {
    fn open(&self) -> std::sync::MutexGuard<'_, Vec<(Toxic, ProxyStats)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) {
        let now = self.proxy.stats();
        let mut open = self.open();
        let struck = |(toxic, then): &(Toxic, ProxyStats)| has_struck(toxic, then, &now);
        let fires: Vec<Toxic> = open.iter().filter(|open| struck(open)).map(|(toxic, _)| toxic.clone()).collect();
        open.retain(|open| !struck(open));
        drop(open);
        for toxic in fires {
            let fire = Fire {
                conn: u32::try_from(now.connections).unwrap_or(u32::MAX),
                frame: 0,
                hit: format!("{} {}", toxic.toxic.type_name(), toxic.direction.as_str()),
                rewrote: None,
            };
            self.recorder.fired(&toxic.name, &self.client, fire);
            self.struck.send_if_modified(|struck| struck.insert(toxic.name.clone()));
        }
    }
}

async fn look(shared: Arc<Shared>, ended: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = ended.cancelled() => return,
            _ = tick.tick() => shared.look(),
        }
    }
}

fn has_struck(toxic: &Toxic, then: &ProxyStats, now: &ProxyStats) -> bool {
    let bytes = |stats: &ProxyStats| match toxic.direction {
        Direction::Upstream => stats.to_lane.bytes,
        Direction::Downstream => stats.to_client.bytes,
    };
    let passed = bytes(now).saturating_sub(bytes(then));
    let ended = now.ended > then.ended;
    match toxic.toxic {
        ByteToxic::Latency { .. } | ByteToxic::Bandwidth { .. } | ByteToxic::Slicer { .. } => passed > 0,
        ByteToxic::Timeout { .. } => passed > 0 || ended || now.connections > then.connections,
        ByteToxic::ResetPeer { .. } | ByteToxic::SlowClose { .. } => ended,
        // The limit is one connection's, so that the bytes of several say nothing.
        ByteToxic::LimitData { bytes } => ended && i64::try_from(passed).unwrap_or(i64::MAX) >= bytes,
    }
}

#[cfg(test)]
mod tests;
