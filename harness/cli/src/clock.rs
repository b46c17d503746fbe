//! The wall clock: only for naming runs and for times that are kept apart from what is digested.

use cutover_live::clock::wall_clock_us;

/// A moment in UTC, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// Now.
    pub fn now() -> Moment {
        Moment(wall_clock_us() / 1000)
    }

    /// As a run's name has it: `20260225T190000Z`.
    pub fn compact(self) -> String {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.time();
        format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }

    /// As RFC 3339 has it: `2026-02-25T19:00:00Z`.
    pub fn rfc3339(self) -> String {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.time();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// As RFC 3339 has it, to the millisecond: `2026-02-25T19:00:00.125Z`.
    pub fn rfc3339_ms(self) -> String {
        let seconds = self.rfc3339();
        format!("{}.{:03}Z", seconds.trim_end_matches('Z'), self.0 % 1000)
    }

    fn time(self) -> (u64, u64, u64) {
        let seconds = self.0 / 1000;
        (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
    }

    /// Days to a civil date, in the proleptic Gregorian calendar, counted in eras of 400 years that begin on 1 March.
    fn date(self) -> (u64, u64, u64) {
        let days = self.0 / 86_400_000 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        (year, month, day)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Durations are measured by the monotonic clock. What may ask the wall clock: the one clock of the tool, the times of the
    /// service's answers and seeds, a token's age, and the date of a `Retry-After`.
    #[test]
    fn the_wall_clock_is_asked_in_few_places() {
        let allowed = [
            "live/src/clock.rs",
            "live/src/lane/passing.rs",
            "reference/src/socket/upgrade.rs",
            "toxiproxy/src/moment.rs",
            "toxiproxy/src/server.rs",
        ];
        let harness = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut folders: Vec<_> = ["cli", "core", "live", "reference", "toxiproxy"]
            .map(|room| harness.join(room).join("src"))
            .into();
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let word = concat!("System", "Time");
                if path.is_dir() {
                    folders.push(path);
                } else if std::fs::read_to_string(&path).is_ok_and(|text| text.contains(word)) {
                    found.push(path.strip_prefix(harness).unwrap().display().to_string());
                }
            }
        }
        found.sort();
        assert_eq!(found, allowed);
    }

    #[test]
    fn moments_are_written_as_utc_dates() {
        for (unix_ms, expect) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_772_046_000_000, "2026-02-25T19:00:00Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59Z"),
        ] {
            assert_eq!(Moment(unix_ms).rfc3339(), expect);
        }
        assert_eq!(Moment(1_772_046_000_000).compact(), "20260225T190000Z");
        assert_eq!(Moment(1_772_046_000_007).rfc3339_ms(), "2026-02-25T19:00:00.007Z");
    }
}
