//! Reads TOML such that every error says where it is and how to mend it.

use serde::de::DeserializeOwned;

/// What is wrong with a profile or with a lane's URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what} ({hint}){}", more.iter().map(|error| format!("\n{error}")).collect::<String>())]
pub struct ProfileError {
    /// The file, with line and column where they are known, or the URL.
    pub at: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub hint: String,
    /// What else is wrong with the same file.
    pub more: Vec<ProfileError>,
}

/// So many mistakes of a file are told.
const MAX_MISTAKES: usize = 20;

impl ProfileError {
    pub(super) fn new(at: &str, what: impl Into<String>, hint: impl Into<String>) -> ProfileError {
        ProfileError {
            at: at.to_owned(),
            what: what.into(),
            hint: hint.into(),
            more: Vec::new(),
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

/// The profile itself; a key that is not known is an error. Every mistake of the file is told at once: the lines of one are
/// blanked out to find the next.
pub(super) fn body<T: DeserializeOwned>(text: &str, path: &str) -> Result<T, ProfileError> {
    let mut rest = text.to_owned();
    let mut mistakes: Vec<ProfileError> = Vec::new();
    while mistakes.len() < MAX_MISTAKES {
        let error = match toml::from_str(&rest) {
            Ok(profile) if mistakes.is_empty() => return Ok(profile),
            Ok(_) => break,
            Err(error) => error,
        };
        let told = ProfileError::of_toml(text, path, &error);
        // What was blanked out may be what is missing now.
        let missing = told.what.starts_with("missing field");
        if !missing || mistakes.is_empty() {
            mistakes.push(told);
        }
        match error.span() {
            Some(span) if !missing => blank(&mut rest, span),
            _ => break,
        }
    }
    let mut mistakes = mistakes.into_iter();
    match mistakes.next() {
        Some(mut first) => {
            first.more = mistakes.collect();
            Err(first)
        }
        None => Err(ProfileError::new(
            path,
            "this is no lane profile",
            "docs/LANES.md has an example",
        )),
    }
}

/// Puts blanks in the place of the lines that a span touches; of a table's header, of the whole table. No line moves.
fn blank(text: &mut String, span: std::ops::Range<usize>) {
    let start = text
        .get(..span.start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |newline| newline + 1);
    let is_header = text.get(start..).is_some_and(|line| line.trim_start().starts_with('['));
    let from = span.end.max(start);
    let end = match text.get(from..) {
        Some(after) if is_header => after.find("\n[").map_or(text.len(), |next| from + next),
        Some(after) => after.find('\n').map_or(text.len(), |newline| from + newline),
        None => text.len(),
    };
    let blanks: String = text[start..end]
        .chars()
        .map(|c| if c == '\n' { '\n' } else { ' ' })
        .collect();
    text.replace_range(start..end, &blanks);
}

/// Line and column of an offset, both from 1, columns in characters.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    (line, column)
}
