//! Reads TOML such that every error says where it is and how to mend it.

use serde::de::DeserializeOwned;

/// What is wrong with a profile or with a lane's URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what} ({hint})")]
pub struct ProfileError {
    /// The file, with line and column where they are known, or the URL.
    pub at: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub hint: String,
}

impl ProfileError {
    pub(super) fn new(at: &str, what: impl Into<String>, hint: impl Into<String>) -> ProfileError {
        ProfileError {
            at: at.to_owned(),
            what: what.into(),
            hint: hint.into(),
        }
    }

    fn of_toml(text: &str, path: &str, error: &toml::de::Error) -> ProfileError {
        let at = match error.span() {
            Some(span) => {
                let (line, column) = line_and_column(text, span.start);
                format!("{path}:{line}:{column}")
            }
            None => path.to_owned(),
        };
        let what = error.message().trim().to_owned();
        let hint = if what.starts_with("unknown field") {
            "check its spelling; docs/LANES.md lists every key"
        } else if what.starts_with("missing field") {
            "add it; docs/LANES.md has an example"
        } else {
            "docs/LANES.md lists every key with its type"
        };
        ProfileError::new(&at, what, hint)
    }
}

/// The profile's `kind`.
pub(super) fn kind(text: &str, path: &str) -> Result<String, ProfileError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| ProfileError::of_toml(text, path, &error))?;
    match table.get("kind") {
        Some(toml::Value::String(kind)) => Ok(kind.clone()),
        Some(_) => Err(ProfileError::new(
            path,
            "`kind` is no text",
            "write `kind = \"phoenix\"` or `kind = \"spacetime\"`",
        )),
        None => Err(ProfileError::new(
            path,
            "the profile has no `kind`",
            "write `kind = \"phoenix\"` or `kind = \"spacetime\"` first",
        )),
    }
}

/// The profile itself; a key that is not known is an error.
pub(super) fn body<T: DeserializeOwned>(text: &str, path: &str) -> Result<T, ProfileError> {
    toml::from_str(text).map_err(|error| ProfileError::of_toml(text, path, &error))
}

/// Line and column of an offset, both from 1, columns in characters.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    (line, column)
}
