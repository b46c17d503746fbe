//! A parsed JSON text: every value with its canonical spelling, every object with its members in order.

use std::ops::Range;

/// A value's index among a document's values.
pub(super) type ValueId = usize;

/// A value of a document.
pub(super) enum Value {
    /// A string, number or word: where its spelling lies among the spellings.
    Leaf(Range<usize>),
    Array(Vec<ValueId>),
    Object(Vec<Member>),
}

/// A member of an object.
pub(super) struct Member {
    /// The key in UTF-16, by which RFC 8785 orders members.
    pub(super) key: Vec<u16>,
    /// Bytes from the text's start to the key.
    pub(super) key_offset_bytes: usize,
    /// Where the key's spelling, colon included, lies among the spellings.
    pub(super) key_spelling: Range<usize>,
    pub(super) value: ValueId,
}

/// All values of one JSON text. They refer to each other by index, so that neither writing nor dropping a deep document
/// recurses.
#[derive(Default)]
pub(super) struct Document {
    pub(super) values: Vec<Value>,
    pub(super) spellings: String,
}

impl Document {
    /// Adds a value and returns its id. Values are added in the order in which they end, so the root is last.
    pub(super) fn push(&mut self, value: Value) -> ValueId {
        self.values.push(value);
        self.values.len() - 1
    }

    /// Adds a leaf, whose spelling begins at `start` and ends where the spellings end.
    pub(super) fn push_leaf(&mut self, start: usize) -> ValueId {
        let end = self.spellings.len();
        self.push(Value::Leaf(start..end))
    }

    /// Writes the document without a space, members in their order.
    pub(super) fn write(&self) -> String {
        let mut out = String::with_capacity(self.spellings.len() + 2 * self.values.len());
        // What is being written, the root first, with how many of its parts are written.
        let mut unfinished: Vec<(ValueId, usize)> =
            self.values.len().checked_sub(1).map(|root| (root, 0)).into_iter().collect();
        while let Some((id, written)) = unfinished.pop() {
            let (opening, closing, part) = match &self.values[id] {
                Value::Leaf(spelling) => {
                    out.push_str(&self.spellings[spelling.clone()]);
                    continue;
                }
                Value::Array(items) => ('[', ']', items.get(written).map(|item| ("", *item))),
                Value::Object(members) => ('{', '}', members.get(written).map(|member| self.part(member))),
            };
            if written == 0 {
                out.push(opening);
            }
            match part {
                Some((key, value)) => {
                    if written > 0 {
                        out.push(',');
                    }
                    out.push_str(key);
                    unfinished.push((id, written + 1));
                    unfinished.push((value, 0));
                }
                None => out.push(closing),
            }
        }
        out
    }

    fn part(&self, member: &Member) -> (&str, ValueId) {
        (&self.spellings[member.key_spelling.clone()], member.value)
    }
}
