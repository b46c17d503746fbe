//! Every checker, and the words by which files name checkers and their reasons.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::checker::Checker;
use super::finding::{Finding, Witness};
use super::reason::{Reason, Verdict};
use super::run::{DOES_NOT_FIT, HISTORY, PANICKED};
use crate::ids::{ClientId, LaneId, Seq, StreamId};

/// Every checker, the most specific first: a finding accounts only for findings of later ones.
pub static ALL: &[&Checker] = &[
    &super::negotiation::CHECKER,
    &super::token::CHECKER,
    &super::unauthorized::CHECKER,
    &super::client::CHECKER,
    &super::unreached::CHECKER,
    &super::bridge::CHECKER,
    &super::observed_then_lost::CHECKER,
    &super::stale_cursor::CHECKER,
    &super::wrong_stream::CHECKER,
    &super::hash_mismatch::CHECKER,
    &super::duplicate_apply::CHECKER,
    &super::slow_consumer::CHECKER,
    &super::not_live::CHECKER,
    &super::lost_write::CHECKER,
    &super::wrong_answer::CHECKER,
    &super::reducer_rule::CHECKER,
    &super::phantom::CHECKER,
    &super::nonmonotonic::CHECKER,
    &super::excess_copies::CHECKER,
    &super::gap::CHECKER,
    &super::unseen::CHECKER,
    &super::convergence::CHECKER,
    &super::restore::CHECKER,
    &super::contradiction::CHECKER,
    &super::stored_state::CHECKER,
    &super::presence::CHECKER,
    &super::latency::CHECKER,
    &super::recovery::CHECKER,
    &super::unplanned_end::CHECKER,
    &super::vacuity::CHECKER,
];

/// The names of all checkers: what a known-bad scenario may expect.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|checker| checker.name).collect()
}

/// The place of a checker in [`ALL`]; behind all of them where there is no such checker.
pub fn rank(checker: &str) -> usize {
    ALL.iter().position(|known| known.name == checker).unwrap_or(ALL.len())
}

/// The checker and the reason of these names.
pub fn reason(checker: &str, word: &str) -> Option<(&'static str, &'static Reason)> {
    if checker == HISTORY {
        return (word == DOES_NOT_FIT.word).then_some((HISTORY, &DOES_NOT_FIT));
    }
    let checker = *ALL.get(rank(checker))?;
    let reasons = checker.reasons.iter().copied().chain([&PANICKED]);
    reasons.into_iter().find(|reason| reason.word == word).map(|reason| (checker.name, reason))
}

#[derive(Deserialize)]
struct Stored {
    checker: String,
    verdict: Verdict,
    lane: Option<LaneId>,
    client: Option<ClientId>,
    stream: Option<StreamId>,
    seq: Option<Seq>,
    reason: String,
    witness: Witness,
}

impl<'de> Deserialize<'de> for Finding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Finding, D::Error> {
        let Stored { checker, verdict, lane, client, stream, seq, reason: word, witness } =
            Stored::deserialize(deserializer)?;
        let (checker, reason) = reason(&checker, &word)
            .ok_or_else(|| D::Error::custom(format!("no checker `{checker}` has a reason `{word}`")))?;
        Ok(Finding { checker, verdict, lane, client, stream, seq, reason, witness })
    }
}
