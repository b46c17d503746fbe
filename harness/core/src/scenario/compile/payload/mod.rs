//! Payloads: JSON texts that a lane must carry unharmed, spelled in ways that a careless one would not survive.
//!
//! Each stream has a family of payloads. A family draws its payloads, or has a table of edges that come in a drawn
//! order, each once before any comes again. Most payloads hold a mark of their event, so that what arrives under a
//! wrong name is known for what it is. Those of [`comes_again`] hold none.

mod drawn;
pub(crate) mod edges;
pub(crate) mod invalid;
mod nearly;
mod sizes;
mod spelling;

pub(crate) use nearly::nearly;
pub(crate) use spelling::respelled;
#[cfg(test)]
pub(crate) use {drawn::NUMBERS, spelling::token_end};

use std::collections::BTreeMap;

use crate::chance::Chance;
use crate::hash::canonicalize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload {
    Small,
    /// 64 to 300 KiB.
    Large,
    Unicode,
    Numbers,
    Nested,
    Empty,
    Awkward,
    /// Strings around 255, 4,096 and 65,535 bytes.
    Lengths,
    /// Strings around 1 MiB.
    Mebibyte,
    Members,
    Depths,
    /// A value without anything around it.
    Bare,
    /// Values beside others that look like them.
    Lookalikes,
    Names,
    /// The same payload again and again, each time spelled in another way.
    Equal,
    Mixed,
}

/// The order in which the entries of tables come, by table and stream. It is drawn anew when all have come.
#[derive(Debug, Default)]
pub(crate) struct Decks(BTreeMap<(&'static str, usize), Vec<usize>>);

impl Decks {
    /// The next entry of a table of `len` entries, by its index.
    pub(crate) fn next(&mut self, chance: &mut Chance, table: &'static str, stream: usize, len: usize) -> usize {
        let deck = self.0.entry((table, stream)).or_default();
        if deck.is_empty() {
            deck.extend(0..len);
            chance.shuffle(deck);
        }
        deck.pop().unwrap_or(0)
    }
}

/// The event that a payload is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'m> {
    pub(crate) mark: &'m str,
    /// The stream, by index.
    pub(crate) stream: usize,
    /// Its place in its stream, for families that go by turns.
    pub(crate) nth: u64,
}

pub(crate) fn payload(chance: &mut Chance, decks: &mut Decks, family: Payload, place: Place<'_>) -> String {
    let Place { mark, stream, nth } = place;
    let mut edge = |chance: &mut Chance, table, len| decks.next(chance, table, stream, len);
    let plain = match family {
        Payload::Small => return drawn::small(chance, mark),
        Payload::Large => return drawn::large(chance, mark),
        Payload::Unicode => return drawn::unicode(chance, mark),
        Payload::Numbers => return drawn::numbers(chance, mark),
        Payload::Nested => return drawn::nested(chance, mark, drawn::DEPTH),
        Payload::Empty => return drawn::empty(mark, nth),
        Payload::Awkward => return drawn::awkward(chance, mark),
        Payload::Mixed => {
            let turn = usize::try_from(nth).unwrap_or(0) % MIXED.len();
            let place = Place { nth: nth / MIXED.len() as u64 + nth, ..place };
            return payload(chance, decks, MIXED[turn], place);
        }
        Payload::Bare => {
            let at = edge(chance, "bare", edges::BARE.len());
            return edges::BARE[at].to_owned();
        }
        Payload::Equal => return respelled(chance, edges::EQUAL),
        Payload::Lengths => {
            let at = edge(chance, "lengths", sizes::LENGTHS.len());
            sizes::length(chance, mark, sizes::LENGTHS[at])
        }
        Payload::Mebibyte => {
            let at = edge(chance, "mebibyte", sizes::MEBIBYTE.len());
            sizes::length(chance, mark, sizes::MEBIBYTE[at])
        }
        Payload::Members => {
            let at = edge(chance, "members", sizes::MEMBERS.len());
            sizes::members(chance, mark, sizes::MEMBERS[at])
        }
        Payload::Depths => {
            let at = edge(chance, "depths", sizes::DEPTHS.len());
            sizes::deep(chance, mark, sizes::DEPTHS[at])
        }
        Payload::Lookalikes => edges::lookalikes(chance, mark),
        Payload::Names => edges::names(chance, mark),
    };
    match chance.below(2) {
        0 => plain,
        _ => respelled(chance, &plain),
    }
}

const MIXED: &[Payload] = &[
    Payload::Small,
    Payload::Small,
    Payload::Unicode,
    Payload::Numbers,
    Payload::Nested,
    Payload::Empty,
    Payload::Awkward,
    Payload::Large,
    Payload::Unicode,
    Payload::Numbers,
    Payload::Empty,
    Payload::Awkward,
    Payload::Lookalikes,
    Payload::Bare,
    Payload::Names,
    Payload::Lengths,
    Payload::Equal,
    Payload::Depths,
];

/// Whether other events may have a payload equal to this one.
#[cfg_attr(not(test), allow(dead_code, reason = "tests tell such payloads from the others by it"))]
pub(crate) fn comes_again(payload: &str) -> bool {
    let found = canonical(payload);
    let mut known = edges::BARE.iter().chain(&drawn::EXEMPT).chain([&edges::EQUAL]);
    known.any(|text| canonical(text) == found)
}

/// The payload with one character of its mark changed, so that it is still JSON but another one.
pub(super) fn altered(payload: &str, mark: &str) -> String {
    let mut other = mark.to_owned();
    let last = other.pop();
    other.push(if last == Some('0') { '1' } else { '0' });
    match payload.replacen(mark, &other, 1) {
        altered if altered != payload => altered,
        _ => format!("{{\"key\":\"{other}\"}}"),
    }
}

/// The canonical text; the text itself where it has none.
pub(super) fn canonical(text: &str) -> String {
    let mut out = Vec::new();
    let found = canonicalize(text.as_bytes(), &mut out);
    found.ok().and_then(|_| String::from_utf8(out).ok()).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests;
