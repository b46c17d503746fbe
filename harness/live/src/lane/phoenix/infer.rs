//! Proposes a profile from a short recorded session with a service. What a name means follows from what stands under
//! it: a topic that was asked for, a number that counts the events, a hash of a payload. A name of the contract is
//! taken where it fits.

#![allow(missing_docs, reason = "the names say it")]

mod events;
pub mod record;
mod requests;
mod toml_text;

use std::collections::BTreeSet;

use cutover_core::plan::Serializer;
use serde_json::Value;

use super::codec::{Message, decode};
use super::profile::PhoenixProfile;
use crate::frame::{Body, Direction};

/// A text frame of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub direction: Direction,
    pub text: String,
}

/// A profile, and what could not be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    pub toml: String,
    pub undecided: Vec<String>,
}

/// A message of the session, with its payload as JSON.
struct Read {
    direction: Direction,
    message: Message,
    payload: Value,
}

impl Read {
    fn is_up(&self) -> bool {
        self.direction == Direction::Upstream
    }

    fn is_own(&self) -> bool {
        self.message.event.starts_with("phx_")
    }
}

/// What was found out so far.
struct Findings {
    profile: PhoenixProfile,
    undecided: Vec<String>,
    topics: BTreeSet<String>,
}

/// Proposes a profile for the service of a recorded session.
pub fn propose(socket_url: &str, heard: &[Heard]) -> Proposed {
    let serializer = match heard.iter().find_map(|frame| frame.text.trim_start().chars().next()) {
        Some('{') => Serializer::V1,
        _ => Serializer::V2,
    };
    let read: Vec<Read> = heard.iter().filter_map(|frame| read_one(serializer, frame)).collect();
    let mut found = Findings { profile: PhoenixProfile::default(), undecided: Vec::new(), topics: BTreeSet::new() };
    socket_url.clone_into(&mut found.profile.socket_url);
    found.profile.serializer = Some(serializer);
    requests::look_at(&read, &mut found);
    events::look_at(&read, &mut found);
    requests::look_at_replies(&read, &mut found);
    found.undecided.extend([
        "publish: the session shows no publish; [publish] has the contract's path and names".to_owned(),
        "policy: whether retention and replay budget can be set; `path = \"\"` says that they can't".to_owned(),
    ]);
    found.profile.policy.path = None;
    Proposed { toml: toml_text::of(&found.profile, &found.undecided), undecided: found.undecided }
}

fn read_one(serializer: Serializer, frame: &Heard) -> Option<Read> {
    let body = Body::Text(frame.text.clone().into());
    let message = decode(serializer, frame.direction, &body).ok()?;
    let payload = serde_json::from_str(&message.payload).ok()?;
    Some(Read { direction: frame.direction, message, payload })
}

/// Every object in a value, with the pointer to it, the outer ones first.
fn objects(value: &Value) -> Vec<(String, &serde_json::Map<String, Value>)> {
    let mut found = Vec::new();
    let mut left = vec![(String::new(), value)];
    while let Some((at, value)) = left.pop() {
        let Value::Object(members) = value else { continue };
        found.push((at.clone(), members));
        left.extend(members.iter().map(|(name, value)| (format!("{at}/{}", escaped(name)), value)));
    }
    found.sort_by_key(|(at, _)| at.matches('/').count());
    found
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The number in a watermark, and its form.
fn watermark(value: &Value) -> Option<(u64, String)> {
    match value {
        Value::Number(number) => Some((number.as_u64()?, "{seq}".to_owned())),
        Value::String(text) => {
            let start = text
                .rfind(|c: char| !c.is_ascii_digit())
                .map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8));
            let number = text[start..].parse().ok()?;
            let form = Value::from(format!("{}{{seq}}", &text[..start])).to_string();
            Some((number, form))
        }
        Value::Object(members) => {
            let mut numbers = members.iter().filter_map(|(name, value)| Some((name, watermark(value)?)));
            let (name, (number, inner)) = numbers.next()?;
            if numbers.next().is_some() {
                return None;
            }
            let members = members.iter().map(|(other, value)| match other == name {
                true => format!("{}: {inner}", Value::from(name.as_str())),
                false => format!("{}: {value}", Value::from(other.as_str())),
            });
            Some((number, format!("{{{}}}", members.collect::<Vec<_>>().join(", "))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
