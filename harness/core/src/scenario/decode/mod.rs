//! Reads a scenario file into a draft: every table, every key, every word, and on past each mistake.

mod cast;
mod faults;
mod steps;

use std::collections::BTreeSet;

use toml_edit::ImDocument;

use super::draft::{Binding, CursorWord, Draft, Number};
use super::errors::{Mistakes, did_you_mean};
use super::read::{At, Node, Section, as_number, as_text, as_word};
use super::script::{Client, Stream};
use super::words::{self, keys};
use super::{AtLeast, Backoff, Expect};

/// The greatest number that a scenario may hold.
const MAX_NUMBER: u64 = 1_000_000;
/// The most entries of a list.
const MAX_LIST: usize = 256;
/// The most cases that a scenario may be expanded into.
const MAX_CASES: usize = 64;

/// The names that the rest of the file may use.
pub(super) struct Names<'a> {
    streams: &'a [At<Stream>],
    clients: &'a [At<Client>],
}

impl Names<'_> {
    fn stream(&self, topic: At<&str>, mistakes: &mut Mistakes) -> Option<usize> {
        let found = self.streams.iter().position(|stream| stream.value.topic == topic.value);
        if found.is_none() {
            let known: Vec<_> = self.streams.iter().map(|stream| stream.value.topic.as_str()).collect();
            let what = format!("no stream has the topic `{}`", topic.value);
            mistakes.whole(topic.at, what, did_you_mean(topic.value, &known));
        }
        found
    }

    fn client(&self, name: At<&str>, mistakes: &mut Mistakes) -> Option<usize> {
        let found = self.clients.iter().position(|client| client.value.name == name.value);
        if found.is_none() {
            let known: Vec<_> = self.clients.iter().map(|client| client.value.name.as_str()).collect();
            let what = format!("no client is called `{}`", name.value);
            mistakes.whole(name.at, what, did_you_mean(name.value, &known));
        }
        found
    }

    /// The clients under `clients`; `None` where the key is left out.
    fn clients(&self, section: &Section<'_>, mistakes: &mut Mistakes) -> Option<Vec<usize>> {
        section.has("clients").then(|| {
            let names = section.texts("clients", mistakes);
            names.into_iter().filter_map(|name| self.client(name, mistakes)).collect()
        })
    }

    /// The streams under `stream` or `streams`, one of which must be there.
    fn streams(&self, section: &Section<'_>, mistakes: &mut Mistakes) -> Vec<usize> {
        if section.has("streams") {
            let topics = section.texts("streams", mistakes);
            return topics.into_iter().filter_map(|topic| self.stream(topic, mistakes)).collect();
        }
        self.need_stream(section, mistakes).into_iter().collect()
    }

    fn need_stream(&self, section: &Section<'_>, mistakes: &mut Mistakes) -> Option<usize> {
        let topic = section.need_text("stream", mistakes)?;
        self.stream(topic, mistakes)
    }
}

/// Reads the whole file; what could not be read is left at its default, and the mistakes say so.
pub(super) fn decode(path: &str, document: &ImDocument<String>, mistakes: &mut Mistakes) -> Draft {
    let root = Section::root(document);
    let before = mistakes.len();
    let streams = cast::streams(&root, mistakes);
    let clients = cast::clients(&root, &streams, mistakes);
    let names = Names {
        streams: &streams,
        clients: &clients,
    };
    let steps = steps::steps(&root, &names, mistakes);
    let bindings = bindings(&root, mistakes);
    let walkable = mistakes.len() == before;
    let before = mistakes.len();
    let faults = faults::faults(&root, &names, mistakes);
    let faults_whole = mistakes.len() == before;
    root.only(keys::SCENARIO, mistakes);
    schema(&root, mistakes);
    let title = root.need_text("title", mistakes);
    Draft {
        name: name(path, &root, mistakes).unwrap_or_default(),
        title: title.map(|title| title.value.to_owned()).unwrap_or_default(),
        proves: proves(&root, mistakes),
        legacy_defects: legacy_defects(&root, mistakes),
        converge_within_ms: root.number("converge_within_ms", 100..=60_000, mistakes).unwrap_or(10_000),
        backoff: backoff(&root, mistakes),
        expand: root.get("expand").map(|node| At {
            value: (),
            at: node.at,
        }),
        bindings,
        walkable,
        faults_whole,
        at_least: at_least(&root, mistakes),
        expect: expect(&root, mistakes),
        streams,
        clients,
        steps,
        faults,
    }
}

fn schema(root: &Section<'_>, mistakes: &mut Mistakes) {
    let Some(node) = root.need("schema", mistakes) else {
        return;
    };
    if node.integer() != Some(1) {
        let hint = "this tool reads `schema = 1`".to_owned();
        mistakes.local(node.at, "unknown schema", hint);
    }
}

