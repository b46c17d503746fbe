//! Moments in files of others.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Seconds since 1970, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// Reads RFC 3339, with an offset: `2026-02-25T19:00:00Z`. Fractions of a second are cut off.
    pub fn parse(text: &str) -> Option<Moment> {
        let read = toml_edit::Datetime::from_str(text).ok()?;
        let (date, time) = (read.date?, read.time?);
        let minutes = match read.offset? {
            toml_edit::Offset::Z => 0,
            toml_edit::Offset::Custom { minutes } => i64::from(minutes),
        };
        let days = days_since_1970(i64::from(date.year), i64::from(date.month), i64::from(date.day));
        let seconds = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second);
        Some(Moment(days * 86_400 + seconds - minutes * 60))
    }

    /// Seconds from an earlier moment; negative where it is a later one.
    pub fn since(self, earlier: Moment) -> i64 {
        self.0 - earlier.0
    }
}

/// Days of the proleptic Gregorian calendar. Years begin in March, so that a leap day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// A length of time in words: `90 s`, `10 min`, `3 h`.
pub(super) fn in_words(seconds: i64) -> impl fmt::Display {
    match seconds.unsigned_abs() {
        less @ 0..=180 => format!("{less} s"),
        less @ 181..=10_800 => format!("{} min", less / 60),
        more => format!("{} h", more / 3600),
    }
}
