//! cutover-live: the only async code. It moves bytes, starts processes, drives a plan over both lanes and records what
//! happened; it judges nothing.
//!
//! Imports point only upwards in this list.

pub mod bounds;
pub mod clock;
pub mod plain_file;

pub mod authorities;

pub mod frame;

pub mod toxic;

pub mod lane;

pub mod fault;

pub mod proxy;

mod process;

pub mod drive;

pub mod environment;

pub mod hosted;

pub mod shadow;
