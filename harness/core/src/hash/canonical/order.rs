//! The order of members: comparing names by their UTF-16 code units, and writing objects in that order.

use std::cmp::Ordering;

use super::Scratch;

/// A span of the text, of the input, or of another buffer. What is read is small enough for 32 bits, see
/// [`MAX_INPUT_BYTES`](super::MAX_INPUT_BYTES).
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    pub fn start(self) -> usize {
        self.start as usize
    }

    pub fn end(self) -> usize {
        self.end as usize
    }

    pub fn of(self, home: &[u8]) -> &[u8] {
        &home[self.start()..self.end()]
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// What its name sorts by, see [`prefix`].
    prefix: u64,
    /// Where in the input its name starts, the quote included.
    at: u32,
    /// The unescaped name, in `Scratch::names` where it was escaped, else in the input.
    name: Span,
    /// Name, colon and value in the text.
    text: Span,
    /// How many reordered objects there were before it.
    reordered_before: u32,
    escaped: bool,
    /// Whether there are reordered objects in it.
    nested: bool,
}

impl Member {
    /// A member whose name starts at `at` in the input and at `start` in the text, and whose unescaped name is `name`
    /// of `home`, which is `Scratch::names` if it was `escaped`, else the input.
    pub fn new(at: usize, start: usize, name: Span, escaped: bool, home: &[u8], reordered: usize) -> Self {
        Self {
            prefix: prefix(name, home),
            at: at as u32,
            name,
            text: Span::new(start, start),
            reordered_before: reordered as u32,
            escaped,
            nested: false,
        }
    }

    /// Notes where the member ends in the text, and how many reordered objects there are by then.
    pub fn end(&mut self, end: usize, reordered: usize) {
        self.text.end = end as u32;
        self.nested = reordered > self.reordered_before as usize;
    }

    pub fn at(&self) -> usize {
        self.at as usize
    }

    pub fn name<'a>(&self, input: &'a [u8], names: &'a [u8]) -> &'a [u8] {
        self.name.of(if self.escaped { names } else { input })
    }

    pub fn piece(&self) -> Piece {
        Piece { text: self.text, nested: self.nested }
    }

    pub fn compare(&self, other: &Member, input: &[u8], names: &[u8]) -> Ordering {
        let prefixes = self.prefix.cmp(&other.prefix);
        prefixes.then_with(|| compare_names(self.name(input, names), other.name(input, names)))
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// Name, colon and value in the text.
    text: Span,
    /// Whether there are reordered objects in it.
    nested: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Reordered {
    /// The object in the text, braces included.
    pub text: Span,
    /// Its members in order, as a span of `Scratch::pieces`.
    pub pieces: Span,
}

/// What the second pass has still to write.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    /// A span of the text, in which there may be reordered objects.
    Text(Span),
    /// The members of a reordered object, from a piece on, and its closing brace.
    Pieces { next: usize, of: Span },
}

/// Compares two names, as unescaped UTF-8, by their UTF-16 code units, as RFC 8785 sorts.
///
/// The order of UTF-8's bytes is that of code points. It differs from that of code units in one case: a character
/// beyond U+FFFF (first byte F0 and up) is a pair of surrogates, D800 to DFFF, which sort before U+E000 to U+FFFF
/// (first byte EE or EF).
pub(crate) fn compare_names(a: &[u8], b: &[u8]) -> Ordering {
    let common = a.iter().zip(b).position(|(x, y)| x != y);
    let Some(at) = common else { return a.len().cmp(&b.len()) };
    match (a[at], b[at]) {
        (0xF0.., 0xEE | 0xEF) => Ordering::Less,
        (0xEE | 0xEF, 0xF0..) => Ordering::Greater,
        (x, y) => x.cmp(&y),
    }
}

/// A number that sorts as the first eight bytes of a name do. Of names for which it is the same, it says nothing.
///
/// `name` is a span of `home`, where a name is followed by other bytes as a rule, which are read along and masked.
#[inline]
fn prefix(name: Span, home: &[u8]) -> u64 {
    let len = name.end() - name.start();
    let word = match home.get(name.start()..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => name.of(home).iter().take(8).rfold(0, |word, byte| word >> 8 | u64::from(*byte) << 56),
    };
    let word = if len >= 8 { word } else { word & !(u64::MAX >> (8 * len)) };
    if word & 0x8080_8080_8080_8080 == 0 { word } else { prefix_beyond_ascii(word) }
}

/// First bytes of UTF-8 from EE up are where the orders part: F0 to F4 come before EE and EF.
#[cold]
fn prefix_beyond_ascii(word: u64) -> u64 {
    u64::from_be_bytes(word.to_be_bytes().map(|byte| match byte {
        0xEE | 0xEF => byte + 5,
        0xF0.. => byte - 2,
        _ => byte,
    }))
}

/// Appends `text` to `out`, with the members of the reordered objects in their order.
pub(super) fn write_in_order(text: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) {
    let Scratch { reordered, pieces, work, .. } = scratch;
    // Objects were noted as they closed; they are looked up by where they start.
    reordered.sort_unstable_by_key(|object| object.text.start);
    out.reserve(text.len());
    work.clear();
    work.push(Work::Text(Span::new(0, text.len())));
    while let Some(item) = work.pop() {
        match item {
            Work::Text(span) => {
                let found = reordered.partition_point(|object| object.text.start < span.start);
                let Some(object) = reordered.get(found).filter(|object| object.text.start < span.end) else {
                    out.extend_from_slice(span.of(text));
                    continue;
                };
                out.extend_from_slice(&text[span.start()..object.text.start()]);
                out.push(b'{');
                work.push(Work::Text(Span { start: object.text.end, end: span.end }));
                work.push(Work::Pieces { next: object.pieces.start(), of: object.pieces });
            }
            Work::Pieces { mut next, of } => {
                let nested = loop {
                    let Some(piece) = pieces[..of.end()].get(next) else {
                        break None;
                    };
                    if next > of.start() {
                        out.push(b',');
                    }
                    next += 1;
                    if piece.nested {
                        break Some(piece.text);
                    }
                    out.extend_from_slice(piece.text.of(text));
                };
                match nested {
                    None => out.push(b'}'),
                    Some(nested) => work.extend([Work::Pieces { next, of }, Work::Text(nested)]),
                }
            }
        }
    }
}
