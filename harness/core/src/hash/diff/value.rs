//! The first value in which two payloads differ, found by walking both canonical texts side by side.
//!
//! Up to the first difference the two texts are the same bytes, so that one position serves both, and no tree is built.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use crate::hash::canonical::{compare_names, plain_end, pointer_token, unescape_canonical};

/// A value in which two payloads differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueDivergence {
    /// Where it is, as a JSON Pointer (RFC 6901); empty is the payload as a whole.
    pub pointer: String,
    /// The value in A, as canonical JSON; `None` where A has no such member or element.
    pub a: Option<String>,
    /// The value in B, as canonical JSON; `None` where B has no such member or element.
    pub b: Option<String>,
}

/// The characters of a value that the terminal is shown.
const EXCERPT_CHARS: usize = 100;

/// The characters before the difference that it is shown of a value that is longer.
const LEAD_CHARS: usize = 30;

impl ValueDivergence {
    /// Both values for the terminal, those that are long cut down to where they differ.
    pub fn excerpts(&self) -> (String, String) {
        let (a, b) = (self.a.as_deref(), self.b.as_deref());
        let at = match (a, b) {
            (Some(a), Some(b)) => a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count(),
            _ => 0,
        };
        (excerpt(a, at), excerpt(b, at))
    }
}

fn excerpt(value: Option<&str>, differs_at: usize) -> String {
    let Some(value) = value else {
        return "(absent)".to_owned();
    };
    if value.chars().nth(EXCERPT_CHARS).is_none() {
        return value.to_owned();
    }
    let skipped = differs_at.saturating_sub(LEAD_CHARS);
    let shown: String = value.chars().skip(skipped).take(EXCERPT_CHARS).collect();
    let left = if skipped > 0 { "…" } else { "" };
    let right = if value.chars().nth(skipped + EXCERPT_CHARS).is_some() { "…" } else { "" };
    format!("{left}{shown}{right} ({} bytes)", value.len())
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Element(u64),
    /// A member, its name a span of the text, between the quotes.
    Member {
        start: usize,
        end: usize,
    },
}

enum Next {
    Value,
    /// A member's name, or the brace of an object without members.
    Name,
    /// An element, or the bracket of an array without elements.
    Element,
    /// A comma, or what closes the innermost array or object.
    AfterValue,
}

/// The first value in which two canonical texts differ; `None` where they are the same.
pub fn first_difference(a: &[u8], b: &[u8]) -> Option<ValueDivergence> {
    let mut walk = Walk { a, b, pos: 0, steps: Vec::new() };
    let mut next = Next::Value;
    loop {
        let flow = match next {
            Next::Value => walk.value(),
            Next::Name => walk.name(),
            Next::Element => walk.element(),
            Next::AfterValue => match walk.steps.last().copied() {
                None => return None,
                Some(step) => walk.after_value(step),
            },
        };
        match flow {
            ControlFlow::Continue(going_on) => next = going_on,
            ControlFlow::Break(found) => return Some(found),
        }
    }
}

type Flow = ControlFlow<ValueDivergence, Next>;

struct Walk<'a> {
    a: &'a [u8],
    b: &'a [u8],
    pos: usize,
    steps: Vec<Step>,
}

