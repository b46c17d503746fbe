//! What is wrong with a scenario file: every mistake at once, each with where, what and how to mend it.

use std::collections::BTreeMap;
use std::fmt;

use crate::text::visible;

/// So many mistakes of a kind are told one by one; the others are counted.
const MAX_OF_A_KIND: usize = 20;
/// So many characters of a mistake are told.
const MAX_WHAT: usize = 400;

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
        let ScenarioError { path, line, column, what, hint } = self;
        // What a file holds can not begin a line of its own.
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
        let mut places = Places::of(text);
        let mut errors: Vec<ScenarioError> = Vec::new();
        // Of each kind, how many there are, and where the first stands that is only counted.
        let mut kinds = BTreeMap::<String, (usize, usize)>::new();
        for mistake in self.found {
            let (line, column) = places.at(mistake.at);
            let (count, untold) = kinds.entry(kind(&mistake.what)).or_insert((0, errors.len()));
            *count += 1;
            let what = match *count {
                ..=MAX_OF_A_KIND => cut(&mistake.what),
                more => {
                    let more = more - MAX_OF_A_KIND;
                    let like = kind(&mistake.what);
                    if more > 1 {
                        errors[*untold].what = format!("and {} more like it: {like}", grouped(more));
                        continue;
                    }
                    *untold = errors.len();
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

/// Words of a file are shown as far as a line of a terminal has room.
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

/// Lines and columns of offsets that grow, so that a text is gone through once.
pub(super) struct Places<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    column: usize,
}

impl<'a> Places<'a> {
    pub(super) fn of(text: &'a str) -> Places<'a> {
        Places { text, at: 0, line: 1, column: 1 }
    }

    /// The line and column, both from 1, of a byte offset that is not before the last one; an offset inside a character
    /// counts as that character's.
    pub(super) fn at(&mut self, at: usize) -> (usize, usize) {
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

/// A hint that names what was probably meant, or what there is.
pub(super) fn did_you_mean(word: &str, known: &[&str]) -> Option<String> {
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
