//! Reads TOML values with their positions: wrong types and unknown keys become mistakes, and reading goes on.

use std::collections::BTreeMap;

use toml_edit::{ImDocument, Item, TableLike, Value};

use super::errors::{Mistakes, did_you_mean};

/// The most lines that are given up in one file.
const MAX_SYNTAX_ERRORS: usize = 64;

/// Parses TOML. Where a line is no TOML, it is noted, blanked and the rest is read all the same; a broken table header
/// takes its section with it, and of lines that fail one after the other only the first is noted. Returns what could be
/// read.
pub(crate) fn parse_toml(text: &str, mistakes: &mut Mistakes) -> Option<ImDocument<String>> {
    let mut rest = text.to_owned();
    let mut last: Option<usize> = None;
    for _ in 0..MAX_SYNTAX_ERRORS {
        let error = match ImDocument::parse(rest.clone()) {
            Ok(document) => return Some(document),
            Err(error) => error,
        };
        let at = error.span().map_or(rest.len(), |span| span.start).min(rest.len());
        let bytes = rest.as_bytes();
        let follows = last.is_some_and(|last| last <= at && bytes[last..at].iter().all(u8::is_ascii_whitespace));
        if !follows {
            let message = error.message().trim().replace('\n', ", ");
            let hint = "texts stand in \"quotes\", lists in [brackets], and each key before a `=`".to_owned();
            mistakes.local(at, format!("this is no TOML: {message}"), hint);
        }
        let blanked = blank_line(&rest, at);
        if blanked == rest {
            return None;
        }
        last = Some(at);
        rest = blanked;
    }
    None
}

/// Where the value stands that dots lead to from the top, where there is one.
pub(crate) fn offset_of(text: &str, key: &str) -> Option<usize> {
    let document = ImDocument::parse(text).ok()?;
    let mut item = document.as_item();
    for part in key.split('.') {
        item = item.get(part)?;
    }
    Some(item.span()?.start)
}

/// The text with the line at `at` (and where it begins a section, the section) replaced by spaces, so that offsets
/// stay.
fn blank_line(text: &str, at: usize) -> String {
    let bytes = text.as_bytes();
    let at = at.min(bytes.len().saturating_sub(1));
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |p| p + 1);
    let line_end = |from: usize| bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |p| from + p);
    let mut end = line_end(start);
    if bytes[start..end].trim_ascii().starts_with(b"[") {
        while end < bytes.len() && !bytes[end + 1..line_end(end + 1)].trim_ascii().starts_with(b"[") {
            end = line_end(end + 1);
        }
    }
    let blank = |byte: u8| if byte == b'\n' { byte } else { b' ' };
    let blanked = bytes.iter().enumerate().map(|(i, byte)| if i < start || i >= end { *byte } else { blank(*byte) });
    // The span ends at line ends, so no character is cut; were one cut all the same, nothing is blanked.
    String::from_utf8(blanked.collect()).unwrap_or_else(|_| text.to_owned())
}

#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    pub(crate) at: usize,
    kind: Kind<'a>,
}

#[derive(Clone, Copy)]
enum Kind<'a> {
    Item(&'a Item),
    Value(&'a Value),
    Table(&'a dyn TableLike),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) at: usize,
}

impl<'a> Node<'a> {
    fn value(self) -> Option<&'a Value> {
        match self.kind {
            Kind::Item(item) => item.as_value(),
            Kind::Value(value) => Some(value),
            Kind::Table(_) => None,
        }
    }

    pub(crate) fn table(self) -> Option<&'a dyn TableLike> {
        match self.kind {
            Kind::Item(item) => item.as_table_like(),
            Kind::Value(value) => value.as_inline_table().map(|table| table as &dyn TableLike),
            Kind::Table(table) => Some(table),
        }
    }

    pub(crate) fn str(self) -> Option<&'a str> {
        self.value().and_then(Value::as_str)
    }

    pub(crate) fn integer(self) -> Option<i64> {
        self.value().and_then(Value::as_integer)
    }

    pub(crate) fn truth(self) -> Option<bool> {
        self.value().and_then(Value::as_bool)
    }

    /// A date without a time, as `2027-06-30`.
    pub(crate) fn date(self) -> Option<String> {
        let datetime = self.value().and_then(Value::as_datetime)?;
        datetime.date.filter(|_| datetime.time.is_none()).map(|date| date.to_string())
    }

    pub(crate) fn fraction(self) -> Option<f64> {
        let value = self.value()?;
        value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
    }

    /// The value as JSON text; nothing where JSON has no words for it.
    pub(crate) fn json(self) -> Option<String> {
        json(self).and_then(|value| serde_json::to_string(&value).ok())
    }

    pub(crate) fn list(self) -> Option<Vec<Node<'a>>> {
        if let Some(array) = self.value().and_then(Value::as_array) {
            let node = |value: &'a Value| Node {
                at: value.span().map_or(self.at, |span| span.start),
                kind: Kind::Value(value),
            };
            return Some(array.iter().map(node).collect());
        }
        let Kind::Item(Item::ArrayOfTables(tables)) = self.kind else {
            return None;
        };
        let node = |table: &'a toml_edit::Table| Node {
            at: table.span().map_or(self.at, |span| span.start),
            kind: Kind::Table(table),
        };
        Some(tables.iter().map(node).collect())
    }

    pub(crate) fn type_name(self) -> &'static str {
        let name = match self.kind {
            Kind::Item(item) => item.type_name(),
            Kind::Value(value) => value.type_name(),
            Kind::Table(_) => "table",
        };
        match name {
            "string" => "a text",
            "integer" => "a whole number",
            "float" => "a fraction",
            "boolean" => "true or false",
            "datetime" => "a date",
            "array" | "array of tables" => "a list",
            _ => "a table",
        }
    }
}

