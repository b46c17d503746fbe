//! The state that all connections share.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use cutover_core::text::{scrubbed, visible};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::config::Config;
use crate::defects::Defect;
use crate::metrics::Metrics;
use crate::presence::Clients;
use crate::store::{Store, StoreError};
use crate::token::Rules;

pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Store,
    pub(crate) joins: AtomicU64,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) clients: Clients,
    pub(crate) metrics: Metrics,
    sockets: AtomicUsize,
    /// Whether the fallback keys of tokens ended. They are good again after a restart with the same settings.
    fallback_ended: AtomicBool,
}

impl Shared {
    pub(crate) fn open(config: Config) -> Result<Self, StoreError> {
        let config = Arc::new(config);
        Ok(Self {
            store: Store::open(&config)?,
            config,
            joins: AtomicU64::new(0),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            clients: Clients::default(),
            metrics: Metrics::default(),
            sockets: AtomicUsize::new(0),
            fallback_ended: AtomicBool::new(false),
        })
    }

    pub(crate) fn count(&self, name: &str, kind: &str) {
        self.metrics.count(name, kind);
    }

    pub(crate) fn token_rules(&self) -> Rules<'_> {
        let fallback = !self.fallback_ended.load(Ordering::SeqCst);
        Rules { tokens: &self.config.tokens, fallback, defects: &self.config.defects }
    }

    pub(crate) fn end_fallback_keys(&self) {
        self.fallback_ended.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_revoked(&self, jti: &str) -> bool {
        self.store.view().is_revoked(jti) && !self.config.defects.has(Defect::AcceptRevoked)
    }

    /// Logs and counts a refusal. A client never sees the code.
    pub(crate) fn deny(&self, code: &str) {
        self.count("denied", code);
        self.log(&format!("refused: {code}"));
    }

    pub(crate) fn log(&self, line: &str) {
        if !self.config.quiet {
            // A log that can't be written does not stop the server.
            let _ = writeln!(std::io::stderr(), "legacy: {}", visible(&scrubbed(line)));
        }
    }

    pub(crate) fn metrics_text(&self) -> String {
        self.metrics.text(self.sockets.load(Ordering::Relaxed), &self.clients.by_name())
    }

    pub(crate) fn open_socket(&self) -> bool {
        let has_place = self.sockets.fetch_add(1, Ordering::Relaxed) < self.config.limits.max_sockets;
        if !has_place {
            self.close_socket();
        }
        has_place
    }

    pub(crate) fn close_socket(&self) {
        self.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}
