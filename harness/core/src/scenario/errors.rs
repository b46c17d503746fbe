//! The mistakes of a scenario file, reported all at once, each with its position, what is wrong, and how to mend it.

use std::collections::BTreeMap;
use std::fmt;

use crate::text::visible;

/// So many mistakes of a kind are reported one by one; the others are counted.
const MAX_OF_A_KIND: usize = 20;
const MAX_WHAT: usize = 400;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    pub path: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub what: String,
    pub hint: Option<String>,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ScenarioError { path, line, column, what, hint } = self;
        // Text from the file can't begin a new line.
        write!(f, "{path}:{line}:{column}: {}", visible(what))?;
        match hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Every mistake of one file, in the order of their positions. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ScenarioErrors {
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

/// Whether a mistake remains one when other lines of the file could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It does: the text at the position is wrong by itself.
    Local,
    /// It may not: the text is wrong in the light of the rest of the file.
    Whole,
}

#[derive(Debug, Default)]
pub(crate) struct Mistakes {
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
    /// Reports text that is wrong by itself.
    pub(crate) fn local(&mut self, at: usize, what: impl Into<String>, hint: impl Into<Option<String>>) {
        self.push(at, what.into(), hint.into(), Reach::Local);
    }

    /// Reports text that is wrong in the light of the rest of the file.
    pub(crate) fn whole(&mut self, at: usize, what: impl Into<String>, hint: impl Into<Option<String>>) {
        self.push(at, what.into(), hint.into(), Reach::Whole);
    }

    /// Like [`Mistakes::whole`], unless this position has a mistake already: what is rehearsed for many cases is
    /// reported once.
    pub(crate) fn once(&mut self, at: usize, what: impl Into<String>, hint: impl Into<Option<String>>) {
        if self.found.iter().all(|mistake| mistake.at != at) {
            self.whole(at, what, hint);
        }
    }

    fn push(&mut self, at: usize, what: String, hint: Option<String>, reach: Reach) {
        self.found.push(Mistake { at, what, hint, reach });
    }

    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Drops the mistakes that may not be any.
    pub(crate) fn keep_local(&mut self) {
        self.found.retain(|mistake| mistake.reach == Reach::Local);
    }

    pub(crate) fn append(&mut self, mut other: Mistakes) {
        self.found.append(&mut other.found);
    }

    /// The mistakes with lines and columns, or `None` where there are none.
    pub(crate) fn into_errors(mut self, path: &str, text: &str) -> Option<ScenarioErrors> {
        if self.found.is_empty() {
            return None;
        }
        self.found.sort_by_key(|mistake| mistake.at);
        let mut lines = Lines::of(text);
        let mut errors: Vec<ScenarioError> = Vec::new();
        // Of each kind, how many there are, and the index of the entry that counts those beyond the most.
        let mut kinds = BTreeMap::<String, (usize, usize)>::new();
        for mistake in self.found {
            let (line, column) = lines.at(mistake.at);
            let (count, first_uncounted) = kinds.entry(kind(&mistake.what)).or_insert((0, errors.len()));
            *count += 1;
            let what = match *count {
                ..=MAX_OF_A_KIND => cut(&mistake.what),
                more => {
                    let more = more - MAX_OF_A_KIND;
                    let like = kind(&mistake.what);
                    if more > 1 {
                        errors[*first_uncounted].what = format!("and {} more like it: {like}", grouped(more));
                        continue;
                    }
                    *first_uncounted = errors.len();
                    format!("and 1 more like it: {like}")
                }
            };
            errors.push(ScenarioError {
                path: path.to_owned(),
                line,
                column,
                what,
                hint: mistake.hint.filter(|_| *count <= MAX_OF_A_KIND),
            });
        }
        Some(ScenarioErrors { errors })
    }
}

/// What mistakes of one kind have in common: their words, without what is quoted.
fn kind(what: &str) -> String {
    let parts = what.split('`').enumerate();
    let parts: Vec<_> = parts.map(|(at, part)| if at % 2 == 0 { part } else { "…" }).collect();
    cut(&parts.join("`"))
}

/// Text from the file is cut, so that a line of a terminal has room for it.
fn cut(what: &str) -> String {
    match what.char_indices().nth(MAX_WHAT) {
        Some((end, _)) => format!("{}…", &what[..end]),
        None => what.to_owned(),
    }
}

/// A number with a comma before each three digits.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// Converts offsets that grow to lines and columns, in one pass over the text.
pub(crate) struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    column: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Lines<'a> {
        Lines { text, at: 0, line: 1, column: 1 }
    }

    /// The line and column, both from 1, of a byte offset that is not before the last one. An offset inside a character
    /// counts as the offset of that character.
    pub(crate) fn at(&mut self, at: usize) -> (usize, usize) {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        for c in self.text.get(self.at..at).unwrap_or_default().chars() {
            (self.line, self.column) = if c == '\n' { (self.line + 1, 1) } else { (self.line, self.column + 1) };
        }
        self.at = self.at.max(at);
        (self.line, self.column)
    }
}

/// A hint that names what was probably meant, or else what is known.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> Option<String> {
    let close = known
        .iter()
        .filter(|_| word.len() <= MAX_WHAT)
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
mod tests;
