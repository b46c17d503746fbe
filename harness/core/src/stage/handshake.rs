//! Judges a handshake: two clients of one database, and how often each is counted while they come and go.
//!
//! Others may be connected to a hosted database. So only the connections of the handshake are judged, and all others
//! are reported.

use serde::{Deserialize, Serialize};

use super::provision::ModuleSeen;
use super::server::{Answer, not_asked};
use super::{Check, Facts};

pub const COMMAND: &str = "handshake";

/// How many connections were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub ours: u64,
    pub others: u64,
}

/// A wait for what the first client is told by its subscription, or for what a query counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waited {
    pub ms: u64,
    /// Whether it came. Else the time is the bound.
    pub came: bool,
}

/// One round. What it did not come to is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Round {
    pub before: Option<Counted>,
    /// Until the first client saw the second one.
    pub joined: Option<Waited>,
    pub during: Option<Counted>,
    /// Until the first client saw that the second one had closed its connection.
    pub closed: Option<Waited>,
    pub after_close: Option<Counted>,
    /// The same of a client whose connection was dropped without a close frame.
    pub killed: Option<Waited>,
    pub after_kill: Option<Counted>,
    /// The same of a client whose connection stayed open without a sign of life, where that was asked for.
    pub half_open: Option<Waited>,
    /// Until a query counted neither.
    pub ended: Option<Waited>,
    pub after: Option<Counted>,
    /// Why the round could not be finished.
    pub trouble: Option<String>,
}

type CountOf = fn(&Round) -> Option<Counted>;
type WaitOf = fn(&Round) -> Option<Waited>;

/// A count, its name, and how many of ours there must be.
const COUNTS: [(&str, u64, CountOf); 5] = [
    ("count-before", 0, |round| round.before),
    ("count-during", 2, |round| round.during),
    ("count-after-close", 1, |round| round.after_close),
    ("count-after-kill", 1, |round| round.after_kill),
    ("count-after", 0, |round| round.after),
];

const WAITS: [(&str, &str, WaitOf); 4] = [
    ("told-of-join", "a client that joined", |round| round.joined),
    ("told-of-close", "a client that closed its connection", |round| round.closed),
    ("told-of-kill", "a client whose connection was dropped", |round| round.killed),
    ("ended", "neither client, by a query", |round| round.ended),
];

/// What was asked for, and what was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HandshakeFacts {
    pub server: String,
    pub database: String,
    pub table: String,
    pub asked: u64,
    pub half_open: bool,
    /// Host and port, if the server was reached.
    pub reached: Option<Answer<String>>,
    pub module: Option<ModuleSeen>,
    pub rounds: Vec<Round>,
}

/// The checks that follow from the facts of a handshake.
pub fn checks(facts: &Facts) -> Vec<Check> {
    let facts: HandshakeFacts = serde_json::from_value(facts.clone().into()).unwrap_or_default();
    let rounds = &facts.rounds;
    let mut checks = vec![
        match &facts.reached {
            Some(Answer::Seen(authority)) => Check::passed("server", format!("`{}` on {authority}", facts.database)),
            Some(Answer::Trouble(trouble)) => trouble.check("server", "`cutover provision-check` says what is missing"),
            None => not_asked("server"),
        },
        finished(rounds, facts.asked),
    ];
    checks.extend(COUNTS.iter().map(|(name, least, count)| counted(name, *least, rounds, *count)));
    checks.extend(WAITS.iter().map(|(name, what, wait)| waited(name, what, rounds, *wait)));
    checks.push(match facts.half_open {
        true => waited("told-of-half-open", "a client without a sign of life", rounds, |round| round.half_open),
        false => Check::skipped(
            "told-of-half-open",
            "not asked for: a server notices such a client after half a minute to two minutes",
            "give --half-open",
        ),
    });
    checks
}

fn finished(rounds: &[Round], asked: u64) -> Check {
    let finished = rounds.iter().filter(|round| round.trouble.is_none()).count() as u64;
    let trouble = rounds.iter().enumerate().find_map(|(at, round)| Some((at + 1, round.trouble.as_ref()?)));
    match trouble {
        Some((nth, why)) => Check::unknown(
            "rounds",
            format!("{finished} of {asked} rounds; round {nth}: {why}"),
            "repeat the handshake",
        ),
        None if finished == asked && asked > 0 => Check::passed("rounds", format!("{finished} of {asked} rounds")),
        None => Check::unknown("rounds", format!("{finished} of {asked} rounds"), "repeat the handshake"),
    }
}

fn counted(name: &str, expected: u64, rounds: &[Round], count: CountOf) -> Check {
    let wrong = rounds.iter().enumerate().find_map(|(at, round)| {
        let counted = count(round)?;
        (counted.ours != expected).then(|| format!("round {}: {} of ours, not {expected}", at + 1, counted.ours))
    });
    let counts: Vec<Counted> = rounds.iter().filter_map(count).collect();
    if let Some(wrong) = wrong {
        let mend = "do `client_connected` and `client_disconnected` keep the table, and does its reader see all rows?";
        return Check::failed(name, wrong, mend);
    }
    if counts.is_empty() || counts.len() < rounds.len() {
        return Check::unknown(name, format!("counted in {} of {} rounds", counts.len(), rounds.len()), "see `rounds`");
    }
    let others = counts.iter().map(|counted| counted.others);
    let (least, most) = (others.clone().min().unwrap_or(0), others.max().unwrap_or(0));
    let others = if least == most { least.to_string() } else { format!("{least} to {most}") };
    Check::passed(name, format!("{expected} of ours in each of {} rounds, and {others} others", counts.len()))
}

fn waited(name: &str, what: &str, rounds: &[Round], wait: WaitOf) -> Check {
    let late = rounds.iter().enumerate().find_map(|(at, round)| {
        let waited = wait(round).filter(|waited| !waited.came)?;
        Some(format!("round {}: not within {} ms: {what}", at + 1, waited.ms))
    });
    if let Some(late) = late {
        return Check::failed(name, late, "raise --within if the server may be that slow; else read the module's log");
    }
    let mut times: Vec<u64> = rounds.iter().filter_map(wait).map(|waited| waited.ms).collect();
    if times.is_empty() || times.len() < rounds.len() {
        return Check::unknown(name, format!("seen in {} of {} rounds", times.len(), rounds.len()), "see `rounds`");
    }
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100).saturating_sub(1)];
    Check::passed(name, format!("p50 {} ms, p90 {} ms, at most {} ms of {}", at(50), at(90), at(100), times.len()))
}

#[cfg(test)]
mod tests;
