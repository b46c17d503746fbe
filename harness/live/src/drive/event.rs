//! What the driver tells while it drives: the only bridge from doing to showing.

use cutover_core::history::{Phase, Process};
use cutover_core::ids::{FaultId, LaneId};

/// Something that whoever watches may want to see.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A lane entered a phase of a scenario.
    Phase {
        /// The scenario.
        scenario: String,
        /// The lane.
        lane: LaneId,
        /// The phase.
        phase: Phase,
    },
    /// A planned fault fired.
    Fired {
        /// The scenario.
        scenario: String,
        /// The lane.
        lane: LaneId,
        /// The fault.
        fault: FaultId,
    },
    /// Something was done to a server.
    Process {
        /// The scenario.
        scenario: String,
        /// The lane.
        lane: LaneId,
        /// What.
        process: Process,
    },
}

/// Takes events; called from many tasks, so it must be quick.
pub trait EventSink: Send + Sync {
    /// Takes one.
    fn event(&self, event: Event);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl EventSink for Quiet {
    fn event(&self, _: Event) {}
}
