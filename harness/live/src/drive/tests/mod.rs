//! Tests of the driver against lanes in memory.

use cutover_core::evidence::RunEvent;

use super::EventSink;

mod driver;
mod fake;
mod retries;
mod tokens;

/// Takes no events.
pub(super) struct NoEvents;

impl EventSink for NoEvents {
    fn event(&self, _: RunEvent) {}
}
