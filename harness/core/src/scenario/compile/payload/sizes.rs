//! Payloads of an exact size: bytes and characters of a string, members of an array or object, levels of nesting.

use super::drawn::{keyed, object};
use crate::chance::Chance;

/// What a string is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// One byte for each character.
    Ascii,
    /// The same, with one wide character at its end. One byte beyond an edge, it lies across the edge.
    WideEnd,
    /// A wide character lies across the edge, with more text behind it.
    WideAcross,
    /// Only wide characters: the size counts characters.
    Wide,
}

/// A string's size: an edge in bytes, and how far from it the string ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    pub(super) edge: usize,
    pub(super) off: isize,
    pub(super) made: Made,
}

const fn around(edge: usize, made: Made) -> [Length; 3] {
    [Length { edge, off: -1, made }, Length { edge, off: 0, made }, Length { edge, off: 1, made }]
}

/// Joins lists of three and the lengths behind them.
const fn all<const N: usize, const M: usize>(threes: &[[Length; 3]], last: [Length; M]) -> [Length; N] {
    let mut joined = [Length { edge: 0, off: 0, made: Made::Ascii }; N];
    let mut at = 0;
    while at < threes.len() * 3 {
        joined[at] = threes[at / 3][at % 3];
        at += 1;
    }
    let mut more = 0;
    while more < M {
        joined[at + more] = last[more];
        more += 1;
    }
    joined
}

const fn across(edge: usize) -> Length {
    Length { edge, off: 40, made: Made::WideAcross }
}

pub(super) const LENGTHS: [Length; 27] = all(
    &[
        around(255, Made::Ascii),
        around(4_096, Made::Ascii),
        around(65_535, Made::Ascii),
        around(255, Made::WideEnd),
        around(4_096, Made::WideEnd),
        around(65_535, Made::WideEnd),
        around(255, Made::Wide),
        around(4_096, Made::Wide),
    ],
    [across(255), across(4_096), across(65_535)],
);

const MIB: usize = 1 << 20;

pub(super) const MEBIBYTE: [Length; 4] = all(&[around(MIB, Made::Ascii)], [across(MIB)]);

pub(super) const MEMBERS: &[(usize, bool)] = &[
    (40, false),
    (255, false),
    (256, false),
    (257, false),
    (5_000, false),
    (40, true),
    (255, true),
    (256, true),
    (257, true),
    (5_000, true),
];

/// Levels of nesting. A message puts a few more around them, and some readers stop at 128.
pub(super) const DEPTHS: &[usize] = &[60, 123, 126, 127, 128, 129, 200];

const WIDE: [char; 4] = ['\u{e9}', '\u{20ac}', '\u{1d11e}', '\u{1f600}'];

pub(super) fn length(chance: &mut Chance, mark: &str, length: Length) -> String {
    let text = text(chance, length);
    let mut members = vec![keyed(mark), ("behind".to_owned(), "\"there\"".to_owned())];
    // A long text may be a value, or the name of one.
    match length.edge < MIB && chance.below(4) == 0 {
        true => members.push((text, "true".to_owned())),
        false => members.push(("text".to_owned(), format!("\"{text}\""))),
    }
    object(chance, members)
}

fn text(chance: &mut Chance, Length { edge, off, made }: Length) -> String {
    let wide = chance.pick(&WIDE).unwrap_or('\u{e9}');
    let size = edge.saturating_add_signed(off);
    if made == Made::Wide {
        return wide.to_string().repeat(size);
    }
    let mut text = String::with_capacity(size);
    while text.len() < size {
        text.push_str(&format!("{:x} ", chance.word()));
    }
    let start = match made {
        Made::WideEnd => size - wide.len_utf8(),
        Made::WideAcross => edge - 1,
        Made::Ascii | Made::Wide => size,
    };
    text.truncate(start);
    if made != Made::Ascii {
        text.push(wide);
    }
    while text.len() < size {
        text.push('.');
    }
    text
}

/// An array of so many values, or an object of so many members.
pub(super) fn members(chance: &mut Chance, mark: &str, (count, named): (usize, bool)) -> String {
    let values = (1..count).map(|nth| if nth % 3 == 0 { format!("\"{nth}\"") } else { nth.to_string() });
    if named {
        let named = values.enumerate().map(|(nth, value)| (format!("m{nth}"), value));
        return object(chance, std::iter::once(keyed(mark)).chain(named).collect());
    }
    let values: Vec<_> = std::iter::once(format!("\"{mark}\"")).chain(values).collect();
    format!("[{}]", values.join(","))
}

/// A payload of exactly so many levels.
pub(super) fn deep(chance: &mut Chance, mark: &str, levels: usize) -> String {
    let mut text = format!("[\"{mark}\"]");
    for level in 1..levels {
        text = match chance.below(3) {
            0 => format!("[{text}]"),
            1 => format!("{{\"down\":{text}}}"),
            _ => format!("[{level},{text},null]"),
        };
    }
    text
}
