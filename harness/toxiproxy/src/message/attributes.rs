//! The `ws_*` types and what each takes: the one table that reading, answering and refusing go by.

use cutover_core::plan::MessageKind;

/// What an attribute may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A whole number in this range.
    Whole(u64, u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Text that is not empty.
    Text,
    /// A JSON Pointer (RFC 6901).
    Pointer,
    /// The code of a close frame.
    CloseCode,
    /// Any JSON, `null` too.
    Json,
}

/// An attribute.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub shape: Shape,
    /// What it is where it is not given.
    pub otherwise: Otherwise,
}

/// What an attribute is that is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// Nothing.
    Nothing,
    /// This number.
    Whole(u64),
    /// This word.
    Word(&'static str),
    /// It has to be given.
    Required,
}

/// A `ws_*` type.
#[derive(Debug)]
pub struct MessageType {
    /// Its name.
    pub name: &'static str,
    /// What it does with a message.
    pub action: &'static [Attribute],
    /// How it picks messages, and how often it strikes.
    pub pick: &'static [Attribute],
}

impl MessageType {
    /// All that it takes, in the order in which it is answered.
    pub fn attributes(&self) -> impl Iterator<Item = &'static Attribute> {
        self.action.iter().chain(self.pick)
    }
}

/// The words for sorts of message.
pub const KINDS: [&str; 10] = {
    let mut words = [""; 10];
    let mut at = 0;
    while at < words.len() {
        words[at] = MessageKind::WORDS[at].0;
        at += 1;
    }
    words
};

/// A day: what waits longer is a mistake.
const LONGEST_MS: u64 = 86_400_000;

const fn optional(name: &'static str, shape: Shape) -> Attribute {
    Attribute { name, shape, otherwise: Otherwise::Nothing }
}

const fn required(name: &'static str, shape: Shape) -> Attribute {
    Attribute { name, shape, otherwise: Otherwise::Required }
}

const fn whole(name: &'static str, least: u64, most: u64, otherwise: u64) -> Attribute {
    Attribute { name, shape: Shape::Whole(least, most), otherwise: Otherwise::Whole(otherwise) }
}

const fn word(name: &'static str, words: &'static [&'static str], otherwise: &'static str) -> Attribute {
    Attribute { name, shape: Shape::Word(words), otherwise: Otherwise::Word(otherwise) }
}

const KIND: Attribute = optional("kind", Shape::Word(&KINDS));
const EVENT: Attribute = optional("event", Shape::Text);
const TOPIC: Attribute = optional("topic", Shape::Text);
const SEQ: Attribute = optional("seq", Shape::Whole(0, u64::MAX));
const POINTER: Attribute = optional("pointer", Shape::Pointer);
const EQUALS: Attribute = optional("equals", Shape::Json);
const NTH: Attribute = optional("nth", Shape::Whole(1, u32::MAX as u64));
const PER: Attribute = word("per", &["connection", "proxy"], "connection");
const ONCE: Attribute = word("times", &["once", "always"], "once");
const ALWAYS: Attribute = word("times", &["once", "always"], "always");

const CODE: Attribute = Attribute { name: "code", shape: Shape::CloseCode, otherwise: Otherwise::Whole(1012) };

const PICK: &[Attribute] = &[KIND, EVENT, TOPIC, SEQ, POINTER, EQUALS, NTH, PER, ONCE];
/// A rewritten cursor is a resume's, of the topic that the action names.
const PICK_RESUME: &[Attribute] = &[NTH, PER, ONCE];
/// Starving takes every answer to a heartbeat.
const PICK_HEARTBEAT: &[Attribute] = &[NTH, PER, ALWAYS];

const fn of(name: &'static str, action: &'static [Attribute]) -> MessageType {
    MessageType { name, action, pick: PICK }
}

/// Every type.
pub const TYPES: [MessageType; 12] = [
    of(
        "ws_cut",
        &[
            word("how", &["close", "drop", "reset", "silence"], "close"),
            CODE,
            word("when", &["before", "after"], "after"),
        ],
    ),
    of("ws_drop", &[]),
    of("ws_repeat", &[whole("more", 1, 255, 1)]),
    of("ws_delay", &[required("ms", Shape::Whole(1, LONGEST_MS))]),
    of("ws_reorder", &[whole("behind", 1, 255, 1), whole("within_ms", 1, LONGEST_MS, 1000)]),
    MessageType {
        name: "ws_rewrite_cursor",
        action: &[required("topic", Shape::Text), required("to", Shape::Whole(0, u64::MAX))],
        pick: PICK_RESUME,
    },
    of("ws_set_json", &[required("set_pointer", Shape::Pointer), required("set_value", Shape::Json)]),
    of("ws_set_column", &[required("column", Shape::Text), required("value", Shape::Json)]),
    of("ws_split", &[whole("frames", 2, 65_535, 2)]),
    of("ws_merge", &[whole("messages", 1, 255, 2), whole("within_ms", 1, LONGEST_MS, 100)]),
    MessageType { name: "ws_starve_heartbeats", action: &[], pick: PICK_HEARTBEAT },
    of("ws_drain", &[CODE, whole("within_ms", 1, LONGEST_MS, 5000)]),
];

/// The type of a name.
pub fn message_type(name: &str) -> Option<&'static MessageType> {
    TYPES.iter().find(|known| known.name == name)
}

#[cfg(test)]
mod tests;
