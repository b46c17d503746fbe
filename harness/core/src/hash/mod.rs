//! Payload hashes: canonical JSON, the hash over it, vectors of hashes, and where two vectors differ.
//!
//! A payload's hash is `sha256:<lowercase hex>` over the payload's canonical text, which is RFC 8785 (JSON
//! Canonicalization Scheme) with one extension, described in [`canonical`]. What every client applied becomes a
//! [`vector::HashVector`]; two of those are compared by [`diff`], which names the first divergence.

pub mod canonical;
pub mod command;
pub mod diff;
mod lines;
pub mod payload;
pub mod vector;

pub use canonical::{Canonical, CanonicalError, CanonicalErrorKind, Canonicalizer, canonicalize, payload_hash};
pub use payload::{ParseHashError, PayloadHash, sha256};
pub use vector::{HashVector, VectorError};
