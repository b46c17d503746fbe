//! Checkers: a file per property. Each declares its [`Checker`]: what it finds, where the rule comes from, the reasons
//! of its findings with their sentences, and what its findings account for.
//!
//! A checker is pure and total: the same plan and histories give the same report, and no history makes it fail.
//! [`check_all`] runs every one of them; [`explain::explain`] then separates principal findings from their
//! consequences. Each lane is judged against the plan alone; only `unseen`, `latency` and
//! `recovery` compare the two.

mod attempts;
mod bridge;
mod checker;
pub(crate) mod client;
mod contradiction;
mod convergence;
mod describe;
mod duplicate_apply;
mod earned;
mod earned_bridge;
mod earned_measured;
mod earned_restore;
mod earned_rights;
mod earned_slow;
mod earned_unsaid;
mod excess_copies;
pub mod explain;
mod fields;
mod finding;
mod gap;
mod hash_mismatch;
mod index;
mod latency;
mod list;
mod lost_write;
pub(crate) mod measured;
mod negotiation;
mod nonmonotonic;
mod not_live;
mod observed_then_lost;
mod order;
mod owed;
mod phantom;
mod presence;
mod reason;
mod recovery;
mod reducer_rule;
mod restore;
mod run;
mod slow;
mod slow_consumer;
mod stale_cursor;
mod stored_state;
#[cfg(test)]
pub(crate) mod tests;
mod token;
mod unauthorized;
pub(crate) mod unplanned_end;
mod unreached;
mod unseen;
mod vacuity;
mod wrong_answer;
mod wrong_stream;

pub use checker::Checker;
pub use earned::earned;
pub use fields::{FIELDS, Field, Judged};
pub use finding::{Finding, MAX_FINDINGS, RecordRef, Report, Witness};
pub use latency::NAME as LATENCY;
pub use list::{ALL, names, rank, reason};
pub use reason::{Reason, Verdict};
pub use recovery::NAME as RECOVERY;
pub use run::{CheckInput, check_all, judge_all};
