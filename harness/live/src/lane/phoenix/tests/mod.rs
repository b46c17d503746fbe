//! Tests of the lane against recordings, a reference service and a server that is none.
#![allow(clippy::unwrap_used)]

mod other;
mod reference;
pub(crate) mod replay;
mod session;
mod trial;
