//! Which toxics of a foreign proxy have fired, as far as our proxy behind it can see.
//!
//! A foreign proxy does not report what its toxics did. Our proxy sees how many bytes it wrote in each direction, and
//! how many connections began and ended. While it is on, a toxic that delays, limits or slices has fired once bytes
//! passed in its direction; one that ends connections, or delays their end, once a connection ended; one that lets
//! nothing pass, once it lost something, or a connection began or ended. Where a toxic is drawn for some connections
//! only, it is unknown which of them got it.

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

const EVERY: Duration = Duration::from_millis(20);

pub struct FaultLog {
    shared: Arc<Shared>,
    fired: watch::Receiver<BTreeSet<FaultId>>,
    ended: CancellationToken,
}

struct Shared {
    proxy: Arc<Proxy>,
    client: ClientId,
    recorder: Recorder,
    /// Toxics that are on and have not fired, with the proxy's numbers when they were added.
    open: Mutex<Vec<(Toxic, ProxyStats)>>,
    fired: watch::Sender<BTreeSet<FaultId>>,
}

impl FaultLog {
    /// Starts while no toxic is on.
    pub fn start(proxy: Arc<Proxy>, client: ClientId, recorder: Recorder) -> FaultLog {
        let (sender, fired) = watch::channel(BTreeSet::new());
        let shared = Arc::new(Shared { proxy, client, recorder, open: Mutex::default(), fired: sender });
        let ended = CancellationToken::new();
        tokio::spawn(poll(Arc::clone(&shared), ended.clone()));
        FaultLog { shared, fired, ended }
    }

    pub fn armed(&self, toxic: &Toxic) {
        let now = self.shared.proxy.stats();
        self.shared.open().push((toxic.clone(), now));
    }

    pub fn disarmed(&self, toxic: &Toxic) {
        self.shared.update();
        self.shared.open().retain(|(open, _)| open.name != toxic.name);
    }

    pub async fn wait(&self, id: &FaultId) {
        let mut fired = self.fired.clone();
        // The sender lives in `self`, so this can't fail.
        let _ = fired.wait_for(|fired| fired.contains(id)).await;
    }

    pub fn end(&self) {
        self.ended.cancel();
    }
}

impl Drop for FaultLog {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

impl Shared {
    fn open(&self) -> std::sync::MutexGuard<'_, Vec<(Toxic, ProxyStats)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self) {
        let now = self.proxy.stats();
        let fired: Vec<_> = self.open().extract_if(.., |(toxic, then)| has_fired(toxic, then, &now)).collect();
        for (toxic, _) in fired {
            let fire = Fire {
                conn: u32::try_from(now.connections).unwrap_or(u32::MAX),
                frame: 0,
                hit: format!("{} {}", toxic.toxic.type_name(), toxic.direction.as_str()),
                rewrote: None,
            };
            self.recorder.fired(&toxic.name, &self.client, fire);
            self.fired.send_if_modified(|fired| fired.insert(toxic.name.clone()));
        }
    }
}

async fn poll(shared: Arc<Shared>, ended: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = ended.cancelled() => return,
            _ = tick.tick() => shared.update(),
        }
    }
}

fn has_fired(toxic: &Toxic, then: &ProxyStats, now: &ProxyStats) -> bool {
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
        // The limit holds for one connection, but the bytes are counted over all.
        ByteToxic::LimitData { bytes } => ended && i64::try_from(passed).unwrap_or(i64::MAX) >= bytes,
    }
}

#[cfg(test)]
mod tests;
