//! The wall clock, for names and for times that people read. It is read once: later times are measured by the monotonic
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

/// A moment in UTC, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    #[allow(missing_docs, reason = "the name says it")]
    pub fn now() -> Moment {
        Moment(wall_clock_us() / 1000)
    }

    /// The form of a run's name: `20260225T190000Z`.
    pub fn compact(self) -> String {
        self.rfc3339().replace(['-', ':'], "")
    }

    /// RFC 3339 to the second: `2026-02-25T19:00:00Z`.
    pub fn rfc3339(self) -> String {
        let (year, month, day) = self.date();
        let seconds = self.0 / 1000;
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// RFC 3339 to the millisecond: `2026-02-25T19:00:00.125Z`.
    pub fn rfc3339_ms(self) -> String {
        let seconds = self.rfc3339();
        format!("{}.{:03}Z", seconds.trim_end_matches('Z'), self.0 % 1000)
    }

    /// The civil date in the proleptic Gregorian calendar. Days are counted in eras of 400 years that begin on 1 March.
    fn date(self) -> (u64, u64, u64) {
        let days = self.0 / 86_400_000 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        (era * 400 + year_of_era + u64::from(month <= 2), month, day)
    }
}

#[cfg(test)]
mod tests;
