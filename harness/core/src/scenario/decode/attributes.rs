//! Reads the attributes of faults and filters by their specifications.

use super::super::errors::{Mistakes, did_you_mean};
use super::super::names::Names;
use super::super::numbers::{cursor, number, number_within};
use super::super::open::{Number, Setting, Settings};
use super::super::read::{At, Node, Section, as_number, as_text, as_word};
use super::super::words::keys;
use crate::plan::fault::FILTER;
use crate::plan::fault::spec::{Attribute, Fallback, Shape, Value};
use crate::plan::rules;

/// The longest text that is compared, in bytes.
const MAX_TEXT: usize = 1_000;
/// How long a client waits for an answer before it takes the connection for dead, in milliseconds.
const PATIENCE_MS: u64 = 2_000;

pub(crate) fn keys_of(attributes: &'static [Attribute]) -> impl Iterator<Item = &'static str> {
    attributes.iter().filter(|attribute| attribute.shape != Shape::Altered).map(|attribute| attribute.name)
}

/// Reads all attributes; nothing where one of them is wrong or missing.
pub(super) fn attributes(
    attributes: &'static [Attribute],
    section: &Section<'_>,
    names: &Names<'_>,
    mistakes: &mut Mistakes,
) -> Option<Settings<At<Number>>> {
    let mut settings = Some(Vec::new());
    for attribute in attributes.iter().filter(|attribute| !matches!(attribute.shape, Shape::Altered | Shape::CursorOf))
    {
        let setting = match (section.get(attribute.name), attribute.fallback.value()) {
            (Some(node), _) => setting(attribute, node, section, names, mistakes),
            (None, Some(value)) => Some(Setting::Is(value)),
            (None, None) if attribute.fallback == Fallback::Required => {
                section.need(attribute.name, mistakes);
                None
            }
            (None, None) => continue,
        };
        match setting {
            Some(setting) => settings.iter_mut().for_each(|all| all.push((attribute.name, setting.clone()))),
            None => settings = None,
        }
    }
    settings.map(Settings)
}

fn setting(
    attribute: &Attribute,
    node: Node<'_>,
    section: &Section<'_>,
    names: &Names<'_>,
    mistakes: &mut Mistakes,
) -> Option<Setting<At<Number>>> {
    let key = attribute.name;
    let text = |mistakes: &mut Mistakes| as_text(node, key, mistakes);
    let is = |text: &str| Setting::Is(Value::Text(text.to_owned()));
    Some(match attribute.shape {
        Shape::Whole(least, most) => Setting::Is(Value::Whole(as_number(node, key, least..=most, mistakes)?)),
        Shape::Wait => Setting::Is(Value::Whole(wait(node, attribute, mistakes)?)),
        Shape::Number(least, most) => Setting::Number(fixed(node, key, (least, most), mistakes)?),
        Shape::Word(words, drawn) => {
            let open: &[&str] = if drawn.is_empty() { &[] } else { &["each", "random"] };
            let known: Vec<_> = words.iter().chain(open).map(|word| (*word, *word)).collect();
            match as_word(text(mistakes)?, key, &known, mistakes)? {
                "each" => Setting::Each,
                "random" => Setting::OneOf(drawn.to_vec()),
                word => is(word),
            }
        }
        Shape::Text => {
            let text = text(mistakes)?;
            if text.value.is_empty() || text.value.len() > MAX_TEXT {
                mistakes.local(text.at, format!("`{key}` is 1 to {MAX_TEXT} bytes of text"), None);
                return None;
            }
            is(text.value)
        }
        Shape::Pointer => is(pointer(text(mistakes)?, mistakes)?),
        Shape::CloseCode => Setting::Is(Value::Whole(close_code(node, key, mistakes)?)),
        Shape::Json => Setting::Is(Value::Text(json(node, key, mistakes)?)),
        Shape::Stream => Setting::Stream(names.stream(text(mistakes)?, mistakes)?),
        Shape::Cursor => {
            let cursor = cursor(section, names, mistakes)?;
            Setting::Cursor(cursor.value, cursor.at)
        }
        Shape::Until => Setting::Until(until(node, names, mistakes)?),
        Shape::CursorOf | Shape::Altered => return None,
    })
}

/// A wait that no client takes for a dead connection.
fn wait(node: Node<'_>, attribute: &Attribute, mistakes: &mut Mistakes) -> Option<u64> {
    let (least, most) = attribute.shape.range()?;
    let wait = as_number(node, attribute.name, least..=most, mistakes)?;
    if wait > PATIENCE_MS {
        let what = format!("`{}` is {wait} ms, but a client waits only {PATIENCE_MS} ms for an answer", attribute.name);
        mistakes.local(node.at, what, "use do = \"cut\" with how = \"silence\" for a longer wait".to_owned());
        return None;
    }
    Some(wait)
}

fn fixed(node: Node<'_>, key: &str, range: (u64, u64), mistakes: &mut Mistakes) -> Option<At<Number>> {
    let found = number_within(node, key, range.0..=range.1, mistakes)?;
    if found.value == Number::Random {
        mistakes.local(found.at, format!("`{key}` is a number or \"each\" here"), None);
        return None;
    }
    Some(found)
}

fn pointer<'a>(text: At<&'a str>, mistakes: &mut Mistakes) -> Option<&'a str> {
    if rules::is_pointer(text.value) && text.value.len() <= MAX_TEXT {
        return Some(text.value);
    }
    let what = format!("`{}` is no JSON Pointer", text.value);
    mistakes.local(text.at, what, rules::POINTERS.to_owned());
    None
}

