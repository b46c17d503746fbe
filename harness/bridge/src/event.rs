//! Makes the Nostr event of a row. All of it follows from the row and the key, so that a bridge that was restarted
//! makes the same bytes again.

use std::time::{SystemTime, UNIX_EPOCH};

use cutover_core::plan::defect::bridge::Defect;
use cutover_core::text::Secret;
use nostr::secp256k1::{Keypair, Message};
use nostr::{Event, Keys, Kind, SECP256K1, Tag, Timestamp, UnsignedEvent};
use serde_json::Value;

use crate::outbox::Row;

/// A regular kind (NIP-01), so that a relay keeps all events of it.
pub const KIND: u16 = 3773;
/// The tag of the row's own key. A reader recognizes an event by it.
pub const KEY_TAG: &str = "i";
/// The tag of the row's place in the outbox.
pub const POSITION_TAG: &str = "position";
/// The tag of the row's stream.
pub const STREAM_TAG: &str = "stream";

/// Signs the events of one bridge.
#[derive(Debug)]
pub struct Signer {
    keys: Keys,
    defects: Vec<Defect>,
}

/// Why an event can't be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the words say it")]
pub enum SignerError {
    #[error("the secret key is none: it has 64 hex digits, or begins with nsec1")]
    SecretKey,
    #[error("the event of position {position} can't be signed: {why}")]
    Event { position: u64, why: String },
}

impl Signer {
    /// A signer with a secret key in hex or bech32.
    ///
    /// # Errors
    /// Where it is no key.
    pub fn new(secret_key: &Secret, defects: &[Defect]) -> Result<Signer, SignerError> {
        let keys = Keys::parse(secret_key.reveal().trim()).map_err(|_| SignerError::SecretKey)?;
        Ok(Signer { keys, defects: defects.to_vec() })
    }

    /// The public key in hex.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.keys.public_key().to_hex()
    }

    /// The event of a row: the same one each time.
    ///
    /// # Errors
    /// Where the signature can't be made.
    pub fn event(&self, row: &Row) -> Result<Event, SignerError> {
        let tag = |name: &str, value: &str| Tag::parse([name, value]);
        let failed = |why: String| SignerError::Event { position: row.position, why };
        let mut tags =
            vec![tag(KEY_TAG, &row.key), tag(POSITION_TAG, &row.position.to_string()), tag(STREAM_TAG, &row.stream)];
        if self.defects.contains(&Defect::AnotherId) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            tags.push(tag("made", &now.as_nanos().to_string()));
        }
        let tags: Result<Vec<Tag>, _> = tags.into_iter().collect();
        let content = match self.defects.contains(&Defect::RewritesPayload) {
            true => row.payload.replace("\":", "\": "),
            false => row.payload.clone(),
        };
        let created_at = Timestamp::from_secs(row.enqueued_at / 1_000_000);
        let tags = tags.map_err(|error| failed(error.to_string()))?;
        let mut event = UnsignedEvent::new(self.keys.public_key(), created_at, Kind::Custom(KIND), tags, content);
        let id = event.id();
        // Without randomness in it, the signature is the same each time, too.
        let pair = Keypair::from_secret_key(SECP256K1, self.keys.secret_key());
        let signature = |digest| SECP256K1.sign_schnorr_no_aux_rand(&Message::from_digest(digest), &pair);
        let signed = event.add_signature(signature(id.to_bytes()));
        let mut event = signed.map_err(|error| failed(error.to_string()))?;
        if self.defects.contains(&Defect::WrongSignature) {
            event.sig = signature([7; 32]);
        }
        Ok(event)
    }
}

/// A new secret key, in hex.
#[must_use]
pub fn new_secret_key() -> Secret {
    Secret::new(Keys::generate().secret_key().to_secret_hex())
}

/// The value of the first tag of a name in an event's JSON.
pub(crate) fn tag_of<'a>(event: &'a Value, name: &str) -> Option<&'a str> {
    let tags = event.get("tags")?.as_array()?;
    let tag = tags.iter().find(|tag| tag.get(0).and_then(Value::as_str) == Some(name))?;
    tag.get(1)?.as_str()
}

#[cfg(test)]
mod tests;
