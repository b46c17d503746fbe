//! Hashes a payload: the one place where this crate asks for canonical JSON.

use cutover_core::hash::payload_hash;

/// SHA-256 of the canonical JSON (RFC 8785, integers beyond 2^53 - 1 keep their digits) of `json`.
pub(crate) fn canonical_sha256(json: &str) -> Result<[u8; 32], String> {
    payload_hash(json.as_bytes()).map(|hash| *hash.as_bytes()).map_err(|error| error.to_string())
}
