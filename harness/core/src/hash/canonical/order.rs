//! The order of members: comparing names by their UTF-16 code units, and writing objects in that order.

use std::cmp::Ordering;

use super::Scratch;

/// A span of the canonical text in document order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

/// A member of an object that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// Where in the input its name starts, the quote included.
    pub at: usize,
    /// The unescaped name, in `Scratch::names` where it was escaped, else in the input.
    pub name: Span,
    /// Whether the name was spelled with escapes.
    pub escaped: bool,
    /// Name, colon and value in the text.
    pub text: Span,
}

impl Member {
    /// The unescaped name.
    pub fn name<'a>(&self, input: &'a [u8], names: &'a [u8]) -> &'a [u8] {
        let home = if self.escaped { names } else { input };
        &home[self.name.start..self.name.end]
    }
}

/// A closed object whose members were not in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reordered {
    /// The object in the text, braces included.
    pub text: Span,
    /// Its members in order, as a range of `Scratch::pieces`.
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

/// Appends `text` to `out`, with the members of the reordered objects in their order.
pub(super) fn write_in_order(text: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) {
    let Scratch {
        reordered,
        pieces,
        work,
        ..
    } = scratch;
    // Objects were noted as they closed; they are looked up by where they start.
    reordered.sort_unstable_by_key(|object| object.text.start);
    out.reserve(text.len());
    work.clear();
    work.push(Work::Text(Span {
        start: 0,
        end: text.len(),
    }));
    while let Some(item) = work.pop() {
        match item {
            Work::Text(span) => {
                let found = reordered.partition_point(|object| object.text.start < span.start);
                let Some(object) = reordered.get(found).filter(|object| object.text.start < span.end) else {
                    out.extend_from_slice(&text[span.start..span.end]);
                    continue;
                };
                out.extend_from_slice(&text[span.start..object.text.start]);
                out.push(b'{');
                work.push(Work::Text(Span {
                    start: object.text.end,
                    end: span.end,
                }));
                work.push(Work::Pieces {
                    next: object.pieces.start,
                    of: object.pieces,
                });
            }
            Work::Pieces { next, of } if next == of.end => out.push(b'}'),
            Work::Pieces { next, of } => {
                if next > of.start {
                    out.push(b',');
                }
                work.push(Work::Pieces { next: next + 1, of });
                work.push(Work::Text(pieces[next]));
            }
        }
    }
}
