//! Tests of the lane against recordings and a server that is none.

mod newer;
pub(crate) mod recording;
mod server;
mod session;
