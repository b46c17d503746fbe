//! Plants the defects of [`crate::plan::defect`] in plans, in histories and in bundles. The legacy server and the
//! module plant their own.

mod bundle;
mod client;
mod harness;
#[cfg(test)]
mod tests;
mod wire;

pub use bundle::{Whole, holds_with};
pub use client::in_client;
pub use harness::{in_harness, is_of_histories, switched_off};
pub use wire::{FAULT, on_wire};