impl Walk<'_> {
    /// The byte of each text that is read next; 0, which no canonical text has, is the end.
    fn bytes(&self) -> (u8, u8) {
        let at = |text: &[u8]| text.get(self.pos).copied().unwrap_or(0);
        (at(self.a), at(self.b))
    }

    fn value(&mut self) -> Flow {
        match self.bytes() {
            (b'{', b'{') => {
                self.pos += 1;
                self.steps.push(Step::Member { start: self.pos, end: self.pos });
                Flow::Continue(Next::Name)
            }
            (b'[', b'[') => {
                self.pos += 1;
                self.steps.push(Step::Element(0));
                Flow::Continue(Next::Element)
            }
            _ => {
                let (end_a, end_b) = (value_end(self.a, self.pos), value_end(self.b, self.pos));
                if self.a.get(self.pos..end_a) != self.b.get(self.pos..end_b) {
                    return self.found(Some(self.pos), Some(self.pos));
                }
                // Both are at their ends where nothing is left to compare.
                self.pos = end_a;
                Flow::Continue(Next::AfterValue)
            }
        }
    }

    fn name(&mut self) -> Flow {
        match self.bytes() {
            (b'}', b'}') => self.close(),
            (b'}', _) => self.extra_member(false),
            (_, b'}') => self.extra_member(true),
            _ => {
                let (name_a, name_b) = (string_inside(self.a, self.pos), string_inside(self.b, self.pos));
                let mut unescaped = (Vec::new(), Vec::new());
                unescape_canonical(name_a, &mut unescaped.0);
                unescape_canonical(name_b, &mut unescaped.1);
                match compare_names(&unescaped.0, &unescaped.1) {
                    Ordering::Less => self.extra_member(true),
                    Ordering::Greater => self.extra_member(false),
                    Ordering::Equal => {
                        let (start, end) = (self.pos + 1, self.pos + 1 + name_a.len());
                        self.step_into(Step::Member { start, end });
                        // The quote and the colon.
                        self.pos = end + 2;
                        Flow::Continue(Next::Value)
                    }
                }
            }
        }
    }

    fn element(&mut self) -> Flow {
        match self.bytes() {
            (b']', b']') => self.close(),
            (b']', _) => self.found(None, Some(self.pos)),
            (_, b']') => self.found(Some(self.pos), None),
            _ => Flow::Continue(Next::Value),
        }
    }

    fn after_value(&mut self, step: Step) -> Flow {
        let (byte_a, byte_b) = self.bytes();
        match step {
            Step::Element(index) => {
                self.step_into(Step::Element(index + 1));
                self.pos += 1;
                match (byte_a, byte_b) {
                    (b',', b',') => Flow::Continue(Next::Value),
                    (b',', _) => self.found(Some(self.pos), None),
                    (_, b',') => self.found(None, Some(self.pos)),
                    _ => self.close_here(),
                }
            }
            Step::Member { .. } => {
                self.pos += 1;
                match (byte_a, byte_b) {
                    (b',', b',') => Flow::Continue(Next::Name),
                    (b',', _) => self.extra_member(true),
                    (_, b',') => self.extra_member(false),
                    _ => self.close_here(),
                }
            }
        }
    }

    fn close(&mut self) -> Flow {
        self.pos += 1;
        self.close_here()
    }

    fn close_here(&mut self) -> Flow {
        self.steps.pop();
        Flow::Continue(Next::AfterValue)
    }

    fn step_into(&mut self, step: Step) {
        if let Some(last) = self.steps.last_mut() {
            *last = step;
        }
    }

    /// One of the texts has at `pos` a member that the other has not.
    fn extra_member(&mut self, in_a: bool) -> Flow {
        let text = if in_a { self.a } else { self.b };
        let (start, end) = (self.pos + 1, self.pos + 1 + string_inside(text, self.pos).len());
        let name = pointer_token(&unescaped(text.get(start..end).unwrap_or_default()));
        self.steps.pop();
        let pointer = self.pointer() + "/" + &name;
        let value = Some(value_at(text, end + 2));
        let (a, b) = if in_a { (value, None) } else { (None, value) };
        Flow::Break(ValueDivergence { pointer, a, b })
    }

    /// The values that stand at these places differ, or one of them is missing.
    fn found(&self, in_a: Option<usize>, in_b: Option<usize>) -> Flow {
        let (a, b) = (in_a.map(|at| value_at(self.a, at)), in_b.map(|at| value_at(self.b, at)));
        Flow::Break(ValueDivergence { pointer: self.pointer(), a, b })
    }

    fn pointer(&self) -> String {
        self.steps.iter().fold(String::new(), |pointer, step| match *step {
            Step::Element(index) => pointer + "/" + &index.to_string(),
            Step::Member { start, end } => {
                pointer + "/" + &pointer_token(&unescaped(self.a.get(start..end).unwrap_or_default()))
            }
        })
    }
}

fn unescaped(inside: &[u8]) -> String {
    let mut name = Vec::new();
    unescape_canonical(inside, &mut name);
    String::from_utf8_lossy(&name).into_owned()
}

fn value_at(text: &[u8], start: usize) -> String {
    String::from_utf8_lossy(text.get(start..value_end(text, start)).unwrap_or_default()).into_owned()
}

/// The text between the quotes of the string at `start`.
fn string_inside(text: &[u8], start: usize) -> &[u8] {
    let end = string_end(text, start);
    text.get(start + 1..end.saturating_sub(1)).unwrap_or_default()
}

fn string_end(text: &[u8], start: usize) -> usize {
    let mut pos = start + 1;
    loop {
        pos = plain_end(text, pos);
        match text.get(pos) {
            Some(b'\\') => pos += 2,
            Some(b'"') => return pos + 1,
            Some(_) => pos += 1,
            None => return text.len(),
        }
    }
}

fn value_end(text: &[u8], start: usize) -> usize {
    let mut depth = 0usize;
    let mut pos = start;
    while let Some(byte) = text.get(pos) {
        match byte {
            b'"' => pos = string_end(text, pos),
            b'{' | b'[' => {
                depth += 1;
                pos += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                pos += 1;
            }
            b',' | b':' => {
                pos += 1;
                continue;
            }
            _ => {
                while text.get(pos).is_some_and(|byte| !matches!(byte, b',' | b'}' | b']')) {
                    pos += 1;
                }
            }
        }
        if depth == 0 {
            return pos;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
