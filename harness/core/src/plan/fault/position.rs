//! Where a fault fires: at a logical position, or at a message that a filter matches.
#![allow(missing_docs, reason = "the names say it; `nth` counts from 1")]

use serde::{Deserialize, Serialize};

use super::super::toxic::Direction;
use super::spec::{Attribute, Fallback, Shape, Values};
use crate::ids::{OpId, Seq, StreamId};

/// A logical position in one client's traffic with a lane. Counts run on through reconnects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "kebab-case")]
pub enum Position {
    /// The first message to the client that carries this event (each such message, where the fault fires always).
    Delivery { stream: StreamId, seq: Seq },
    /// The nth resume that the client asks for, the first subscribe included.
    Resume { nth: u32 },
    /// The lane's answer to the nth resume.
    ResumeReply { nth: u32 },
    /// The nth answer to a heartbeat.
    HeartbeatReply { nth: u32 },
    /// The lane's answer to the writer's operation.
    Ack { op: OpId },
    /// A message that a filter matches.
    Message(MessageFilter),
}

/// Matches messages: all conditions that are given must hold. Without conditions it matches every message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageFilter {
    pub direction: Direction,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MessageKind>,
    /// The lane's own name for the message: a Phoenix event (`sync:frame`, `phx_reply`), or the name of a SpacetimeDB
    /// message (`TransactionUpdate`) or of the reducer that it calls or reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamId>,
    /// A seq that it delivers (of `stream`, where one is given).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Predicate>,
    /// The nth message of those for which all else holds, from 1; any of them where `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// Over what `nth` and `times` count.
    pub per: Scope,
}

pub static FILTER: &[Attribute] = &[
    Attribute::optional("kind", Shape::Word(&MessageKind::NAMES, &[]), "The sort of the message."),
    Attribute::optional("event", Shape::Text, "The name of the message on the wire."),
    Attribute::optional("topic", Shape::Stream, "A topic that the message delivers, asks for or publishes to."),
    Attribute::optional("seq", Shape::Number(0, u64::MAX), "A seq of that topic that it delivers."),
    Attribute::optional("pointer", Shape::Pointer, "A JSON Pointer (RFC 6901) to a value that it contains."),
    Attribute::optional("equals", Shape::Json, "What that value has to be."),
    Attribute::optional("nth", Shape::Number(1, u32::MAX as u64), "Which of the messages that match, from 1."),
    Attribute::new(
        "per",
        Shape::Word(&["proxy", "connection"], &[]),
        Fallback::Word("proxy"),
        "Whether `nth` and `times` count over all connections, or for each one.",
    ),
];

const TIMES: Shape = Shape::Word(&["once", "always"], &[]);
/// How often a fault fires: the first time that its position is reached, or every time.
pub static ONCE: Attribute = Attribute::new("times", TIMES, Fallback::Word("once"), "How often it fires.");
/// The same for a fault that fires at all of its messages.
pub static ALWAYS: Attribute = Attribute::new("times", TIMES, Fallback::Word("always"), "How often it fires.");

impl MessageFilter {
    /// Every message of a direction, each connection counted on its own.
    pub fn any(direction: Direction) -> MessageFilter {
        let nothing = MessageFilter::of(direction, &Values::default());
        MessageFilter { per: Scope::Connection, ..nothing }
    }

    pub fn of(direction: Direction, values: &Values) -> MessageFilter {
        let text = |name| values.word(name).map(str::to_owned);
        MessageFilter {
            direction,
            kind: values.word("kind").and_then(MessageKind::of),
            event: text("event"),
            stream: values.word("topic").map(StreamId::new),
            seq: values.number("seq").map(Seq),
            payload: text("pointer").map(|pointer| Predicate { pointer, equals: text("equals") }),
            nth: values.number("nth").and_then(|nth| u32::try_from(nth).ok()),
            per: match values.word("per") {
                Some("connection") => Scope::Connection,
                _ => Scope::Proxy,
            },
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageKind {
    /// The client joins (Phoenix), or the lane greets (SpacetimeDB).
    Join,
    Resume,
    ResumeReply,
    Delivery,
    Publish,
    Ack,
    /// The client asks whether the lane is alive: a heartbeat of the protocol, or a WebSocket ping.
    Heartbeat,
    /// The answer to that: a reply, or a WebSocket pong.
    HeartbeatReply,
    Close,
    Other,
}

impl MessageKind {
    /// Every sort with its word in scenarios, in the API and in the ledger; in the order of the sorts.
    pub const WORDS: [(&'static str, MessageKind); 10] = [
        ("join", MessageKind::Join),
        ("resume", MessageKind::Resume),
        ("resume-reply", MessageKind::ResumeReply),
        ("delivery", MessageKind::Delivery),
        ("publish", MessageKind::Publish),
        ("ack", MessageKind::Ack),
        ("heartbeat", MessageKind::Heartbeat),
        ("heartbeat-reply", MessageKind::HeartbeatReply),
        ("close", MessageKind::Close),
        ("other", MessageKind::Other),
    ];

    const NAMES: [&'static str; 10] = {
        let mut names = [""; 10];
        let mut at = 0;
        while at < names.len() {
            names[at] = MessageKind::WORDS[at].0;
            at += 1;
        }
        names
    };

    pub fn as_str(self) -> &'static str {
        MessageKind::WORDS[self as usize].0
    }

    pub fn of(word: &str) -> Option<MessageKind> {
        MessageKind::WORDS.into_iter().find(|(known, _)| *known == word).map(|(_, kind)| kind)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Connection,
    /// All connections of the proxy: the count runs on through reconnects.
    Proxy,
}

/// A condition on what a message carries. A message without JSON meets none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicate {
    /// A JSON Pointer (RFC 6901) into the payload of a delivered or published event, or else into the message.
    pub pointer: String,
    /// The value that has to be there, as JSON text, compared in canonical form; anything where `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
}
