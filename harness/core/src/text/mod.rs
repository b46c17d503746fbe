//! Text from outside, as it is shown: invisible characters are escaped, secrets are masked, and texts that look alike
//! can be distinguished.
//!
//! Each form has one printer that escapes any text for it: [`Screen`] for a terminal, [`markdown`] and [`code`] for a
//! summary, [`html`] for a page and a test report, [`quoted`] for a command.

mod markup;
mod screen;
mod secret;
mod shell;
mod table;
mod time;

pub use markup::{code, code_in_cell, html, markdown};
pub use screen::{Screen, Style};
pub use secret::{Secret, learn, learn_value, masked, percent_encoded, scrubbed, without_value};
pub use shell::quoted;
pub use table::{Align, Table, columns, cut, wrap};
pub use time::seconds;

const MAX_POINTS: usize = 6;
const AROUND: usize = 24;

/// The text with every character written out that can't be seen, or that changes how others are seen: controls, blanks
/// other than the usual one, characters without width, and those that turn the direction.
pub fn visible(text: &str) -> String {
    written_out(text, |_| false)
}

/// The text with every character written out that can't be seen, but for those that the form has a place for.
fn written_out(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) && !stays(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

fn is_invisible(c: char) -> bool {
    matches!(
        u32::from(c),
        0x00..=0x1f
            | 0x7f..=0xa0
            | 0xad
            | 0x034f
            | 0x061c
            | 0x115f..=0x1160
            | 0x1680
            | 0x17b4..=0x17b5
            | 0x180b..=0x180f
            | 0x2000..=0x200f
            | 0x2028..=0x202f
            | 0x205f..=0x206f
            | 0x2800
            | 0x3000
            | 0x3164
            | 0xfe00..=0xfe0f
            | 0xfeff
            | 0xffa0
            | 0xfff0..=0xfffb
            | 0xfffe..=0xffff
            | 0x13430..=0x1343f
            | 0x1bca0..=0x1bca3
            | 0x1d173..=0x1d17a
            | 0xe0000..=0xe0fff
    )
}

/// Two texts side by side, without what is far from their first difference.
pub fn around_difference(one: &str, other: &str) -> (String, String) {
    let (same, _) = difference(one, other);
    (window(one, same), window(other, same))
}

/// The characters at `at` with some before and after them.
fn window(text: &str, at: usize) -> String {
    let count = text.chars().count();
    let from = if at > 2 * AROUND { at - AROUND } else { 0 };
    let to = if count > at + 2 * AROUND { at + AROUND } else { count };
    let kept: String = text.chars().skip(from).take(to.saturating_sub(from)).collect();
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < count { "…" } else { "" });
    format!("{before}{kept}{after}")
}

/// Where two texts differ in characters that can be mistaken for others, the code points of the first difference:
/// `U+00E9 and U+0065 U+0301`. `None` where they differ in plain ASCII only.
pub fn code_points(one: &str, other: &str) -> Option<String> {
    if one == other {
        return None;
    }
    let (same, [one, other]) = difference(one, other);
    let plain = |part: &[char]| part.iter().all(|c| c.is_ascii_graphic() || *c == ' ');
    if plain(&one) && plain(&other) {
        return None;
    }
    let points = |part: &[char]| {
        let mut points: Vec<String> =
            part.iter().take(MAX_POINTS).map(|c| format!("U+{:04X}", u32::from(*c))).collect();
        if part.len() > MAX_POINTS {
            points.push("…".to_owned());
        }
        if points.is_empty() { "nothing".to_owned() } else { points.join(" ") }
    };
    Some(format!("at character {}: {} and {}", same + 1, points(&one), points(&other)))
}

/// The length of the common start of two texts, and the part of each between the common start and the common end.
fn difference(one: &str, other: &str) -> (usize, [Vec<char>; 2]) {
    let [one, other]: [Vec<char>; 2] = [one, other].map(|text| text.chars().collect());
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let ends = one[same..].iter().rev().zip(other[same..].iter().rev());
    let same_end = ends.take_while(|(a, b)| a == b).count();
    let part = |text: &[char]| text[same..text.len() - same_end].to_vec();
    (same, [part(&one), part(&other)])
}

#[cfg(test)]
mod tests;
