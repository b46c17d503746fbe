//! Lanes: how to open sessions with a sync service, and what a session can do.
//!
//! A protocol is a folder and a line in [`protocols`]. It implements the traits of [`protocol`] and of `session`.
//! [`names`] maps the plan's streams to their names on the wire. `http` and [`socket`] are the two transports.

mod conversation;
mod counted;
mod generic;
pub mod http;
pub mod names;
pub(crate) mod passing;
pub mod phoenix;
pub mod profile;
pub mod protocol;
pub mod protocols;
mod refusal;
mod session;
pub mod socket;
pub mod spacetime;
pub mod trial;
mod wire_http;

pub use generic::{GenericTagger, GenericTaggers};
pub use protocols::AnyLane;
pub use session::{
    Arrival, ClientOptions, Completion, Endpoint, ForProgram, Head, Heads, Lane, OpError, OpenError, Prune, Publish,
    Published, Shown, ShownEvent, ShownKey, SubscriberSession, Visit, WriterSession,
};
