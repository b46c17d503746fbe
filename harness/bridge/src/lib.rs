//! The bridge from the candidate's outbox to a Nostr relay, and a real relay that records what arrives.
//!
//! The bridge is a process of its own. It reads `bridge_outbox` as the owner of the database, sends each row as a
//! signed event in the order of positions, and marks the row once the relay has it. The main types are [`Bridge`] and
//! [`Relay`].

mod bridge;
mod database;
mod event;
mod outbox;
mod publisher;
mod relay;
mod settings;
mod state;

pub use bridge::{Bridge, BridgeError};
pub use event::{KEY_TAG, KIND, POSITION_TAG, STREAM_TAG, Signer, SignerError, new_secret_key};
pub use outbox::Row;
pub use relay::Relay;
pub use settings::{Settings, UnknownDefect, parse_defects};
