//! Message toxics: the `ws_*` types, which pick whole messages by what they are and carry.

mod attributes;
mod fault;
mod read;

pub use attributes::{MessageType, message_type};
pub use read::Attributes;
