//! Fields of payloads that may differ: where payloads are compared, a payload that differs from the published one in
//! such fields alone counts as that one. Order, seqs and losses are compared as ever, and so is the hash that a lane
//! declares with the payload that it sent.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::hash::{PayloadHash, payload_hash};
use crate::history::{Differs, History, Record, Stored};
use crate::ids::StreamId;
use crate::plan::{Plan, PublishExpect, Step};
use crate::scenario::pattern;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Normaliser {
    /// A JSON pointer into the payload.
    pub pointer: String,
    /// A pattern of streams; `None` is each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams: Option<String>,
    pub reason: String,
    pub owner: String,
    /// The last day on which it applies, as `2027-06-30`.
    pub expires: String,
}

/// In how many payloads each normaliser found another value than was published, by its name.
pub type Touched = BTreeMap<String, u64>;

impl Normaliser {
    /// How it is named where it is counted: `/server_time of run:*`.
    pub fn name(&self) -> String {
        match &self.streams {
            Some(streams) => format!("{} of {streams}", self.pointer),
            None => self.pointer.clone(),
        }
    }

    pub fn is_expired(&self, day: &str) -> bool {
        self.expires.as_str() < day
    }

    fn applies_to(&self, stream: &StreamId) -> bool {
        self.streams.as_ref().is_none_or(|streams| pattern::matches(streams, stream.as_str()))
    }

    /// The text without its field, and the hash of what stood there; `None` where the text can't be read.
    fn take(&self, text: &str) -> Option<(String, Option<PayloadHash>)> {
        let names: Vec<String> =
            self.pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
        let (rest, value) = take(text, &names)?;
        Some((rest, value.map(|value| payload_hash(value.as_bytes())).transpose().ok()?))
    }
}

/// A text without the value to which the names lead, and that value. A place in a list stays, and is empty.
fn take(text: &str, names: &[String]) -> Option<(String, Option<String>)> {
    let (name, further) = names.split_first()?;
    let inner = |value: &RawValue| match further {
        [] => Some((None, Some(value.get().to_owned()))),
        _ => take(value.get(), further).map(|(rest, value)| (Some(rest), value)),
    };
    match text.trim_start().bytes().next()? {
        b'{' => {
            let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).ok()?;
            let Some(member) = members.remove(name) else { return Some((text.to_owned(), None)) };
            let (rest, value) = inner(&member)?;
            if let Some(rest) = rest {
                members.insert(name.clone(), RawValue::from_string(rest).ok()?);
            }
            Some((serde_json::to_string(&members).ok()?, value))
        }
        b'[' => {
            let mut values: Vec<Box<RawValue>> = serde_json::from_str(text).ok()?;
            let at = name.parse::<usize>().ok().filter(|at| at.to_string() == *name);
            let Some(place) = at.and_then(|at| values.get_mut(at)) else { return Some((text.to_owned(), None)) };
            let (rest, value) = inner(place)?;
            *place = RawValue::from_string(rest.unwrap_or_else(|| "null".to_owned())).ok()?;
            Some((serde_json::to_string(&values).ok()?, value))
        }
        _ => Some((text.to_owned(), None)),
    }
}

/// A payload without the fields that may differ, and what stood in them.
type Bare = (PayloadHash, Vec<Option<PayloadHash>>);

fn bare(text: &str, normalisers: &[&Normaliser]) -> Option<Bare> {
    let mut rest = text.to_owned();
    let mut values = Vec::new();
    for normaliser in normalisers {
        let (left, value) = normaliser.take(&rest)?;
        values.push(value);
        rest = left;
    }
    Some((payload_hash(rest.as_bytes()).ok()?, values))
}

/// The publishes of a stream: the planned seq, the hash of the payload, and the payload without the fields.
struct Published<'a> {
    normalisers: Vec<&'a Normaliser>,
    events: Vec<(Option<u64>, PayloadHash, Bare)>,
}

