//! Notifies sockets: which of their topics have new events, and that their token was revoked.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// One socket's notices. Bounded by the number of its topics, since a topic waits at most once.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    id: u64,
    dirty: Mutex<VecDeque<String>>,
    revoked: AtomicBool,
    notify: Notify,
}

impl Mailbox {
    pub(crate) async fn notified(&self) {
        self.notify.notified().await;
    }

    pub(crate) fn pop_dirty(&self) -> Option<String> {
        lock(&self.dirty).pop_front()
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    fn mark(&self, topic: &str) {
        let mut dirty = lock(&self.dirty);
        if !dirty.iter().any(|waiting| waiting == topic) {
            dirty.push_back(topic.to_owned());
        }
        drop(dirty);
        self.notify.notify_one();
    }
}

type Mailboxes = HashMap<String, BTreeMap<u64, Arc<Mailbox>>>;

#[derive(Debug, Default)]
struct Registry {
    by_topic: Mailboxes,
    by_jti: Mailboxes,
    /// For a planted defect: the sockets whose buffers are full, and what is announced once none is.
    full: BTreeSet<u64>,
    held: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Hub {
    registry: Mutex<Registry>,
    ids: AtomicU64,
}

impl Hub {
    pub(crate) fn mailbox(&self, jti: Option<&str>) -> Arc<Mailbox> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
        let mailbox = Arc::new(Mailbox { id, ..Mailbox::default() });
        if let Some(jti) = jti {
            lock(&self.registry).by_jti.entry(jti.to_owned()).or_default().insert(id, mailbox.clone());
        }
        mailbox
    }

    pub(crate) fn close(&self, mailbox: &Mailbox, jti: Option<&str>) {
        if let Some(jti) = jti {
            remove(&mut lock(&self.registry).by_jti, jti, mailbox.id);
        }
    }

    pub(crate) fn subscribe(&self, topic: &str, mailbox: &Arc<Mailbox>) {
        let mut registry = lock(&self.registry);
        registry.by_topic.entry(topic.to_owned()).or_default().insert(mailbox.id, mailbox.clone());
    }

    pub(crate) fn unsubscribe(&self, topic: &str, mailbox: &Mailbox) {
        remove(&mut lock(&self.registry).by_topic, topic, mailbox.id);
        lock(&mailbox.dirty).retain(|waiting| waiting != topic);
    }

    pub(crate) fn announce(&self, topic: &str) {
        let mut registry = lock(&self.registry);
        if !registry.full.is_empty() {
            registry.held.push(topic.to_owned());
            return;
        }
        for mailbox in registry.by_topic.get(topic).into_iter().flat_map(BTreeMap::values) {
            mailbox.mark(topic);
        }
    }

    /// Where a defect is planted: while a socket is full, nothing is announced to anybody.
    pub(crate) fn hold(&self, mailbox: &Mailbox, is_full: bool) {
        let mut registry = lock(&self.registry);
        if is_full {
            registry.full.insert(mailbox.id);
        } else {
            registry.full.remove(&mailbox.id);
        }
        let free = registry.full.is_empty();
        let held = if free { std::mem::take(&mut registry.held) } else { Vec::new() };
        drop(registry);
        held.iter().for_each(|topic| self.announce(topic));
    }

    pub(crate) fn revoke(&self, jti: &str) {
        let registry = lock(&self.registry);
        for mailbox in registry.by_jti.get(jti).into_iter().flat_map(BTreeMap::values) {
            mailbox.revoked.store(true, Ordering::Release);
            mailbox.notify.notify_one();
        }
    }
}

fn remove(mailboxes: &mut Mailboxes, key: &str, id: u64) {
    if let Some(of_key) = mailboxes.get_mut(key) {
        of_key.remove(&id);
        if of_key.is_empty() {
            mailboxes.remove(key);
        }
    }
}

/// Locks, also after a panic of another holder: every change is a single insertion or removal, so the data is
/// consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
