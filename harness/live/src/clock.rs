//! The wall clock, for names and for times that people read. It is asked once: what follows is measured by the monotonic
//! clock, so that a step of the wall clock during a run neither shortens the run nor puts an event before its cause.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
pub fn wall_clock_us() -> u64 {
    static BEGAN: OnceLock<(Instant, u128)> = OnceLock::new();
    let (began, at) = BEGAN.get_or_init(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (Instant::now(), since.as_micros())
    });
    u64::try_from(at + began.elapsed().as_micros()).unwrap_or(u64::MAX)
}
