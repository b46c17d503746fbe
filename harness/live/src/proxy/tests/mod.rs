//! The proxy between two scripted ends, on real sockets.
#![allow(clippy::unwrap_used)]

mod ends;
mod faults;
mod http;
mod messages;
mod order;
mod parser;
mod rig;
mod storm;
mod toxic_table;
mod toxics;
mod toy;
mod transparent;
