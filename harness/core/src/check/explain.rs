//! Tells principal findings from their consequences: an event that is lost is also unseen, and keeps a client from the
//! head, but it is one fault and not three.
//!
//! A finding is explained by one of an earlier checker in [`PRECEDENCE`], on the same lane and stream, at the same
//! client and the same seqs where the rule says so, and never by a milder one: an `Unknown` explains no `Invalid`. What
//! nobody can tell of a client that could not be reached is explained by that. A driver that gave up waiting, and what
//! it therefore never came to, is explained by what is wrong on the same lane, or else by what kept it waiting. Nothing
//! is dropped: consequences stay in the evidence, each with its cause.
//!
//! A finding whose verdict is `Valid` is a warning: it is told, kept apart from both, and decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Finding, Report, Verdict};
use crate::ids::LaneId;

/// Checkers, most specific first: one explains only what comes after it.
pub const PRECEDENCE: [&str; 18] = [
    UNREACHED,
    "observed-then-lost",
    "stale-cursor",
    "wrong-stream",
    "hash-mismatch",
    "duplicate-apply",
    "not-live",
    "lost-write",
    "wrong-answer",
    "phantom",
    "nonmonotonic",
    "excess-copies",
    "gap",
    "unseen",
    "convergence",
    "contradiction",
    "unplanned-end",
    "vacuity",
];

/// The checker of clients that could not be reached. It accounts for all that nobody can tell of them.
const UNREACHED: &str = "unreached";

/// The reason of `wrong-answer` that moves the seqs of all that follows.
const SHIFTED: &str = "acknowledged-at-another-seq";

/// The reason of `lost-write` for what was answered well and stands nowhere.
const UNWRITTEN: &str = "acknowledged-but-not-written";

/// A finding that another one accounts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consequence {
    /// The finding.
    pub finding: Finding,
    /// Which principal finding accounts for it, by its place in [`Explained::principal`].
    pub explained_by: usize,
}

/// A scenario's findings, sorted into causes and effects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Explained {
    /// Findings that nothing accounts for, most specific first.
    pub principal: Vec<Finding>,
    /// Those that a principal one accounts for.
    pub consequences: Vec<Consequence>,
    /// What is worth telling and decides nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
}

impl Explained {
    /// The worst verdict of all findings. A consequence is never worse than its cause, so the principal ones tell.
    pub fn verdict(&self) -> Verdict {
        self.principal.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Valid)
    }

    /// The checkers of the principal findings, each once, sorted.
    pub fn checkers(&self) -> BTreeSet<&str> {
        self.principal.iter().map(|finding| finding.checker.as_str()).collect()
    }
}

/// A lane and a client.
type Of<'a> = (Option<LaneId>, Option<&'a str>);

/// A lane and a stream.
type Place<'a> = (Option<LaneId>, Option<&'a str>);

/// Sorts the findings of one scenario's reports.
pub fn explain(reports: &[Report]) -> Explained {
    let all = reports.iter().flat_map(|report| &report.findings);
    let (warnings, findings): (Vec<&Finding>, Vec<&Finding>) = all.partition(|finding| finding.is_warning());
    let mut findings: Vec<(usize, &Finding)> =
        findings.into_iter().map(|finding| (rank(&finding.checker), finding)).collect();
    // Stable: findings of one checker stay in the order in which it told them.
    findings.sort_by_key(|(rank, _)| *rank);
    let mut explained = Explained { warnings: warnings.into_iter().cloned().collect(), ..Explained::default() };
    // For each lane and stream, what was sorted already, with the principal finding that stands for it.
    let mut earlier: BTreeMap<Place<'_>, Vec<(usize, &Finding, usize)>> = BTreeMap::new();
    // Clients that could not be reached, each with the principal finding that says so.
    let mut unreached: BTreeMap<Of<'_>, usize> = BTreeMap::new();
    for (rank, finding) in findings {
        let key = (finding.lane, finding.stream.as_ref().map(|stream| stream.as_str()));
        let bucket = earlier.entry(key).or_default();
        let direct = bucket
            .iter()
            .find(|(cause_rank, cause, _)| {
                *cause_rank < rank && cause.verdict >= finding.verdict && explains(cause, finding)
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
                let place = explained.principal.len();
                explained.principal.push(finding.clone());
                place
            }
        };
        if finding.checker == UNREACHED {
            unreached.entry((finding.lane, client)).or_insert(principal);
        }
        bucket.push((rank, finding, principal));
    }
    settle_shortages(&mut explained);
    explained
}

