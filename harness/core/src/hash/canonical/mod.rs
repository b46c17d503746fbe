//! Canonical JSON: RFC 8785 over bytes, without a document tree.
//!
//! One pass over the input checks it against RFC 8259 and writes its canonical text in document order, remembering
//! for each open object where its members lie. An object whose members turn out not to be in order (by the UTF-16 code
//! units of their names) leaves a note behind; a second pass copies the text in the order of the notes, and is skipped
//! where there are none. Both passes are linear in the input, save for the sorting, and keep their stacks on the heap.
//!
//! Rules beyond RFC 8785:
//! - An integer literal (no fraction, no exponent) beyond ±(2^53 − 1) keeps its exact digits, since rounding it would
//!   hide a real divergence, and is counted in [`Canonical::unsafe_integers`], since a JavaScript client would round
//!   it.
//! - A number that overflows a double is an error, such an integer literal included. One that underflows is 0, as a
//!   double has it.
//! - A duplicate name (compared after unescaping), a lone surrogate, a byte order mark, nesting deeper than
//!   [`MAX_DEPTH`], and an input larger than [`MAX_INPUT_BYTES`] are errors that say where.

mod error;
mod member;
mod number;
mod order;
mod scan;
mod string;
mod token;

pub(crate) use error::Elided;
pub use error::{CanonicalError, CanonicalErrorKind};
pub(crate) use order::compare_names;
pub(crate) use scan::pointer_token;
pub(crate) use string::{plain_end, unescape_canonical};

use super::payload::PayloadHash;
use order::{Member, Piece, Reordered, Work};

/// The deepest nesting of arrays and objects that is read. It bounds memory, not the stack: nothing here recurses.
pub const MAX_DEPTH: usize = 65_536;

/// The largest document that is read, in bytes. Places in the text fit 32 bits then, though a number can grow (`1e20,`
/// grows most, to more than four times its length).
pub const MAX_INPUT_BYTES: usize = 512 << 20;

/// What canonicalizing found beside the canonical text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Canonical {
    /// How many integer literals lie beyond ±(2^53 − 1) and kept their exact digits, where a JavaScript client would
    /// round them.
    pub unsafe_integers: u64,
}

/// Replaces `out` with the canonical text of the one JSON document that `input` is.
///
/// For many documents, use one [`Canonicalizer`], which keeps its buffers.
///
/// # Errors
/// Where the input is not one JSON document, or has no canonical form; `out` is then empty.
///
/// ```
/// let mut out = Vec::new();
/// cutover_core::hash::canonicalize(br#" {"b": 1.0, "a": "\u0041"} "#, &mut out)?;
/// assert_eq!(out, br#"{"a":"A","b":1}"#);
/// # Ok::<(), cutover_core::hash::CanonicalError>(())
/// ```
pub fn canonicalize(input: &[u8], out: &mut Vec<u8>) -> Result<Canonical, CanonicalError> {
    Canonicalizer::new().canonicalize(input, out)
}

/// Hashes a JSON payload: the SHA-256 of its canonical text. For many payloads, use one [`Canonicalizer`].
pub fn payload_hash(input: &[u8]) -> Result<PayloadHash, CanonicalError> {
    Canonicalizer::new().payload_hash(input)
}

/// Canonicalizes document after document in the same buffers.
#[derive(Debug, Default)]
pub struct Canonicalizer {
    /// The canonical tokens, in document order.
    text: Vec<u8>,
    /// The same in canonical order, where [`payload_hash`](Self::payload_hash) needs it.
    sorted: Vec<u8>,
    scratch: Scratch,
}

/// What the two passes share, beside the text.
#[derive(Debug, Default)]
struct Scratch {
    /// The open arrays and objects, outermost first.
    frames: Vec<scan::Frame>,
    /// The members of all open objects, outermost first.
    members: Vec<Member>,
    /// Unescaped member names, of those that were spelled with escapes.
    names: Vec<u8>,
    /// The closed objects whose members were not in order.
    reordered: Vec<Reordered>,
    /// The members of those, in canonical order.
    pieces: Vec<Piece>,
    work: Vec<Work>,
}

impl Canonicalizer {
    /// A canonicalizer with empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces `out` with the canonical text of `input`.
    pub fn canonicalize(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Canonical, CanonicalError> {
        out.clear();
        let found = scan::scan(input, &mut self.text, &mut self.scratch)?;
        if self.scratch.reordered.is_empty() {
            std::mem::swap(&mut self.text, out);
        } else {
            order::write_in_order(&self.text, &mut self.scratch, out);
        }
        Ok(found)
    }

    /// The hash of the canonical text of `input`.
    pub fn payload_hash(&mut self, input: &[u8]) -> Result<PayloadHash, CanonicalError> {
        self.canonical_and_hash(input).map(|(_, hash, _)| hash)
    }

    /// The canonical text of `input`, its hash, and what canonicalizing found.
    pub fn canonical_and_hash(&mut self, input: &[u8]) -> Result<(&[u8], PayloadHash, Canonical), CanonicalError> {
        let found = scan::scan(input, &mut self.text, &mut self.scratch)?;
        let canonical = if self.scratch.reordered.is_empty() {
            &self.text
        } else {
            self.sorted.clear();
            order::write_in_order(&self.text, &mut self.scratch, &mut self.sorted);
            &self.sorted
        };
        Ok((canonical, PayloadHash::of_canonical(canonical), found))
    }
}
