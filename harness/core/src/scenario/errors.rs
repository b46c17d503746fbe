//! What is wrong with a scenario file: every mistake at once, each with where, what and how to mend it.

use std::fmt;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file, as it was named to the parser.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// How to mend it, where that can be said.
    pub hint: Option<String>,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ScenarioError {
            path,
            line,
            column,
            what,
            hint,
        } = self;
        write!(f, "{path}:{line}:{column}: {what}")?;
        match hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Every mistake of one file, in the order of their positions. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ScenarioErrors {
    /// The mistakes.
    pub errors: Vec<ScenarioError>,
}

impl fmt::Display for ScenarioErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

/// A mistake's reach: whether it still stands when other lines of the file could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The words at the position are wrong by themselves.
    Local,
    /// The words are wrong given the rest of the file, which may be unread.
    Whole,
}

/// Collects mistakes by byte offset while a file is read.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    found: Vec<Mistake>,
}

#[derive(Debug)]
struct Mistake {
    at: usize,
    what: String,
    hint: Option<String>,
    reach: Reach,
}

impl Mistakes {
    /// Words that are wrong by themselves.
    pub(super) fn local(&mut self, at: usize, what: impl Into<String>, hint: impl Into<Option<String>>) {
        self.push(at, what.into(), hint.into(), Reach::Local);
    }

    /// Words that are wrong given the rest of the file.
    pub(super) fn whole(&mut self, at: usize, what: impl Into<String>, hint: impl Into<Option<String>>) {
        self.push(at, what.into(), hint.into(), Reach::Whole);
    }

    /// Like [`Mistakes::whole`], unless something is said of this position already: what is simulated for many cases is
    /// said once.
    pub(super) fn once(&mut self, at: usize, what: impl Into<String>, hint: impl Into<Option<String>>) {
        if self.found.iter().all(|mistake| mistake.at != at) {
            self.whole(at, what, hint);
        }
    }

    fn push(&mut self, at: usize, what: String, hint: Option<String>, reach: Reach) {
        self.found.push(Mistake { at, what, hint, reach });
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Forgets what only the whole file could say.
    pub(super) fn keep_local(&mut self) {
        self.found.retain(|mistake| mistake.reach == Reach::Local);
    }

    pub(super) fn append(&mut self, mut other: Mistakes) {
        self.found.append(&mut other.found);
    }

    /// The mistakes with lines and columns, or `None` where there are none.
    pub(super) fn into_errors(mut self, path: &str, text: &str) -> Option<ScenarioErrors> {
        if self.found.is_empty() {
            return None;
        }
        self.found.sort_by_key(|mistake| mistake.at);
        let errors = self.found.into_iter().map(|mistake| {
            let (line, column) = line_and_column(text, mistake.at);
            ScenarioError {
                path: path.to_owned(),
                line,
                column,
                what: mistake.what,
                hint: mistake.hint,
            }
        });
        Some(ScenarioErrors {
            errors: errors.collect(),
        })
    }
}

/// The line and column, both from 1, of a byte offset; an offset inside a character counts as that character's.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// A hint that names what was probably meant, or what there is.
pub(super) fn did_you_mean(word: &str, known: &[&str]) -> Option<String> {
    let close = known
        .iter()
        .map(|name| (strsim::jaro_winkler(word, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match close {
        Some((_, name)) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known are: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        assert_eq!(line_and_column("a\nüb", 0), (1, 1));
        assert_eq!(line_and_column("a\nüb", 4), (2, 2));
        assert_eq!(line_and_column("a\nüb", 3), (2, 1), "inside a character");
        assert_eq!(line_and_column("a", 99), (1, 2), "past the end");
    }

    #[test]
    fn a_near_miss_is_named_and_anything_else_gets_the_list() {
        let known = ["publish", "policy"];
        assert_eq!(
            did_you_mean("publsh", &known).as_deref(),
            Some("did you mean `publish`?")
        );
        assert_eq!(
            did_you_mean("zzz", &known).as_deref(),
            Some("known are: publish, policy")
        );
    }
}
