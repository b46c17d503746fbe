//! The state that all connections share.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cutover_core::text::{scrubbed, visible};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::config::Config;
use crate::presence::Clients;
use crate::store::{Store, StoreError};

pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Store,
    pub(crate) joins: AtomicU64,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) clients: Clients,
    sockets: AtomicUsize,
    counters: Mutex<BTreeMap<(String, String), u64>>,
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
            sockets: AtomicUsize::new(0),
            counters: Mutex::default(),
        })
    }

    pub(crate) fn count(&self, name: &str, kind: &str) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        *counters.entry((name.to_owned(), kind.to_owned())).or_default() += 1;
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
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for ((name, kind), count) in counters.iter() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "legacy_{name}_total{{code=\"{kind}\"}} {count}");
        }
        for (client, count) in self.clients.by_name() {
            let _ = writeln!(text, "legacy_clients{{client=\"{}\"}} {count}", label(&client));
        }
        let _ = writeln!(text, "legacy_sockets {}", self.sockets.load(Ordering::Relaxed));
        text
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

/// A label's value, as the text format of Prometheus has it.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
