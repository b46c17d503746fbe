//! What a fault's specification is made of. Scenario files, the proxy's HTTP API, the pages and the rehearsal of a
//! scenario all read it.

use std::collections::BTreeMap;

use super::kind::FaultKind;
use super::rules;

/// A fault: what it is called, what it takes, what it does to a connection, and what the plan says of it.
#[derive(Debug)]
pub struct FaultSpec {
    /// Its word in a scenario.
    pub word: &'static str,
    /// Its type in the proxy's HTTP API, where it has one.
    pub toxic: Option<&'static str>,
    pub says: &'static str,
    /// In the order of the keys in files, answers and pages.
    pub attributes: &'static [Attribute],
    /// For the rehearsal and the checkers.
    pub effects: &'static [Effect],
    /// The keys of `at` under which it can stand; none where it chooses its messages itself.
    pub positions: &'static [&'static str],
    pub plan: fn(&Values) -> FaultKind,
}

impl FaultSpec {
    pub fn does(&self, effect: Effect) -> bool {
        self.effects.contains(&effect)
    }

    /// Whether a client finds a gap where the message was.
    pub fn leaves_gap(&self) -> bool {
        self.does(Effect::Loses) || self.does(Effect::Displaces)
    }
}

impl PartialEq for FaultSpec {
    fn eq(&self, other: &FaultSpec) -> bool {
        self.word == other.word
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The message never arrives.
    Loses,
    /// The message arrives behind others.
    Displaces,
    /// The message and all behind it arrive late.
    Delays,
    /// The message and all behind it wait for something else.
    Holds,
    /// The message arrives more than once.
    Repeats,
    /// The client resumes from another cursor than its own.
    MovesCursor,
    /// The connection ends.
    Ends,
    /// What a broken lane does: only known-bad scenarios may have it.
    Defect,
}

/// Positions of a fault of the network. Faults are off when the event comes that proves a stream alive.
pub(super) const ANYWHERE: &[&str] = &["delivery", "ack", "resume", "resume_reply", "heartbeat_reply", "message"];
pub(super) const DELIVERY: &[&str] = &["delivery"];
/// Positions of a defect that also works on an event with a payload that only the plan knows.
pub(super) const DELIVERY_OR_PROOF: &[&str] = &["delivery", "proof"];

#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    pub name: &'static str,
    /// Its key in the proxy's HTTP API, where it has one.
    pub api: Option<&'static str>,
    pub shape: Shape,
    pub fallback: Fallback,
    pub says: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Whole(u64, u64),
    /// A whole number in this range; in a scenario it may be `each`.
    Number(u64, u64),
    /// Milliseconds that a message waits.
    Wait,
    /// One of these words; in a scenario it may be `each` or `random` where the second list, from which is drawn, is
    /// not empty.
    Word(&'static [&'static str], &'static [&'static str]),
    Text,
    Pointer,
    CloseCode,
    Json,
    Stream,
    /// A cursor; in a scenario it may be a word.
    Cursor,
    /// The stream of a foreign cursor. In scenarios only.
    CursorOf,
    Until,
    /// The event's payload with one character changed. The plan computes it.
    Altered,
}

/// The longest wait, a day, in milliseconds.
const LONGEST_MS: u64 = 86_400_000;

impl Shape {
    pub fn range(self) -> Option<(u64, u64)> {
        match self {
            Shape::Whole(least, most) | Shape::Number(least, most) => Some((least, most)),
            Shape::Wait => Some((1, LONGEST_MS)),
            Shape::Cursor => Some((0, u64::MAX)),
            _ => None,
        }
    }

    pub fn takes(self, text: &str) -> bool {
        match self {
            Shape::Word(words, _) => words.contains(&text),
            Shape::Pointer => rules::is_pointer(text),
            _ => !text.is_empty(),
        }
    }
}

/// The value of an attribute that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    Nothing,
    Whole(u64),
    Word(&'static str),
    Required,
}

impl Fallback {
    pub fn value(self) -> Option<Value> {
        match self {
            Fallback::Whole(number) => Some(Value::Whole(number)),
            Fallback::Word(word) => Some(Value::Text(word.to_owned())),
            Fallback::Nothing | Fallback::Required => None,
        }
    }
}

impl Attribute {
    pub(super) const fn new(name: &'static str, shape: Shape, fallback: Fallback, says: &'static str) -> Attribute {
        Attribute { name, api: Some(name), shape, fallback, says }
    }

    pub(super) const fn required(name: &'static str, shape: Shape, says: &'static str) -> Attribute {
        Attribute::new(name, shape, Fallback::Required, says)
    }

    pub(super) const fn optional(name: &'static str, shape: Shape, says: &'static str) -> Attribute {
        Attribute::new(name, shape, Fallback::Nothing, says)
    }

    /// The same under another key in the HTTP API, or under none.
    pub(super) const fn in_api(self, api: Option<&'static str>) -> Attribute {
        Attribute { api, ..self }
    }
}

pub(super) const MORE: Attribute =
    Attribute::new("more", Shape::Whole(1, 255), Fallback::Whole(1), "How many more times it arrives.");
/// 1012 is a service restart, which Phoenix sends as it drains.
pub(super) const CODE: Attribute =
    Attribute::new("code", Shape::CloseCode, Fallback::Whole(1012), "The code of the close frame.");
pub(super) const WITHIN_MS: Attribute =
    Attribute::new("within_ms", Shape::Wait, Fallback::Whole(200), "The longest wait, in milliseconds.");

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Whole(u64),
    Text(String),
}

/// The values of a fault's attributes, by their names. The reader has checked them: required values are present.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<&'static str, Value>);

impl Values {
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        match self.0.get(name)? {
            Value::Whole(number) => Some(*number),
            Value::Text(_) => None,
        }
    }

    pub(super) fn whole(&self, name: &str) -> u64 {
        self.number(name).unwrap_or_default()
    }

    /// A number that its range keeps within 8 bits.
    pub(super) fn small(&self, name: &str) -> u8 {
        u8::try_from(self.whole(name)).unwrap_or(u8::MAX)
    }

    /// A number that its range keeps within 16 bits.
    pub(super) fn short(&self, name: &str) -> u16 {
        u16::try_from(self.whole(name)).unwrap_or(u16::MAX)
    }

    pub(super) fn word(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Value::Text(text) => Some(text),
            Value::Whole(_) => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.word(name).unwrap_or_default().to_owned()
    }
}

impl FromIterator<(&'static str, Value)> for Values {
    fn from_iter<I: IntoIterator<Item = (&'static str, Value)>>(values: I) -> Values {
        Values(values.into_iter().collect())
    }
}