fn name(path: &str, root: &Section<'_>, mistakes: &mut Mistakes) -> Option<String> {
    let name = root.need_text("name", mistakes)?;
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = file.strip_suffix(".toml").unwrap_or(file);
    cast::check_name(name, "a scenario's name", mistakes);
    if name.value != stem {
        let what = format!("the scenario is called `{}`, but its file `{stem}`", name.value);
        mistakes.local(name.at, what, "give both the same name".to_owned());
    }
    Some(name.value.to_owned())
}

/// Texts under a key, each one of `known` and none twice.
fn known_texts(root: &Section<'_>, key: &str, what: &str, known: &[&str], mistakes: &mut Mistakes) -> Vec<String> {
    let mut seen = BTreeSet::new();
    for text in root.texts(key, mistakes) {
        if !known.contains(&text.value) {
            let problem = format!("there is no {what} `{}`", text.value);
            mistakes.local(text.at, problem, did_you_mean(text.value, known));
        } else if !seen.insert(text.value.to_owned()) {
            mistakes.local(text.at, format!("`{}` stands here twice", text.value), None);
        }
    }
    seen.into_iter().collect()
}

fn proves(root: &Section<'_>, mistakes: &mut Mistakes) -> Vec<String> {
    let rows = known_texts(root, "proves", "row of the verification matrix", words::MATRIX_ROWS, mistakes);
    if rows.is_empty() && !root.has("expect") {
        mistakes.whole(root.at, "the scenario proves no row of the verification matrix", {
            "add `proves = [\"replay-determinism\"]`, or the rows that it does prove".to_owned()
        });
    }
    rows
}

fn legacy_defects(root: &Section<'_>, mistakes: &mut Mistakes) -> Vec<String> {
    let what = "defect of the reference legacy server";
    known_texts(root, "legacy_defects", what, words::LEGACY_DEFECTS, mistakes)
}

fn backoff(root: &Section<'_>, mistakes: &mut Mistakes) -> Backoff {
    let default = Backoff::default();
    let Some(section) = root.get("backoff").and_then(|node| Section::of(node, "`backoff`", mistakes)) else {
        return default;
    };
    section.only(keys::BACKOFF, mistakes);
    let base_ms = section.number("base_ms", 1..=10_000, mistakes).unwrap_or(default.base_ms);
    let cap_ms = section.number("cap_ms", 1..=10_000, mistakes).unwrap_or(default.cap_ms.max(base_ms));
    if cap_ms < base_ms {
        mistakes.local(section.at, format!("the backoff's cap of {cap_ms} ms is below its base of {base_ms} ms"), None);
    }
    Backoff { base_ms, cap_ms }
}

fn at_least(root: &Section<'_>, mistakes: &mut Mistakes) -> At<AtLeast> {
    let nothing = At {
        value: AtLeast::default(),
        at: 0,
    };
    let Some(node) = root.need("at_least", mistakes) else {
        return nothing;
    };
    let Some(section) = Section::of(node, "`at_least`", mistakes) else {
        return nothing;
    };
    section.only(keys::AT_LEAST, mistakes);
    let mut number = |key| section.number(key, 0..=MAX_NUMBER, mistakes);
    let value = AtLeast {
        deliveries: number("deliveries").unwrap_or(0),
        resumes: number("resumes").unwrap_or(0),
        refusals: number("refusals").unwrap_or(0),
        duplicates: number("duplicates").unwrap_or(0),
        faults: number("faults"),
    };
    if value.deliveries == 0 {
        let hint = "give `deliveries` of 1 or more: a run that delivers nothing proves nothing".to_owned();
        mistakes.whole(node.at, "the scenario is content with no delivery at all", hint);
    }
    At { value, at: node.at }
}

fn expect(root: &Section<'_>, mistakes: &mut Mistakes) -> Option<Expect> {
    let section = Section::of(root.get("expect")?, "`expect`", mistakes)?;
    section.only(keys::EXPECT, mistakes);
    let decision = section.need_text("decision", mistakes)?;
    let block = as_word(decision, "decision", &[("allow", false), ("block", true)], mistakes)?;
    if !block {
        for key in ["findings", "lane"] {
            if let Some(node) = section.get(key) {
                mistakes.local(node.at, format!("a scenario that is allowed has no `{key}`"), None);
            }
        }
        return None;
    }
    let findings = known_texts(&section, "findings", "checker", words::CHECKERS, mistakes);
    if findings.is_empty() {
        mistakes.local(section.at, "a scenario that is blocked needs `findings`", None);
    }
    section.need("lane", mistakes)?;
    let lane = section.word("lane", words::LANES, mistakes)?;
    Some(Expect {
        findings,
        lane,
        at: section.at,
    })
}

