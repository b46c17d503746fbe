//! cutover-core: everything that judges, and nothing that touches the world.
//!
//! No tokio, no sockets, no clock, no OS randomness: a decision made here can be made again by anybody from the same
//! recorded bytes. Rooms, in the order in which data flows through them; imports point only upwards in this list.

pub mod ids;

mod chance;

pub mod text;
pub mod topic;

pub mod matrix;

pub mod hash;

pub mod stats;

pub mod plan;

pub mod scenario;

pub mod history;

pub mod apply;

pub mod check;
pub mod policy;

pub mod gate;

pub mod draw;
pub mod shrink;

pub mod calibration;
pub mod evidence;

pub mod rollout;
pub mod shadow;
pub mod stage;

pub mod plant;
