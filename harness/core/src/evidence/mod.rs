//! Evidence: a run bound into a bundle that anybody can recheck without running anything again.
//!
//! The main type is [`Evidence`], the document `evidence.json`. [`bundle`] lays it and the recorded files out in a
//! directory; [`report`] shows it; [`recheck`] computes the judgement again. All of it is pure: reading and writing the
//! directory is the caller's affair, and so are times, which lie in files of their own that are neither digested nor
//! judged.

pub mod bundle;
mod causes;
mod document;
mod judge;
mod judged;
pub mod layout;
pub mod recheck;
pub mod repeat;
pub mod report;
mod run;
mod seen;
mod shown;
mod speed;
#[cfg(test)]
mod tests;
mod vectors;

pub use causes::Cause;
pub(crate) use document::pretty;
pub use document::{
    Checkout, EVIDENCE_SCHEMA, Evidence, FireTime, LaneServer, NthRun, RUN_TIMES_SCHEMA, State, Times, Tool,
};
#[cfg(test)]
pub(crate) use judge::judge_reports;
pub use judge::{decide, judge_by, judge_scenario, judge_without};
pub use judged::{Decided, Judged, JudgedFinding, JudgedScenario, LedgerEntry, ScenarioOutcome, Seen, ShownBy};
pub use run::{Driven, LaneRun, RunEvent};
pub use speed::{LaneTime, LaneTimes, lane_time};