fn bindings(root: &Section<'_>, mistakes: &mut Mistakes) -> Vec<Binding> {
    let none = vec![Binding::default()];
    let Some(node) = root.get("expand") else {
        return none;
    };
    let Some(section) = Section::of(node, "`expand`", mistakes) else {
        return none;
    };
    section.only(keys::EXPAND, mistakes);
    let positions = section.get("position").map_or_else(Vec::new, |node| positions(node, mistakes));
    let mut words_of = |key| section.texts(key, mistakes);
    let (hows, whens) = (words_of("how"), words_of("when"));
    let hows: Vec<_> = hows.into_iter().filter_map(|how| as_word(how, "how", words::CUTS, mistakes)).collect();
    let whens: Vec<_> = whens.into_iter().filter_map(|when| as_word(when, "when", words::WHENS, mistakes)).collect();
    let count = positions.len().max(1) * hows.len().max(1) * whens.len().max(1);
    if count > MAX_CASES {
        mistakes.local(node.at, format!("this makes {count} cases; at most {MAX_CASES} are run"), None);
        return none;
    }
    if count < 2 {
        mistakes.local(node.at, "this makes a single case", "leave `expand` out, or list more values".to_owned());
    }
    let mut bindings = Vec::new();
    for position in options(positions) {
        for how in options(hows.clone()) {
            for when in options(whens.clone()) {
                bindings.push(Binding { position, how, when });
            }
        }
    }
    bindings
}

fn options<T: Copy>(values: Vec<T>) -> Vec<Option<T>> {
    if values.is_empty() { vec![None] } else { values.into_iter().map(Some).collect() }
}

/// `"1..=12"` or a list of numbers, none twice.
fn positions(node: Node<'_>, mistakes: &mut Mistakes) -> Vec<u64> {
    if let Some(list) = node.list() {
        let mut numbers: Vec<u64> = Vec::new();
        for member in list.into_iter().take(MAX_LIST) {
            match as_number(member, "position", 0..=MAX_NUMBER, mistakes) {
                Some(number) if numbers.contains(&number) => {
                    mistakes.local(member.at, format!("the position {number} stands here twice"), None);
                }
                Some(number) => numbers.push(number),
                None => {}
            }
        }
        return numbers;
    }
    let range = node.str().and_then(|text| text.split_once("..="));
    let range = range.and_then(|(low, high)| Some((low.trim().parse::<u64>().ok()?, high.trim().parse::<u64>().ok()?)));
    match range {
        Some((low, high)) if low <= high && high - low < MAX_CASES as u64 => (low..=high).collect(),
        _ => {
            let what = format!("`position` is a range of at most {MAX_CASES} numbers, or a list");
            mistakes.local(node.at, what, "write \"1..=12\" or [1, 5, 12]".to_owned());
            Vec::new()
        }
    }
}

/// A number, `"each"` or `"random"`.
fn number(node: Node<'_>, key: &str, least: u64, mistakes: &mut Mistakes) -> Option<At<Number>> {
    let value = match node.str() {
        Some("each") => Number::Each,
        Some("random") => Number::Random,
        Some(other) => {
            let what = format!("`{key}` is a number, \"each\" or \"random\", but not \"{other}\"");
            mistakes.local(node.at, what, did_you_mean(other, &["each", "random"]));
            return None;
        }
        None => Number::Fixed(as_number(node, key, least..=MAX_NUMBER, mistakes)?),
    };
    Some(At { value, at: node.at })
}

/// One number or a list of them.
fn numbers(node: Node<'_>, key: &str, mistakes: &mut Mistakes) -> Vec<At<Number>> {
    let nodes = node.list().unwrap_or_else(|| vec![node]);
    if nodes.is_empty() {
        mistakes.local(node.at, format!("`{key}` is empty"), None);
    }
    nodes.into_iter().take(MAX_LIST).filter_map(|node| number(node, key, 1, mistakes)).collect()
}

/// A cursor: a number or one of the words for one. `foreign` is the head of the stream under `of`.
fn cursor(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<At<CursorWord>> {
    let node = section.need("to", mistakes)?;
    let at = node.at;
    if node.str().is_none() {
        let value = CursorWord::Number(as_number(node, "to", 0..=MAX_NUMBER, mistakes)?);
        return Some(At { value, at });
    }
    let text = as_text(node, "to", mistakes)?;
    let value = match text.value {
        "zero" => CursorWord::Zero,
        "behind" => CursorWord::Behind,
        "floor" => CursorWord::Floor,
        "below-floor" => CursorWord::BelowFloor,
        "head" => CursorWord::Head,
        "beyond-head" => CursorWord::BeyondHead,
        "at-budget" => CursorWord::AtBudget,
        "beyond-budget" => CursorWord::BeyondBudget,
        "random" => CursorWord::Random,
        "each" => CursorWord::Each,
        "foreign" => {
            let Some(of) = section.text("of", mistakes) else {
                let hint = "add `of = \"<topic>\"`".to_owned();
                mistakes.local(at, "a foreign cursor is another stream's: which?", hint);
                return None;
            };
            CursorWord::Foreign(names.stream(of, mistakes)?)
        }
        other => {
            mistakes.local(at, format!("unknown cursor `{other}`"), did_you_mean(other, words::CURSORS));
            return None;
        }
    };
    if section.has("of") && !matches!(value, CursorWord::Foreign(_)) {
        mistakes.local(at, "`of` goes with a foreign cursor only", None);
    }
    Some(At { value, at })
}