/// Nesting beyond this is none that a scenario has a use for.
const MAX_DEPTH: usize = 32;

const MAX_LIST: usize = 256;

fn json(node: Node<'_>) -> Option<serde_json::Value> {
    nested_json(node, MAX_DEPTH)
}

fn nested_json(node: Node<'_>, depth: usize) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    let depth = depth.checked_sub(1)?;
    if let Some(list) = node.list() {
        return list.into_iter().map(|member| nested_json(member, depth)).collect::<Option<Vec<_>>>().map(Json::Array);
    }
    if let Some(table) = node.table() {
        let member = |(key, item): (&str, &'_ Item)| {
            let node = Node { at: node.at, kind: Kind::Item(item) };
            Some((key.to_owned(), nested_json(node, depth)?))
        };
        return table.iter().map(member).collect::<Option<serde_json::Map<_, _>>>().map(Json::Object);
    }
    match node.value()? {
        Value::String(text) => Some(Json::String(text.value().clone())),
        Value::Integer(number) => Some(Json::from(*number.value())),
        Value::Float(number) => serde_json::Number::from_f64(*number.value()).map(Json::Number),
        Value::Boolean(truth) => Some(Json::Bool(*truth.value())),
        _ => None,
    }
}

/// A table that is being read, with what it is called in messages.
pub(crate) struct Section<'a> {
    pub(crate) at: usize,
    what: String,
    table: &'a dyn TableLike,
}

impl<'a> Section<'a> {
    pub(crate) fn root(document: &'a ImDocument<String>) -> Section<'a> {
        Section { at: 0, what: "a scenario".to_owned(), table: document.as_table() }
    }

    /// A table among others; something else is a mistake.
    pub(crate) fn of(node: Node<'a>, what: &str, mistakes: &mut Mistakes) -> Option<Section<'a>> {
        let Some(table) = node.table() else {
            let found = node.type_name();
            mistakes.local(node.at, format!("{what} is a table, but this is {found}"), None);
            return None;
        };
        Some(Section { at: node.at, what: what.to_owned(), table })
    }

    /// Calls the section by another name from here on.
    pub(crate) fn called(mut self, what: String) -> Section<'a> {
        self.what = what;
        self
    }

    pub(crate) fn only(&self, known: &[&str], mistakes: &mut Mistakes) {
        for (key, _) in self.table.iter() {
            if !known.contains(&key) {
                let what = format!("{} has no key `{key}`", self.what);
                mistakes.local(self.key_at(key), what, did_you_mean(key, known));
            }
        }
    }

    fn key_at(&self, key: &str) -> usize {
        self.table.key(key).and_then(|key| key.span()).map_or(self.at, |span| span.start)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<Node<'a>> {
        let item = self.table.get(key)?;
        let at = item.span().map_or_else(|| self.key_at(key), |span| span.start);
        Some(Node { at, kind: Kind::Item(item) })
    }

    pub(crate) fn need(&self, key: &str, mistakes: &mut Mistakes) -> Option<Node<'a>> {
        let found = self.get(key);
        if found.is_none() {
            mistakes.whole(self.at, format!("{} needs `{key}`", self.what), None);
        }
        found
    }

