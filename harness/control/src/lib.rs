//! The control service of the reference stack. It mints tokens for both lanes, rotates keys, and has a lane end tokens
//! and rights. For SpacetimeDB it is an OpenID issuer, whose tokens the server verifies itself.
//!
//! Time is moved by a token's claims: a token that expired an hour ago is minted so.

mod keys;
mod mint;
mod rights;
mod service;

pub use keys::Key;
pub use mint::{Claims, Mint};
pub use rights::{Lease, Right, Rights};
pub use service::{Control, Enforcer, Existing, LEEWAY_S, MAX_AGE_S, Signs, owner_token};
