//! Reads where a fault strikes that picks its message by what it is and carries.

use super::super::draft::{Number, PickDraft};
use super::super::errors::Mistakes;
use super::super::read::{At, Node, Section};
use super::super::words::{self, keys};
use super::Names;
use super::numbers::number;
use crate::plan::{Scope, rules};

/// The longest text that a pick compares, in bytes.
const MAX_TEXT: usize = 1_000;

/// `at = { message = "downstream", .. }`.
pub(super) fn pick(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<PickDraft> {
    let direction = section.word("message", words::DIRECTIONS, mistakes);
    let kind = section.word("kind", words::MESSAGES, mistakes);
    let event = section.text("event", mistakes);
    if let Some(event) = event.filter(|event| event.value.is_empty() || event.value.len() > MAX_TEXT) {
        mistakes.local(event.at, format!("`event` is 1 to {MAX_TEXT} bytes of text"), None);
    }
    let topic = section.text("topic", mistakes);
    let stream = topic.map(|topic| names.stream(topic, mistakes));
    let per = section.word("per", words::SCOPES, mistakes).unwrap_or(Scope::Proxy);
    let mut counted = |key| {
        let node = section.get(key)?;
        fixed(node, key, mistakes)
    };
    let (seq, nth) = (counted("seq"), counted("nth"));
    if let Some(seq) = seq.filter(|_| stream.is_none()) {
        let hint = "add `topic`".to_owned();
        mistakes.local(seq.at, "a seq is one of a topic: of which?", hint);
    }
    if let Some(node) = section.get("per").filter(|_| nth.is_none()) {
        let hint = "add `nth`, or leave `per` out".to_owned();
        mistakes.local(node.at, "`per` says over what `nth` counts, and there is none", hint);
    }
    Some(PickDraft {
        direction: direction?,
        kind,
        event: event.map(|event| event.value.to_owned()),
        stream: match stream {
            None => None,
            Some(stream) => Some(stream?),
        },
        seq,
        payload: payload(section, mistakes),
        nth,
        per,
    })
}

/// A number or `each`.
fn fixed(node: Node<'_>, key: &str, mistakes: &mut Mistakes) -> Option<At<Number>> {
    let found = number(node, key, 1, mistakes)?;
    if found.value == Number::Random {
        mistakes.local(found.at, format!("`{key}` of a message is a number or \"each\""), None);
        return None;
    }
    Some(found)
}

/// `pointer`, and `equals` with it.
fn payload(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<(String, Option<String>)> {
    let Some(found) = section.text("pointer", mistakes) else {
        if let Some(node) = section.get("equals").filter(|_| !section.has("pointer")) {
            let hint = "add `pointer`, a JSON Pointer such as \"/event/kind\"".to_owned();
            mistakes.local(node.at, "`equals` says what stands at a `pointer`, and there is none", hint);
        }
        return None;
    };
    let pointer = pointer(found, mistakes)?;
    let Some(node) = section.get("equals") else {
        return Some((pointer, None));
    };
    let equals = node.json();
    if equals.is_none() {
        mistakes.local(node.at, format!("`equals` is a JSON value, but this is {}", node.type_name()), None);
    }
    Some((pointer, Some(equals?)))
}

/// A JSON Pointer (RFC 6901).
pub(super) fn pointer(text: At<&str>, mistakes: &mut Mistakes) -> Option<String> {
    if rules::is_pointer(text.value) && text.value.len() <= MAX_TEXT {
        return Some(text.value.to_owned());
    }
    let what = format!("`{}` is no JSON Pointer", text.value);
    mistakes.local(text.at, what, rules::POINTERS.to_owned());
    None
}

/// Whether a position that is read in another way has keys that only a message takes.
pub(super) fn only_of_messages(section: &Section<'_>, mistakes: &mut Mistakes) {
    for key in keys::PICK.iter().filter(|key| **key != "seq") {
        if let Some(node) = section.get(key) {
            let hint = "write at = { message = \"downstream\", .. }".to_owned();
            mistakes.local(node.at, format!("`{key}` goes with `message` only"), hint);
        }
    }
}
