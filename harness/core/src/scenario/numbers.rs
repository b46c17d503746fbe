//! Reads numbers, positions and cursors, which may be left to the cases (`each`) or to chance (`random`).

use std::ops::RangeInclusive;

use super::errors::{Mistakes, did_you_mean};
use super::names::{MAX_NUMBER, Names};
use super::open::{CursorWord, Number};
use super::read::{At, Node, Section, as_number, as_text, as_word, bounded};
use super::words;

pub(super) const MAX_CASES: usize = 64;
const MAX_RANGE: u64 = 10_000;

/// `"1..=12"` or a list of numbers, none twice.
pub(super) fn positions(node: Node<'_>, mistakes: &mut Mistakes) -> Vec<u64> {
    if let Some(list) = node.list() {
        let mut numbers: Vec<u64> = Vec::new();
        for member in bounded(list, "position", node.at, mistakes) {
            match as_number(member, "position", 0..=MAX_NUMBER, mistakes) {
                Some(number) if numbers.contains(&number) => {
                    mistakes.local(member.at, format!("the position {number} stands here twice"), None);
                }
                Some(number) => numbers.push(number),
                None => {}
            }
        }
        return numbers;
    }
    match range(node) {
        Some(range) if !range.is_empty() && range.end() - range.start() < MAX_CASES as u64 => range.collect(),
        _ => {
            let what = format!("`position` is a range of at most {MAX_CASES} numbers, or a list");
            mistakes.local(node.at, what, "write \"1..=12\" or [1, 5, 12]".to_owned());
            Vec::new()
        }
    }
}

/// What a text such as `"1..=12"` stands for.
fn range(node: Node<'_>) -> Option<RangeInclusive<u64>> {
    let (low, high) = node.str()?.split_once("..=")?;
    Some(low.trim().parse().ok()?..=high.trim().parse().ok()?)
}

/// A number, `"each"` or `"random"`.
pub(super) fn number(node: Node<'_>, key: &str, least: u64, mistakes: &mut Mistakes) -> Option<At<Number>> {
    number_within(node, key, least..=MAX_NUMBER, mistakes)
}

/// A number in a range, `"each"` or `"random"`.
pub(super) fn number_within(
    node: Node<'_>,
    key: &str,
    range: RangeInclusive<u64>,
    mistakes: &mut Mistakes,
) -> Option<At<Number>> {
    let value = match node.str() {
        Some("each") => Number::Each,
        Some("random") => Number::Random,
        Some(other) => {
            let what = format!("`{key}` is a number, \"each\" or \"random\", but not \"{other}\"");
            mistakes.local(node.at, what, did_you_mean(other, &["each", "random"]));
            return None;
        }
        None => Number::Fixed(as_number(node, key, range, mistakes)?),
    };
    Some(At { value, at: node.at })
}

/// One number, a list of them, or a range.
pub(super) fn numbers(node: Node<'_>, key: &str, mistakes: &mut Mistakes) -> Vec<At<Number>> {
    if let Some(range) = range(node) {
        if range.is_empty() || *range.start() == 0 || range.end() - range.start() >= MAX_RANGE {
            let what = format!("a range of `{key}` has 1 to {MAX_RANGE} numbers, and begins with 1 or more");
            mistakes.local(node.at, what, "write \"1..=12\"".to_owned());
            return Vec::new();
        }
        return range.map(|number| At { value: Number::Fixed(number), at: node.at }).collect();
    }
    let nodes = node.list().unwrap_or_else(|| vec![node]);
    if nodes.is_empty() {
        mistakes.local(node.at, format!("`{key}` is empty"), None);
    }
    bounded(nodes, key, node.at, mistakes).into_iter().filter_map(|node| number(node, key, 1, mistakes)).collect()
}

/// A cursor: a number or one of the words for one. `foreign` is the head of the stream under `of`.
pub(super) fn cursor(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<At<CursorWord>> {
    let node = section.need("to", mistakes)?;
    let at = node.at;
    if node.str().is_none() {
        let value = CursorWord::Number(as_number(node, "to", 0..=MAX_NUMBER, mistakes)?);
        return Some(At { value, at });
    }
    let value = match as_word(as_text(node, "to", mistakes)?, "cursor", words::CURSORS, mistakes)? {
        CursorWord::Foreign(_) => {
            let Some(of) = section.text("of", mistakes) else {
                let hint = "add `of = \"<topic>\"`".to_owned();
                mistakes.local(at, "a foreign cursor is another stream's: which?", hint);
                return None;
            };
            CursorWord::Foreign(names.stream(of, mistakes)?)
        }
        value => value,
    };
    if section.has("of") && !matches!(value, CursorWord::Foreign(_)) {
        mistakes.local(at, "`of` goes with a foreign cursor only", None);
    }
    Some(At { value, at })
}
