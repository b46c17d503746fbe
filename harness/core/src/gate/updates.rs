//! Which updates of a module a lane takes.
#![allow(missing_docs, reason = "the names say it")]

use serde::{Deserialize, Serialize};

use crate::plan::ModuleUpdate;

/// Which updates of this tool's module a run can publish to a lane. Each kind has those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Updates {
    /// The run did not start the server, or the module is another one.
    #[default]
    None,
    Additive,
    /// SpacetimeDB 2 makes them. An older one asks for a migration by hand.
    Breaking,
}

impl Updates {
    pub(super) fn is_none(&self) -> bool {
        *self == Updates::None
    }
}

impl From<ModuleUpdate> for Updates {
    fn from(update: ModuleUpdate) -> Updates {
        match update {
            ModuleUpdate::Additive => Updates::Additive,
            ModuleUpdate::Breaking => Updates::Breaking,
        }
    }
}
