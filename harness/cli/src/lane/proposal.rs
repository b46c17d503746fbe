//! A proposed profile.

use serde::Serialize;

/// A profile, and what people should know before they use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The profile as TOML. Comments say what could not be decided.
    pub profile: String,
    /// What could not be decided, one line each.
    pub undecided: Vec<String>,
}
