//! Holds a filter against messages, and counts those that match.

use std::collections::BTreeMap;

use cutover_core::hash::canonicalize;
use cutover_core::ids::{Seq, StreamId};
use cutover_core::plan::{MessageFilter, Predicate, Scope, Times};

use super::Seen;
use crate::frame::{Carried, pointer};

#[derive(Debug, Clone)]
pub(super) struct Matcher {
    filter: MessageFilter,
    /// The predicate's value in canonical form; `None` within where it is no JSON, which nothing equals.
    equals: Option<Option<Vec<u8>>>,
    name: Option<String>,
    all: Count,
    conns: BTreeMap<u32, Count>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// Messages for which all but `nth` held.
    held: u32,
    spent: bool,
}

impl Matcher {
    pub(super) fn new(filter: MessageFilter) -> Matcher {
        let equals = filter.payload.as_ref().and_then(|predicate| predicate.equals.as_ref());
        let canonical = |text: &String| {
            let mut out = Vec::new();
            canonicalize(text.as_bytes(), &mut out).is_ok().then_some(out)
        };
        Matcher {
            equals: equals.map(canonical),
            name: filter.payload.as_ref().and_then(|predicate| pointer::last_name(&predicate.pointer)),
            filter,
            all: Count::default(),
            conns: BTreeMap::new(),
        }
    }

    /// Whether the message matches; counts it if it is one of those that are counted.
    pub(super) fn holds(&mut self, seen: &Seen<'_>) -> bool {
        let count = self.count(seen.conn);
        // After the nth message, or once the fault is spent, nothing matches.
        if count.spent || self.filter.nth.is_some_and(|nth| count.held >= nth) || !self.matches(seen) {
            return false;
        }
        let Some(nth) = self.filter.nth else { return true };
        let count = self.count_mut(seen.conn);
        count.held = count.held.saturating_add(1);
        count.held == nth
    }

    pub(super) fn spend(&mut self, conn: u32, times: Times) {
        if times == Times::Once {
            self.count_mut(conn).spent = true;
        }
    }

    pub(super) fn forget(&mut self, conn: u32) {
        self.conns.remove(&conn);
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.conns.len()
    }

    fn count(&self, conn: u32) -> Count {
        match self.filter.per {
            Scope::Proxy => self.all,
            Scope::Connection => self.conns.get(&conn).copied().unwrap_or_default(),
        }
    }

    fn count_mut(&mut self, conn: u32) -> &mut Count {
        match self.filter.per {
            Scope::Proxy => &mut self.all,
            Scope::Connection => self.conns.entry(conn).or_default(),
        }
    }

    /// Whether all but `nth` holds; the cheap conditions first.
    fn matches(&self, seen: &Seen<'_>) -> bool {
        let facts = seen.view.facts();
        self.filter.direction == seen.view.frame().direction
            && self.filter.kind.is_none_or(|kind| facts.kinds.has(kind))
            && self.names_one_of(&facts.streams)
            && self.is_called(seen)
            && self.filter.payload.as_ref().is_none_or(|predicate| self.is_met(predicate, seen))
    }

    fn names_one_of(&self, streams: &[(StreamId, Option<Seq>)]) -> bool {
        (self.filter.stream.is_none() && self.filter.seq.is_none())
            || streams.iter().any(|(stream, seq)| self.names(stream, *seq))
    }

    fn names(&self, stream: &StreamId, seq: Option<Seq>) -> bool {
        self.filter.stream.as_ref().is_none_or(|asked| asked == stream)
            && self.filter.seq.is_none_or(|asked| seq == Some(asked))
    }

    fn is_called(&self, seen: &Seen<'_>) -> bool {
        let called = |event: &String| seen.view.contents().names.contains(event);
        self.filter.event.as_ref().is_none_or(called)
    }

    fn is_met(&self, predicate: &Predicate, seen: &Seen<'_>) -> bool {
        if self.name.as_ref().is_some_and(|name| !seen.view.may_name(name)) {
            return false;
        }
        let contents = seen.view.contents();
        let mut events = contents.events.iter().filter(|event| self.names(&event.stream, event.seq));
        events.any(|event| self.meets(predicate, &event.payload))
            || contents.message().is_some_and(|message| self.meets(predicate, message))
    }

    fn meets(&self, predicate: &Predicate, text: &str) -> bool {
        match &self.equals {
            None => pointer::meets(text, &predicate.pointer, None),
            Some(None) => false,
            Some(Some(canonical)) => pointer::meets(text, &predicate.pointer, Some(canonical)),
        }
    }

    /// The events of a message that the filter means: those of its stream and seq whose payload meets the predicate,
    /// or all of those if the message itself meets it.
    pub(super) fn events(&self, seen: &Seen<'_>) -> Vec<(StreamId, Option<Seq>)> {
        let named: Vec<&Carried> = {
            let events = seen.view.contents().events.iter();
            events.filter(|event| self.names(&event.stream, event.seq)).collect()
        };
        let met: Vec<&Carried> = match &self.filter.payload {
            None => Vec::new(),
            Some(predicate) => {
                let met = named.iter().filter(|event| self.meets(predicate, &event.payload));
                met.copied().collect()
            }
        };
        let meant = if met.is_empty() { named } else { met };
        meant.into_iter().map(|event| (event.stream.clone(), event.seq)).collect()
    }
}
