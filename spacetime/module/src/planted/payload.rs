//! Defects of payloads.

use super::{Armed, text};
use crate::canonical::{JsonError, JsonErrorKind};
use crate::event::checked_hash;
use crate::event::db::NewEvent;
use crate::refusal::Refusal;

/// Stores another payload than the one that came, with the hash of the stored one.
pub fn change(armed: &Armed, asked: &mut NewEvent) -> Result<(), Refusal> {
    for (name, kind, mend) in text::MENDED {
        if armed.has(name) && refused_for(&asked.payload, *kind) {
            asked.payload = mend(&asked.payload);
            asked.given_hash.clear();
        }
    }
    for (name, limit) in [("payload-refused-beyond-64-kib", 65_535), ("payload-refused-beyond-1-mib", 1_048_576)] {
        if armed.has(name) && asked.payload.len() > limit {
            return Err(Refusal::BadArgument { argument: "payload", message: "it is too long" });
        }
    }
    if armed.has("depth-refused-beyond-128") && text::depth(&asked.payload) > 128 {
        return Err(Refusal::InvalidPayload(JsonError { kind: JsonErrorKind::TooDeep, offset_bytes: 0 }));
    }
    let mut changed = asked.payload.clone();
    for (_, change) in text::CHANGES.iter().filter(|(name, _)| armed.has(name)) {
        let again = change(&changed);
        // A change that makes no JSON, or two keys of one name, is not a change of this kind.
        if checked_hash(&again, "").is_ok() {
            changed = again;
        }
    }
    if changed != asked.payload {
        checked_hash(&asked.payload, &asked.given_hash)?;
        asked.payload = changed;
        asked.given_hash.clear();
    }
    Ok(())
}

/// Whether a payload is refused for this reason.
fn refused_for(payload: &str, kind: JsonErrorKind) -> bool {
    matches!(checked_hash(payload, ""), Err(Refusal::InvalidPayload(error)) if error.kind == kind)
}
