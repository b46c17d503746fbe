//! What was done to a lane's server.

use serde::{Deserialize, Serialize};

use crate::plan::ModuleUpdate;

#[allow(missing_docs, reason = "the names say it")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Process {
    Started,
    Killed {
        #[serde(default, skip_serializing_if = "KillWait::is_durable")]
        waited_for: KillWait,
    },
    /// It was asked to end, and ended in good order.
    Stopped,
    Paused,
    Resumed,
    /// The module of its database is about to be published anew.
    Updating {
        update: ModuleUpdate,
    },
    /// It ended without being asked to.
    Died {
        status: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KillWait {
    /// Until the last acknowledged event was on disk. Such a kill shows that what is on disk is replayed, and not that
    /// what was seen is durable.
    #[default]
    Durable,
    Nothing,
}

impl KillWait {
    fn is_durable(&self) -> bool {
        *self == KillWait::Durable
    }
}
