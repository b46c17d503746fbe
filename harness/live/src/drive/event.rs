//! Where the driver tells what it does: the only bridge from doing to showing.

use cutover_core::evidence::RunEvent;

/// Takes events; called from many tasks, so it must be quick.
pub trait EventSink: Send + Sync {
    /// Takes one.
    fn event(&self, event: RunEvent);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl EventSink for Quiet {
    fn event(&self, _: RunEvent) {}
}
