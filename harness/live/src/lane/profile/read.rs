//! Reads TOML such that every error says where it is and how to mend it.

use cutover_core::scenario::{position_of, syntax_errors};
use cutover_core::text::{masked, visible, without_value};
use serde::de::DeserializeOwned;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {} ({hint}){}", visible(what), more.iter().map(|error| format!("\n{error}")).collect::<String>())]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProfileError {
    /// The file, with line and column where they are known, or the URL.
    pub at: String,
    pub what: String,
    pub hint: String,
    pub more: Vec<ProfileError>,
}

const MAX_MISTAKES: usize = 20;
/// The same of a file that is longer than any profile has to be, in bytes.
const FEW_MISTAKES: usize = 3;
const LARGE: usize = 64 << 10;

impl ProfileError {
    pub(crate) fn new(at: &str, what: impl Into<String>, hint: impl Into<String>) -> ProfileError {
        ProfileError { at: at.to_owned(), what: what.into(), hint: hint.into(), more: Vec::new() }
    }

    /// The first of several, with the others behind it.
    fn all(mistakes: Vec<ProfileError>) -> Option<ProfileError> {
        let mut mistakes = mistakes.into_iter();
        let first = mistakes.next()?;
        Some(ProfileError { more: mistakes.collect(), ..first })
    }

    fn of_toml(text: &str, path: &str, error: &toml::de::Error) -> ProfileError {
        let at = match error.span() {
            Some(span) => {
                let (line, column) = line_and_column(text, span.start);
                format!("{path}:{line}:{column}")
            }
            None => path.to_owned(),
        };
        let what = without_value(error.message().trim());
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

pub(crate) struct Misfit {
    pub(crate) what: String,
    pub(crate) hint: String,
}

impl Misfit {
    pub(crate) fn new(what: impl Into<String>, hint: impl Into<String>) -> Misfit {
        Misfit { what: what.into(), hint: hint.into() }
    }
}

/// Every value of a profile that can't be used, by its key.
#[derive(Default)]
pub(crate) struct Misfits(Vec<(&'static str, Misfit)>);

impl Misfits {
    pub(crate) fn add(&mut self, key: &'static str, what: impl Into<String>, hint: impl Into<String>) {
        self.0.push((key, Misfit::new(what, hint)));
    }

    /// What a key's value comes to; nothing where it can't be used.
    pub(crate) fn take<T>(&mut self, key: &'static str, value: Result<T, Misfit>) -> Option<T> {
        value.map_err(|misfit| self.0.push((key, misfit))).ok()
    }

    /// The profile, or each misfit with its place in the file; without a text, of a URL.
    pub(crate) fn or<T>(self, value: T, at: &str, text: Option<&str>) -> Result<T, ProfileError> {
        let misfits = self.0.into_iter().map(|(key, misfit)| {
            let at = match text.and_then(|text| position_of(text, key)) {
                Some((line, column)) => format!("{at}:{line}:{column}"),
                None => at.to_owned(),
            };
            ProfileError::new(&at, misfit.what, misfit.hint)
        });
        ProfileError::all(misfits.collect()).map_or(Ok(value), Err)
    }
}

/// The profile's `kind`, which is one of these.
pub(crate) fn kind_of(text: &str, path: &str, kinds: &[&'static str]) -> Result<&'static str, ProfileError> {
    if let Some(broken) = syntax_errors(path, text) {
        let errors = broken.errors.into_iter().map(|error| {
            let at = format!("{}:{}:{}", error.path, error.line, error.column);
            let hint = error.hint.unwrap_or_default();
            ProfileError::new(&at, error.what, format!("{hint}; docs/LANES.md has an example"))
        });
        return Err(ProfileError::all(errors.collect()).unwrap_or_else(|| no_profile(path)));
    }
    let table: toml::Table = toml::from_str(text).map_err(|error| ProfileError::of_toml(text, path, &error))?;
    let what = match table.get("kind") {
        Some(toml::Value::String(kind)) => match kinds.iter().find(|known| **known == kind.as_str()) {
            Some(known) => return Ok(known),
            None => format!("`kind = \"{}\"` is no protocol", masked(kind)),
        },
        Some(_) => "`kind` is no text".to_owned(),
        None => "the profile has no `kind`".to_owned(),
    };
    let (line, column) = position_of(text, "kind").unwrap_or((1, 1));
    let choice: Vec<String> = kinds.iter().map(|kind| format!("`kind = \"{kind}\"`")).collect();
    Err(ProfileError::new(&format!("{path}:{line}:{column}"), what, format!("write {}", choice.join(" or "))))
}

fn no_profile(path: &str) -> ProfileError {
    ProfileError::new(path, "this is no lane profile", "docs/LANES.md has an example")
}

/// The profile itself; a key that is not known is an error. Every mistake of the file is reported at once: the lines
/// of one are blanked out to find the next.
pub(crate) fn body<T: DeserializeOwned>(text: &str, path: &str) -> Result<T, ProfileError> {
    let mut rest = text.to_owned();
    let mut mistakes: Vec<ProfileError> = Vec::new();
    // Each is found by reading all of the file once more.
    let most = if text.len() > LARGE { FEW_MISTAKES } else { MAX_MISTAKES };
    loop {
        let error = match toml::from_str(&rest) {
            Ok(profile) if mistakes.is_empty() => return Ok(profile),
            Ok(_) => break,
            Err(error) => error,
        };
        if mistakes.len() == most {
            let what = format!("there are more mistakes than {most}");
            mistakes.push(ProfileError::new(path, what, "mend these first"));
            break;
        }
        let mistake = ProfileError::of_toml(text, path, &error);
        // What was blanked out may be what is missing now.
        let missing = mistake.what.starts_with("missing field");
        if !missing || mistakes.is_empty() {
            mistakes.push(mistake);
        }
        match error.span() {
            Some(span) if !missing => blank(&mut rest, span),
            _ => break,
        }
    }
    Err(ProfileError::all(mistakes).unwrap_or_else(|| no_profile(path)))
}

/// Puts blanks in the place of the lines that a span touches; of a table's header, of the whole table. No line moves.
fn blank(text: &mut String, span: std::ops::Range<usize>) {
    let start = text.get(..span.start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let is_header = text.get(start..).is_some_and(|line| line.trim_start().starts_with('['));
    let from = span.end.max(start);
    let end = match text.get(from..) {
        Some(after) if is_header => after.find("\n[").map_or(text.len(), |next| from + next),
        Some(after) => after.find('\n').map_or(text.len(), |newline| from + newline),
        None => text.len(),
    };
    let blanks: String = text[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
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
