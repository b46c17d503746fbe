//! Lanes: how to open sessions with a sync service, and what a session can do.
//!
//! [`phoenix`] and [`spacetime`] are the protocols. [`session`] has what every protocol implements, [`names`] maps the
//! plan's streams to their names on the wire, [`http`] and [`socket`] are the two transports.

pub mod any;
mod conversation;
mod counted;
mod generic;
pub mod http;
pub mod names;
pub(crate) mod passing;
pub mod phoenix;
pub mod profile;
mod refusal;
pub mod session;
pub mod socket;
pub mod spacetime;
pub mod trial;
mod wire_http;

pub use any::AnyLane;
pub use generic::{GenericTagger, GenericTaggers};
pub use session::{
    Arrival, ClientOptions, Completion, Endpoint, Head, Heads, Lane, OpError, OpenError, Published, SubscriberSession,
    WriterSession,
};
