//! What was done to a lane's server.

use serde::{Deserialize, Serialize};

/// What was done to a server's process.
#[allow(missing_docs, reason = "the names say it")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Process {
    /// It was started and answers.
    Started,
    /// `kill -9`.
    Killed {
        /// What the kill waited for.
        #[serde(default, skip_serializing_if = "KillWait::is_durable")]
        waited_for: KillWait,
    },
    /// SIGSTOP.
    Paused,
    /// SIGCONT.
    Resumed,
    /// It ended without being asked to.
    Died {
        /// Its exit status in words.
        status: String,
    },
}

/// What a kill waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KillWait {
    /// Until the last acknowledged event was on disk. Such a kill shows that what is on disk is replayed, and not that
    /// what was seen is durable.
    #[default]
    Durable,
    /// Nothing: it fell at once.
    Nothing,
}

impl KillWait {
    fn is_durable(&self) -> bool {
        *self == KillWait::Durable
    }
}
