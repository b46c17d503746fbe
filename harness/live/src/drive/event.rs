//! Where the driver reports its progress.

use cutover_core::evidence::RunEvent;

/// Takes events. It is called from many tasks, so it must be quick.
pub trait EventSink: Send + Sync {
    #[allow(missing_docs, reason = "the name says it")]
    fn event(&self, event: RunEvent);
}