    pub(crate) fn text(&self, key: &str, mistakes: &mut Mistakes) -> Option<At<&'a str>> {
        let node = self.get(key)?;
        as_text(node, key, mistakes)
    }

    pub(crate) fn need_text(&self, key: &str, mistakes: &mut Mistakes) -> Option<At<&'a str>> {
        let node = self.need(key, mistakes)?;
        as_text(node, key, mistakes)
    }

    pub(crate) fn number(
        &self,
        key: &str,
        bounds: std::ops::RangeInclusive<u64>,
        mistakes: &mut Mistakes,
    ) -> Option<u64> {
        as_number(self.get(key)?, key, bounds, mistakes)
    }

    pub(crate) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)], mistakes: &mut Mistakes) -> Option<T> {
        let text = self.text(key, mistakes)?;
        as_word(text, key, words, mistakes)
    }

    pub(crate) fn list(&self, key: &str, mistakes: &mut Mistakes) -> Vec<Node<'a>> {
        let Some(node) = self.get(key) else {
            return Vec::new();
        };
        if let Some(list) = node.list() {
            return bounded(list, key, node.at, mistakes);
        }
        mistakes.local(node.at, format!("`{key}` is a list, but this is {}", node.type_name()), None);
        Vec::new()
    }

    pub(crate) fn texts(&self, key: &str, mistakes: &mut Mistakes) -> Vec<At<&'a str>> {
        let nodes = self.list(key, mistakes);
        nodes.into_iter().filter_map(|node| as_text(node, key, mistakes)).collect()
    }
}

/// A list of no more members than a scenario may have; what is beyond them is refused, and not read.
pub(crate) fn bounded<T>(mut list: Vec<T>, key: &str, at: usize, mistakes: &mut Mistakes) -> Vec<T> {
    if list.len() > MAX_LIST {
        let what = format!("`{key}` has {} members; at most {MAX_LIST} are possible", list.len());
        mistakes.local(at, what, "make several scenarios of it".to_owned());
        list.truncate(MAX_LIST);
    }
    list
}

pub(crate) fn as_text<'a>(node: Node<'a>, key: &str, mistakes: &mut Mistakes) -> Option<At<&'a str>> {
    let Some(value) = node.str() else {
        mistakes.local(node.at, format!("`{key}` is text, but this is {}", node.type_name()), None);
        return None;
    };
    Some(At { value, at: node.at })
}

pub(crate) fn as_number(
    node: Node<'_>,
    key: &str,
    bounds: std::ops::RangeInclusive<u64>,
    mistakes: &mut Mistakes,
) -> Option<u64> {
    let number = node.integer().and_then(|integer| u64::try_from(integer).ok());
    let number = number.filter(|number| bounds.contains(number));
    if number.is_none() {
        let (low, high) = bounds.into_inner();
        mistakes.local(node.at, format!("`{key}` is a whole number from {low} to {high}"), None);
    }
    number
}

pub(crate) fn as_truth(node: Node<'_>, key: &str, mistakes: &mut Mistakes) -> bool {
    node.truth().unwrap_or_else(|| {
        mistakes.local(node.at, format!("`{key}` is true or false, but this is {}", node.type_name()), None);
        false
    })
}

pub(crate) fn as_word<T: Copy>(text: At<&str>, key: &str, words: &[(&str, T)], mistakes: &mut Mistakes) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text.value);
    if found.is_none() {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let what = format!("unknown {key} `{}`", text.value);
        mistakes.local(text.at, what, did_you_mean(text.value, &known));
    }
    found.map(|(_, value)| *value)
}

/// Texts under a key, each one of `known` and none twice, sorted, with where each stands.
pub(crate) fn known_texts(
    root: &Section<'_>,
    key: &str,
    what: &str,
    known: &[&str],
    mistakes: &mut Mistakes,
) -> Vec<At<String>> {
    let mut seen = BTreeMap::new();
    for text in root.texts(key, mistakes) {
        if !known.contains(&text.value) {
            let problem = format!("there is no {what} `{}`", text.value);
            mistakes.local(text.at, problem, did_you_mean(text.value, known));
        } else if seen.contains_key(text.value) {
            mistakes.local(text.at, format!("`{}` stands here twice", text.value), None);
        } else {
            seen.insert(text.value.to_owned(), text.at);
        }
    }
    seen.into_iter().map(|(value, at)| At { value, at }).collect()
}
