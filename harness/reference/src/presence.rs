//! How many clients are joined, by the names that they join with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::defects::Defect;
use crate::shared::Shared;

/// The longest name that is counted, in characters.
const MAX_NAME: usize = 200;

type Key = (String, Option<String>);

/// The joined clients: how often each name is joined, with the token's id.
#[derive(Default)]
pub(crate) struct Clients(Mutex<BTreeMap<Key, u64>>);

impl Clients {
    /// Counts by name.
    pub(crate) fn by_name(&self) -> BTreeMap<String, u64> {
        let mut names = BTreeMap::new();
        for ((name, _), count) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            *names.entry(name.clone()).or_default() += count;
        }
        names
    }

    fn change(&self, key: &Key, change: impl FnOnce(&mut u64)) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = clients.entry(key.clone()).or_default();
        change(count);
        if *count == 0 {
            clients.remove(key);
        }
    }

    fn knows(&self, jti: Option<&String>) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().any(|(_, known)| known.as_ref() == jti)
    }
}

/// A joined client, counted until it is dropped. One that gives no name is not counted.
pub(crate) struct Presence {
    shared: Arc<Shared>,
    counted: Option<Key>,
}

impl Presence {
    pub(crate) fn new(shared: Arc<Shared>, name: Option<String>, jti: Option<String>) -> Presence {
        let is_counted = !(shared.config.defects.has(Defect::CountByIdentity) && shared.clients.knows(jti.as_ref()));
        let counted = name.filter(|_| is_counted).map(|name| (name.chars().take(MAX_NAME).collect(), jti));
        if let Some(key) = &counted {
            shared.clients.change(key, |count| *count += 1);
        }
        Presence { shared, counted }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let stays = self.shared.config.defects.has(Defect::CountStays);
        if let Some(key) = self.counted.as_ref().filter(|_| !stays) {
            self.shared.clients.change(key, |count| *count = count.saturating_sub(1));
        }
    }
}
