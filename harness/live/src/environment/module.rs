//! The updates of the module of a space.

use std::sync::Arc;

use async_trait::async_trait;
use cutover_core::plan::ModuleUpdate;

use super::host::Host;
use crate::drive::ModuleControl;
use crate::lane::protocol::Space;

/// The module of a space that a plan updates.
pub(super) struct Updated {
    pub(super) host: Arc<Host>,
    pub(super) space: Space,
    /// The defects of what an additive update publishes.
    pub(super) defects: Vec<String>,
}

#[async_trait]
impl ModuleControl for Updated {
    async fn update(&self, update: ModuleUpdate) -> Result<(), String> {
        let updated = self.host.service.update_space(&self.space, update, &self.defects).await;
        updated.map_err(|error| error.to_string())
    }
}
