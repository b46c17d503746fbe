//! Spells a payload in another way: other spacing, escapes, numbers and order of members, and the same canonical form.

use super::canonical;
use crate::chance::Chance;

const SPACING: [&str; 8] = ["", "", "", "", " ", "\n", "\t", "\r\n  "];
/// Deeper values are copied.
const MAX_DEPTH: usize = 512;
/// Strings beyond this many bytes have few escapes.
const LONG: usize = 256;

pub(crate) fn respelled(chance: &mut Chance, payload: &str) -> String {
    let text = canonical(payload);
    let mut speller = Speller { chance, text: &text, out: String::with_capacity(text.len() * 2), depth: 0 };
    speller.space();
    speller.value(0);
    speller.space();
    match speller.out {
        same if same == payload => format!(" {same}"),
        other => other,
    }
}

struct Speller<'t> {
    chance: &'t mut Chance,
    /// Canonical, so that it has no spaces and no mistakes.
    text: &'t str,
    out: String,
    depth: usize,
}

impl Speller<'_> {
    fn space(&mut self) {
        let space = self.chance.pick(&SPACING).unwrap_or("");
        self.out.push_str(space);
    }

    /// Spells the value at `at`, and returns where it ends.
    fn value(&mut self, at: usize) -> usize {
        match self.text.as_bytes().get(at) {
            Some(b'{' | b'[') if self.depth < MAX_DEPTH => {
                self.depth += 1;
                let end = self.container(at);
                self.depth -= 1;
                end
            }
            Some(b'"') => self.string(at),
            _ => {
                let end = token_end(self.text, at);
                let number = respelled_number(self.chance, &self.text[at..end]);
                self.out.push_str(&number);
                end
            }
        }
    }

    fn container(&mut self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let named = bytes[at] == b'{';
        let mut parts = Vec::new();
        let outer = std::mem::take(&mut self.out);
        let mut at = at + 1;
        while !matches!(bytes.get(at), Some(b'}' | b']') | None) {
            self.space();
            if named {
                at = self.string(at) + 1;
                self.space();
                self.out.push(':');
                self.space();
            }
            at = self.value(at);
            self.space();
            parts.push(std::mem::take(&mut self.out));
            at += usize::from(bytes.get(at) == Some(&b','));
        }
        if named {
            self.chance.shuffle(&mut parts);
        }
        self.out = outer;
        self.out.push(if named { '{' } else { '[' });
        for (nth, part) in parts.iter().enumerate() {
            self.out.push_str(if nth > 0 { "," } else { "" });
            self.out.push_str(part);
        }
        if parts.is_empty() {
            self.space();
        }
        self.out.push(if named { '}' } else { ']' });
        at + 1
    }

    fn string(&mut self, at: usize) -> usize {
        let end = token_end(self.text, at);
        let inside = &self.text[at + 1..end - 1];
        let stride = if inside.len() > LONG { 2_000 } else { 12 };
        let mut left = self.chance.between(1, stride);
        self.out.push('"');
        let mut chars = inside.chars();
        while let Some(c) = chars.next() {
            let (c, canonical) = match c {
                '\\' => unescaped(&mut chars),
                c => (c, String::from(c)),
            };
            left -= 1;
            if left > 0 {
                self.out.push_str(&canonical);
                continue;
            }
            left = self.chance.between(1, stride);
            if c == '/' {
                self.out.push_str("\\/");
                continue;
            }
            let upper = self.chance.below(2) == 0;
            for unit in c.encode_utf16(&mut [0; 2]) {
                let escape = if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
                self.out.push_str(&escape);
            }
        }
        self.out.push('"');
        end
    }
}

/// The character of a canonical escape, whose backslash is read, and the escape.
fn unescaped(chars: &mut std::str::Chars<'_>) -> (char, String) {
    let Some(kind) = chars.next() else {
        return ('\\', "\\\\".to_owned());
    };
    let c = match kind {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let digits: String = chars.take(4).collect();
            let c = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).unwrap_or('\0');
            return (c, format!("\\u{digits}"));
        }
        other => other,
    };
    (c, format!("\\{kind}"))
}

/// Where the string, number or word at `at` of a canonical text ends; of a container, the whole of it.
pub(crate) fn token_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(at) {
        Some(b'"') => {
            let mut end = at + 1;
            while !matches!(bytes.get(end), Some(b'"') | None) {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            (end + 1).min(text.len())
        }
        Some(b'{' | b'[') => text.len() - bytes[at..].len() + container_len(&text[at..]),
        _ => bytes[at..].iter().position(|byte| matches!(byte, b',' | b'}' | b']')).map_or(text.len(), |len| at + len),
    }
}

fn container_len(text: &str) -> usize {
    let (mut at, mut open) = (0, 0usize);
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'"' => {
                at = token_end(text, at);
                continue;
            }
            b'{' | b'[' => open += 1,
            b'}' | b']' => open -= 1,
            _ => {}
        }
        at += 1;
        if open == 0 {
            break;
        }
    }
    at
}

/// Another spelling of the same decimal number, or the literal as it is. An integer beyond 2^53 has only one.
fn respelled_number(chance: &mut Chance, literal: &str) -> String {
    let plain = literal.to_owned();
    let digits = literal.trim_start_matches('-');
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit());
    if !is_number || is_integer && digits.parse::<u64>().map_or(true, |value| value >= 1 << 53) {
        return plain;
    }
    if digits == "0" {
        return chance.pick(&["0", "-0", "0.0", "-0.0", "0e7", "0.00E-2"]).unwrap_or("0").to_owned();
    }
    let (mantissa, exponent) = literal.split_once('e').unwrap_or((literal, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    match chance.below(5) {
        0 => plain,
        1 => format!("{whole}.{fraction}0E{exponent}"),
        2 => format!("{whole}.{fraction}00e{exponent:+03}"),
        3 if fraction.is_empty() => format!("{whole}0e{}", exponent - 1),
        3 => format!("{}e{}", joined(whole, fraction), exponent - i32::try_from(fraction.len()).unwrap_or(0)),
        _ if exponent == 0 => format!("{whole}.{fraction}0"),
        _ => format!("{mantissa}E{exponent:+}"),
    }
}

/// The digits of a number without its point, and without zeros in front.
fn joined(whole: &str, fraction: &str) -> String {
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let digits = format!("{whole}{fraction}");
    format!("{sign}{}", digits.trim_start_matches('0'))
}
