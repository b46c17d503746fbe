//! The set of planted defects that a server is started with; none by default.

#![allow(missing_docs, reason = "the names say it")]

use std::fmt;
use std::time::Duration;

pub use cutover_core::plan::defect::reference::Defect;

/// The sequence number at which every delivery defect fires, in each topic.
pub(crate) const DEFECT_SEQ: u64 = 5;

/// How many events a channel delivers live before it crashes.
pub(crate) const CRASH_AFTER: u64 = 3;

/// How late a slow server pushes events, and answers a subscribe with a cursor.
pub(crate) const LIVE_LATE: Duration = Duration::from_millis(40);
pub(crate) const RESUME_LATE: Duration = Duration::from_millis(100);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defects(Vec<Defect>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no defect `{name}`; known are: {}", Defect::NAMES.join(", "))]
pub struct UnknownDefect {
    pub name: String,
}

impl Defects {
    /// Reads names separated by commas; blanks are ignored.
    ///
    /// # Errors
    /// The first name that is not known.
    pub fn parse(names: &str) -> Result<Self, UnknownDefect> {
        let mut defects = Vec::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let known = Defect::ALL.iter().copied().find(|defect| defect.name() == name);
            let defect = known.ok_or_else(|| UnknownDefect { name: name.to_owned() })?;
            if !defects.contains(&defect) {
                defects.push(defect);
            }
        }
        Ok(Self(defects))
    }

    pub(crate) fn has(&self, defect: Defect) -> bool {
        self.0.contains(&defect)
    }

    /// The first of those that change payloads.
    pub(crate) fn of_payload(&self) -> Option<Defect> {
        self.0.iter().copied().find(|defect| *defect >= Defect::CutText65535)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Defects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|defect| defect.name()).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests;