impl<'a> Published<'a> {
    fn of(plan: &Plan, stream: &StreamId, normalisers: &'a [Normaliser]) -> Published<'a> {
        let normalisers: Vec<_> = normalisers.iter().filter(|normaliser| normaliser.applies_to(stream)).collect();
        let steps = plan.cases.iter().flat_map(|case| case.all_steps());
        let events = steps.filter_map(|step| match step {
            Step::Publish { stream: of, payload, hash, expect, .. } if of == stream && !normalisers.is_empty() => {
                let seq = if let PublishExpect::Accepted { seq } = expect { Some(seq.0) } else { None };
                Some((seq, *hash, bare(payload, &normalisers)?))
            }
            _ => None,
        });
        Published { events: events.collect(), normalisers }
    }

    /// The hash of the published payload that a payload is, apart from the fields. The one that was planned at its seq
    /// goes first. What is a published payload as it stands is no other one.
    fn is(&self, seq: u64, (hash, payload): (PayloadHash, &str), touched: &mut Touched) -> Option<PayloadHash> {
        if self.events.iter().any(|(_, published, _)| *published == hash) {
            return None;
        }
        let (rest, values) = bare(payload, &self.normalisers)?;
        let same =
            |planned: bool| self.events.iter().find(|(at, _, bare)| bare.0 == rest && (!planned || *at == Some(seq)));
        let (_, hash, (_, sent)) = same(true).or_else(|| same(false))?;
        self.touch(sent, &values, touched);
        Some(*hash)
    }

    fn touch(&self, sent: &[Option<PayloadHash>], got: &[Option<PayloadHash>], touched: &mut Touched) {
        let values = self.normalisers.iter().zip(sent.iter().zip(got));
        for (normaliser, _) in values.filter(|(_, (sent, got))| sent != got) {
            *touched.entry(normaliser.name()).or_default() += 1;
        }
    }

    /// Takes away what differs in what is stored, where it does so in the fields alone.
    fn forgive(&self, stored: &mut Stored, touched: &mut Touched) {
        let texts = stored.differs.iter().filter(|(_, differs)| differs.field == "payload");
        let alike = texts.filter_map(|(seq, differs)| {
            let (expected, got) = (bare(&differs.expected, &self.normalisers)?, bare(&differs.got, &self.normalisers)?);
            let hash = payload_hash(differs.got.as_bytes()).ok()?.to_string();
            (expected.0 == got.0).then(|| {
                self.touch(&expected.1, &got.1, touched);
                (*seq, hash)
            })
        });
        let alike: BTreeMap<Option<u64>, String> = alike.collect();
        let is_of_field = |seq: &Option<u64>, differs: &Differs| match differs.field.as_str() {
            "payload" => alike.contains_key(seq),
            // The hash that is stored is that of the payload that is stored.
            "payload_hash" | "sync_append_key.payload_hash" => alike.get(seq) == Some(&differs.got),
            _ => false,
        };
        stored.differs.retain(|(seq, differs)| !is_of_field(seq, differs));
    }
}

/// A lane's history as it is compared: a payload that differs from the published one only in fields that may differ has
/// the hash of the published one. And how many payloads each normaliser touched.
pub fn normalised<'h>(plan: &Plan, history: &'h History, normalisers: &[Normaliser]) -> (Cow<'h, History>, Touched) {
    let mut touched = Touched::new();
    if normalisers.is_empty() {
        return (Cow::Borrowed(history), touched);
    }
    let mut history = history.clone();
    let mut streams = BTreeMap::<StreamId, Published<'_>>::new();
    for record in &mut history.records {
        let (Record::Delivered { stream, .. } | Record::Stored { stream, .. }) = record else { continue };
        let published =
            streams.entry(stream.clone()).or_insert_with_key(|stream| Published::of(plan, stream, normalisers));
        match record {
            Record::Delivered { seq, hash: Some(hash), payload: Some(payload), .. } => {
                *hash = published.is(seq.0, (*hash, payload), &mut touched).unwrap_or(*hash);
            }
            Record::Stored { stored, .. } => published.forgive(stored, &mut touched),
            _ => {}
        }
    }
    (Cow::Owned(history), touched)
}

#[cfg(test)]
mod tests;