fn close_code(node: Node<'_>, key: &str, mistakes: &mut Mistakes) -> Option<u64> {
    let code = as_number(node, key, 0..=u64::from(u16::MAX), mistakes)?;
    if !rules::is_close_code(code) {
        let what = format!("no close frame has the code {code}");
        mistakes.local(node.at, what, rules::CLOSE_CODES.to_owned());
        return None;
    }
    Some(code)
}

fn json(node: Node<'_>, key: &str, mistakes: &mut Mistakes) -> Option<String> {
    let value = node.json();
    if value.is_none() {
        mistakes.local(node.at, format!("`{key}` is a JSON value, but this is {}", node.type_name()), None);
    }
    value
}

/// `Some(None)` is the heal phase.
#[allow(clippy::type_complexity)]
fn until(node: Node<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Option<(usize, At<Number>)>> {
    if let Some(word) = node.str() {
        if word == "heal" {
            return Some(None);
        }
        let what = format!("`until` is \"heal\" or a table, but not \"{word}\"");
        mistakes.local(node.at, what, did_you_mean(word, &["heal"]));
        return None;
    }
    let section = Section::of(node, "`until`", mistakes)?;
    section.only(keys::UNTIL, mistakes);
    let topic = section.need_text("acked", mistakes);
    let stream = topic.and_then(|topic| names.stream(topic, mistakes));
    let seq = number(section.need("seq", mistakes)?, "seq", 1, mistakes)?;
    Some(Some((stream?, seq)))
}

pub(super) fn filter(
    section: &Section<'_>,
    names: &Names<'_>,
    mistakes: &mut Mistakes,
) -> Option<Settings<At<Number>>> {
    let settings = attributes(FILTER, section, names, mistakes);
    let needs = [
        ("seq", "topic", "a seq is one of a topic: of which?", "add `topic`"),
        ("per", "nth", "`per` says over what `nth` counts, and there is none", "add `nth`, or leave `per` out"),
        (
            "equals",
            "pointer",
            "`equals` says what stands at a `pointer`, and there is none",
            "add `pointer`, a JSON Pointer such as \"/event/kind\"",
        ),
    ];
    for (key, needed, what, hint) in needs {
        if let Some(node) = section.get(key).filter(|_| !section.has(needed)) {
            mistakes.local(node.at, what, hint.to_owned());
        }
    }
    settings
}

/// Notes attributes of a filter that stand beside another position than `message`.
pub(super) fn only_of_messages(section: &Section<'_>, mistakes: &mut Mistakes) {
    for key in keys_of(FILTER).filter(|key| *key != "seq") {
        if let Some(node) = section.get(key) {
            let hint = "write at = { message = \"downstream\", .. }".to_owned();
            mistakes.local(node.at, format!("`{key}` goes with `message` only"), hint);
        }
    }
}