fn rank(checker: &str) -> usize {
    PRECEDENCE.iter().position(|name| *name == checker).unwrap_or(PRECEDENCE.len())
}

/// How far a finding that nobody can tell anything by is from its cause: what keeps a client or an operation from coming
/// to an end, then a driver that gives up waiting, then what it therefore did not come to.
fn distance(finding: &Finding) -> u8 {
    match (finding.checker.as_str(), finding.reason.as_str()) {
        _ if finding.verdict == Verdict::Invalid => 0,
        (_, "timed-out") | ("not-live", _) => 3,
        (
            _,
            "vacuous"
            | "fault-did-not-fire"
            | "toxic-did-not-strike"
            | "never-sent"
            | "no-watermark"
            | "unearned-claim",
        ) => 4,
        (UNREACHED, "never-tried") => 4,
        (UNREACHED, _) | ("unplanned-end", _) => 2,
        ("wrong-answer", "never-answered" | "put-off") => 1,
        // What stands by itself neither accounts for a shortage nor is one.
        _ => u8::MAX,
    }
}

/// Whether a cause accounts for a shortage of the same lane.
fn accounts(cause: &Finding, effect: &Finding, gave_up: bool) -> bool {
    if cause.lane != effect.lane || distance(cause) >= distance(effect) || distance(effect) == u8::MAX {
        return false;
    }
    match distance(effect) {
        // A client that gave up since the lane refused it wrongly.
        2 => effect.reason == "gave-up" && cause.checker == "stale-cursor" && cause.client == effect.client,
        3 => true,
        4 => gave_up || distance(cause) == 0,
        _ => false,
    }
}

