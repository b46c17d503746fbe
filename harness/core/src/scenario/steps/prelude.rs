//! What every step needs.

pub(super) use super::super::errors::Mistakes;
pub(super) use super::super::names::Names;
pub(super) use super::super::read::{At, Section};
pub(super) use super::super::rehearsal::{Rehearsal, Step, StepKind};
pub(super) use crate::plan;
