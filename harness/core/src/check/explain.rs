//! Separates principal findings from their consequences: an event that is lost is also unseen, and keeps a client from
//! the head, but it is one fault and not three.
//!
//! A finding is explained by one of an earlier checker in [`ALL`], on the same lane and stream, where that checker says
//! so, and never by a milder one: an `Unknown` explains no `Invalid`. All that is unknown of a client that could not be
//! reached is explained by that. A driver that stopped waiting, and what it then did not do, are explained by what is
//! wrong on the same lane, or else by what kept it waiting. Nothing is dropped: consequences stay in the evidence, each
//! with its cause.
//!
//! A finding whose verdict is `Valid` is a warning: it is reported, kept apart from both, and decides nothing.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::{BTreeMap, BTreeSet};

use super::list::{ALL, rank};
use super::reason::Shortage;
use super::{Finding, Report, Verdict, contradiction, stale_cursor, stored_state, unreached};
use crate::ids::LaneId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consequence {
    pub finding: Finding,
    /// Which principal finding accounts for it, by its place in [`Explained::principal`].
    pub explained_by: usize,
}

/// A scenario's findings, sorted into causes and effects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explained {
    pub principal: Vec<Finding>,
    pub consequences: Vec<Consequence>,
    pub warnings: Vec<Finding>,
}

impl Explained {
    pub fn checkers(&self) -> BTreeSet<&str> {
        self.principal.iter().map(|finding| finding.checker).collect()
    }
}

/// A lane, and the name of a client or a stream on it.
type OnLane<'a> = (Option<LaneId>, Option<&'a str>);

pub fn explain(reports: &[Report]) -> Explained {
    let all = reports.iter().flat_map(|report| &report.findings);
    let (warnings, findings): (Vec<&Finding>, Vec<&Finding>) = all.partition(|finding| finding.is_warning());
    let mut findings: Vec<(usize, &Finding)> =
        findings.into_iter().map(|finding| (rank(finding.checker), finding)).collect();
    // Stable: findings of one checker stay in the order in which it reported them.
    findings.sort_by_key(|(rank, _)| *rank);
    let mut explained = Explained { warnings: warnings.into_iter().cloned().collect(), ..Explained::default() };
    // For each lane and stream, what was sorted already, with the principal finding that stands for it.
    let mut earlier: BTreeMap<OnLane<'_>, Vec<(usize, &Finding, usize)>> = BTreeMap::new();
    // Clients that could not be reached, each with the principal finding that says so.
    let mut unreached: BTreeMap<OnLane<'_>, usize> = BTreeMap::new();
    for (rank, finding) in findings {
        let key = (finding.lane, finding.stream.as_ref().map(|stream| stream.as_str()));
        let bucket = earlier.entry(key).or_default();
        let direct = bucket
            .iter()
            .find(|(cause_rank, cause, _)| {
                *cause_rank < rank && cause.verdict >= finding.verdict && explains(*cause_rank, cause, finding)
            })
            .map(|(_, _, principal)| *principal);
        let client = finding.client.as_ref().map(|client| client.as_str());
        let cause = direct.or_else(|| {
            unreached.get(&(finding.lane, client)).copied().filter(|_| finding.verdict == Verdict::Unknown)
        });
        let principal = match cause {
            Some(principal) => {
                explained.consequences.push(Consequence { finding: finding.clone(), explained_by: principal });
                principal
            }
            None => {
                explained.principal.push(finding.clone());
                explained.principal.len() - 1
            }
        };
        if finding.checker == unreached::NAME {
            unreached.entry((finding.lane, client)).or_insert(principal);
        }
        bucket.push((rank, finding, principal));
    }
    settle_shortages(&mut explained);
    explained
}

/// Whether a cause, of the checker at this place in [`ALL`], accounts for an effect on the same lane and stream.
fn explains(cause_rank: usize, cause: &Finding, effect: &Finding) -> bool {
    // A batch that lacks an event, or has one too many, contradicts what other messages say of it.
    let contradicted = effect.checker == contradiction::NAME && effect.is_at_client_of(cause);
    // What a lane stores wrongly follows from what it answered or delivered wrongly.
    let stored = effect.checker == stored_state::NAME && cause.verdict == Verdict::Invalid;
    ALL.get(cause_rank).is_some_and(|checker| contradicted || stored || (checker.explains)(cause, effect))
}

/// Where a finding stands among the reasons why a run could not do everything.
fn shortage(finding: &Finding) -> Option<Shortage> {
    match finding.verdict {
        Verdict::Invalid => Some(Shortage::SomethingWrong),
        _ => finding.reason.shortage,
    }
}

/// Whether a cause accounts for a shortage of the same lane. `stopped` says whether something on the lane made the
/// driver stop waiting.
fn accounts(cause: &Finding, effect: &Finding, stopped: bool) -> bool {
    let (Some(from), Some(to)) = (shortage(cause), shortage(effect)) else { return false };
    if cause.lane != effect.lane || from >= to {
        return false;
    }
    match to {
        Shortage::SomethingWrong | Shortage::NoAnswer => false,
        // A client that gave up since the lane refused it wrongly.
        Shortage::NoConnection => {
            *effect.reason == unreached::GAVE_UP && cause.checker == stale_cursor::NAME && cause.is_at_client_of(effect)
        }
        Shortage::TimedOut => true,
        Shortage::NotDone => stopped || from == Shortage::SomethingWrong,
    }
}

/// A shortage may come before the finding that accounts for it in precedence, or has no stream to be found by; it is
/// settled here. Of several causes the nearest to the root stands for it.
fn settle_shortages(explained: &mut Explained) {
    let stops = |it: &&Finding| matches!(shortage(it), Some(Shortage::NoConnection | Shortage::TimedOut));
    let stopped: BTreeSet<LaneId> = explained.principal.iter().filter(stops).filter_map(|it| it.lane).collect();
    let cause_of = |effect: &Finding, principal: &[Finding]| {
        let stopped = effect.lane.is_some_and(|lane| stopped.contains(&lane));
        let causes = principal.iter().enumerate();
        causes
            .filter(|(_, cause)| accounts(cause, effect, stopped))
            .min_by_key(|(place, cause)| (shortage(cause), *place))
            .map(|(place, _)| place)
    };
    while let Some((place, cause)) = explained
        .principal
        .iter()
        .enumerate()
        .find_map(|(place, finding)| Some((place, cause_of(finding, &explained.principal)?)))
    {
        let finding = explained.principal.remove(place);
        explained.consequences.push(Consequence { finding, explained_by: cause });
        for consequence in &mut explained.consequences {
            if consequence.explained_by == place {
                consequence.explained_by = cause;
            }
            if consequence.explained_by > place {
                consequence.explained_by -= 1;
            }
        }
    }
}