/// A shortage may come before the finding that accounts for it in precedence, or has no stream to be found by; it is
/// settled here. Of several causes the nearest to the root stands for it.
fn settle_shortages(explained: &mut Explained) {
    let lacks = |finding: &&Finding| matches!(distance(finding), 2 | 3);
    let gave_up: BTreeSet<LaneId> = explained.principal.iter().filter(lacks).filter_map(|it| it.lane).collect();
    let cause_of = |effect: &Finding, principal: &[Finding]| {
        let gave_up = effect.lane.is_some_and(|lane| gave_up.contains(&lane));
        let causes = principal.iter().enumerate();
        causes
            .filter(|(_, cause)| accounts(cause, effect, gave_up))
            .min_by_key(|(place, cause)| (distance(cause), *place))
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

/// Whether a cause accounts for an effect on the same lane and stream.
fn explains(cause: &Finding, effect: &Finding) -> bool {
    let client = cause.client == effect.client;
    let effect_checker = effect.checker.as_str();
    // A batch that an event is missing from, or that has one too many, fits no longer what is said of it.
    if effect_checker == "contradiction" && client {
        return true;
    }
    match cause.checker.as_str() {
        // A stream that a restart forgot is wrong in every way from then on, for every client.
        "observed-then-lost" => ends_up(effect) || after(cause, effect),
        "stale-cursor" => {
            client
                && match effect_checker {
                    "gap" | "lost-write" | "unseen" => within(effect, cause),
                    "convergence" => overlap(cause, effect),
                    _ => false,
                }
        }
        // The client could not apply what came; and an event that came under another seq is missing under its own.
        "hash-mismatch" => {
            client
                && match effect_checker {
                    "convergence" => overlap(cause, effect) || instead(cause, effect),
                    "gap" => instead(cause, effect),
                    "lost-write" | "unseen" => instead(cause, effect) && effect.seq == effect.last_seq(),
                    _ => false,
                }
        }
        // One event too many shifts all that follow it.
        "duplicate-apply" => {
            cause.reason != "applied-twice"
                && effect.verdict == Verdict::Invalid
                && match effect_checker {
                    "phantom" | "unseen" => effect.last_seq() >= cause.seq,
                    "wrong-answer" => effect.reason == SHIFTED && effect.last_seq() >= cause.seq,
                    "gap" => overlap(cause, effect),
                    // Its own too many stands at the head that is named, and clients end at it.
                    "convergence" => effect.last_seq() >= cause.seq,
                    _ => false,
                }
        }
        // What takes a place that is nobody's moves the heads that lane and client know.
        "wrong-stream" | "phantom" => client && effect_checker == "convergence" && effect.last_seq() >= cause.seq,
        // An event that did not come live and that nobody asked for again never came.
        "not-live" => {
            client
                && matches!(effect_checker, "lost-write" | "gap" | "unseen" | "convergence")
                && overlap(cause, effect)
        }
        "lost-write" => match effect_checker {
            // What was not written leaves its seq to the next one.
            "wrong-answer" => {
                cause.witness.op.is_some() && cause.witness.op == effect.witness.op
                    || cause.reason == UNWRITTEN && effect.reason == SHIFTED && effect.last_seq() >= cause.seq
            }
            "gap" | "unseen" | "convergence" => client && overlap(cause, effect),
            _ => false,
        },
        // What was refused is on the other lane only, and one seq that is off moves all that follow it.
        "wrong-answer" => match effect_checker {
            "unseen" => cause.witness.op == effect.witness.op,
            "phantom" | "gap" | "convergence" => cause.reason == SHIFTED && effect.last_seq() >= cause.seq,
            _ => false,
        },
        "nonmonotonic" => client && matches!(effect_checker, "gap" | "convergence") && overlap(cause, effect),
        "gap" => client && matches!(effect_checker, "unseen" | "convergence") && overlap(cause, effect),
        "unseen" => client && effect_checker == "convergence" && overlap(cause, effect),
        _ => false,
    }
}

/// Whether a finding is about how things stand at the end, not about one moment.
fn ends_up(finding: &Finding) -> bool {
    matches!(finding.checker.as_str(), "lost-write" | "unseen" | "convergence")
}

/// Whether the effect was seen at or after the cause's first record, on the cause's lane.
fn after(cause: &Finding, effect: &Finding) -> bool {
    let records = |finding: &Finding| {
        let lane = finding.lane;
        let own = finding.witness.records.iter().filter(|record| Some(record.lane) == lane);
        own.map(|record| record.record).collect::<Vec<_>>()
    };
    records(cause).first().is_some_and(|start| records(effect).last().is_some_and(|seen| seen >= start))
}

/// Whether the two are about a common seq.
fn overlap(one: &Finding, other: &Finding) -> bool {
    matches!(
        (one.seq, one.last_seq(), other.seq, other.last_seq()),
        (Some(first), Some(last), Some(from), Some(to)) if first <= to && from <= last
    )
}

/// Whether the effect covers the seq of the event whose payload came under another.
fn instead(cause: &Finding, effect: &Finding) -> bool {
    cause.witness.instead.is_some_and(|seq| effect.seq <= Some(seq) && Some(seq) <= effect.last_seq())
}

/// Whether every seq of the inner finding is one of the outer one's.
fn within(inner: &Finding, outer: &Finding) -> bool {
    matches!(
        (inner.seq, inner.last_seq(), outer.seq, outer.last_seq()),
        (Some(first), Some(last), Some(from), Some(to)) if from <= first && last <= to
    )
}
