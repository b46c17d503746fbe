//! Judges what following two live lanes came to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Check, Facts};
use crate::ids::{LaneId, StreamId};
use crate::shadow::{Diverged, Divergence, Followed, LaneFollowed, Quantiles, StreamSeen};

pub const COMMAND: &str = "shadow";

/// What was asked for, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowFacts {
    /// For how long to follow.
    pub asked_ms: u64,
    /// The candidate may be later than the legacy lane by so much, in 95 of 100 events of a stream.
    pub most_lag_ms: u64,
    /// Seconds from the begin until the lane's token expires, where that can be read.
    #[serde(default)]
    pub token_expires_in_s: BTreeMap<LaneId, i64>,
    pub followed: Followed,
}

/// The checks that follow from the facts of a shadow run.
pub fn checks(facts: &Facts) -> Vec<Check> {
    let Ok(facts) = serde_json::from_value::<ShadowFacts>(facts.clone().into()) else {
        return vec![Check::unknown("facts", "they are not those of a shadow run", "run it again")];
    };
    let ShadowFacts { followed, .. } = &facts;
    let mut checks = vec![time(&facts)];
    for lane in LaneId::BOTH {
        let none = LaneFollowed::default();
        let served = followed.lanes.get(&lane).unwrap_or(&none);
        checks.push(connected(lane, served));
        checks.push(token(lane, &facts));
        checks.push(odd(lane, served));
    }
    checks.extend([module(followed), compared(followed), covered(followed)]);
    checks.extend([payloads(followed), losses(followed), order(followed), level(&facts), lag(&facts)]);
    checks
}

fn seconds(ms: u64) -> String {
    match ms {
        less @ 0..=9_999 => format!("{}.{} s", less / 1000, less % 1000 / 100),
        less @ 10_000..=179_999 => format!("{} s", less / 1000),
        more => format!("{} min", more / 60_000),
    }
}

fn time(facts: &ShadowFacts) -> Check {
    let (ran, asked) = (facts.followed.ran_ms, facts.asked_ms);
    match ran >= asked {
        true => Check::passed("time", format!("followed for {}", seconds(ran))),
        false => {
            let saw = format!("followed for {} of {}", seconds(ran), seconds(asked));
            Check::unknown("time", saw, "let it run to its end, or ask for less by --for")
        }
    }
}

fn connected(lane: LaneId, served: &LaneFollowed) -> Check {
    let name = format!("{lane}-connected");
    let LaneFollowed { connections, failed_opens, down_ms, longest_down_ms, .. } = served;
    let why = served.last_end.as_deref().unwrap_or("no reason was seen");
    if *connections == 0 {
        return Check::unknown(&name, format!("it was never followed: {why}"), "reach the lane, and run again");
    }
    if served.refused > 0 {
        let saw = format!("it refused a connection: {why}");
        return Check::failed(&name, saw, "give a token that lives longer, or mend the lane");
    }
    if !served.connected {
        return Check::unknown(&name, format!("there was no connection at the end: {why}"), "run again");
    }
    let down = match down_ms {
        0 => "always connected".to_owned(),
        _ => format!("without one for {}, at most {} at a time", seconds(*down_ms), seconds(*longest_down_ms)),
    };
    Check::passed(&name, format!("connections: {connections}, not opened: {failed_opens}; {down}"))
}

fn token(lane: LaneId, facts: &ShadowFacts) -> Check {
    let name = format!("{lane}-token");
    let ran_s = i64::try_from(facts.followed.ran_ms / 1000).unwrap_or(i64::MAX);
    match facts.token_expires_in_s.get(&lane) {
        None => Check::skipped(&name, "it has no token whose expiry can be read", ""),
        Some(left) if *left < ran_s => {
            let saw =
                format!("it expired {} s before the end: no later connection would have been let in", ran_s - left);
            Check::unknown(&name, saw, "give a token that lives longer")
        }
        Some(left) => Check::passed(&name, format!("it expires {} s after the end", left - ran_s)),
    }
}

fn odd(lane: LaneId, served: &LaneFollowed) -> Check {
    let name = format!("{lane}-messages");
    match &served.first_odd {
        None => Check::passed(&name, "each can be read, and none contradicts itself"),
        Some(first) => {
            let saw = format!("{} break a rule; the first: {first}", served.odd);
            Check::failed(&name, saw, "mend the service, or what its profile says of it")
        }
    }
}

fn module(followed: &Followed) -> Check {
    let name = "module";
    match (&followed.modules.begin, &followed.modules.end) {
        (Some(begin), Some(end)) if begin == end => Check::passed(name, format!("the candidate runs {begin}")),
        (Some(begin), Some(end)) => {
            let saw = format!("the candidate ran {begin} at the begin, and runs {end} at the end");
            Check::unknown(name, saw, "run it again: what was seen is of two modules")
        }
        (None, None) => Check::skipped(name, "the candidate does not show its module to this client", ""),
        _ => Check::unknown(name, "the candidate did not show its module at the begin and at the end", "run again"),
    }
}

fn each(followed: &Followed) -> impl Iterator<Item = (&StreamId, &StreamSeen)> {
    followed.seen.streams.iter()
}

fn listed<'a>(streams: impl Iterator<Item = &'a StreamId>) -> (usize, String) {
    let all: Vec<&str> = streams.map(StreamId::as_str).collect();
    let first = all.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    (all.len(), if all.len() > 5 { format!("{first} and {} more", all.len() - 5) } else { first })
}

fn compared(followed: &Followed) -> Check {
    let (all, streams) = (each(followed).map(|(_, seen)| seen.compared).sum::<u64>(), followed.seen.streams.len());
    let (none, names) = listed(each(followed).filter(|(_, seen)| seen.compared == 0).map(|(name, _)| name));
    if none > 0 || streams == 0 {
        let saw = format!("{all} events; of {none} streams nothing was compared: {names}");
        let mend = "follow longer, or only streams on which something happens";
        return Check::unknown("compared", saw, mend);
    }
    Check::passed("compared", format!("{all} events of {streams} streams, which both lanes delivered"))
}

fn covered(followed: &Followed) -> Check {
    let missed = |seen: &StreamSeen| seen.legacy.uncompared + seen.candidate.uncompared;
    let (none, names) = listed(each(followed).filter(|(_, seen)| missed(seen) > 0).map(|(name, _)| name));
    let all: u64 = each(followed).map(|(_, seen)| missed(seen)).sum();
    if none > 0 {
        let saw = format!("{all} events have no counterpart on the other lane, in {none} streams: {names}");
        let mend = "was a cursor stale, or one lane too far behind? What was not compared is not known";
        return Check::unknown("covered", saw, mend);
    }
    let earlier: u64 = each(followed).map(|(_, seen)| seen.legacy.earlier + seen.candidate.earlier).sum();
    Check::passed("covered", format!("all events from the first common one; before it {earlier}, on one lane alone"))
}

fn payloads(followed: &Followed) -> Check {
    let of_payload =
        |divergence: &Divergence| matches!(divergence, Divergence::Payload { .. } | Divergence::Hash { .. });
    found("payloads", "each event has the same payload on both lanes", followed, of_payload)
}

fn losses(followed: &Followed) -> Check {
    let of_loss = |divergence: &Divergence| matches!(divergence, Divergence::Lost { .. } | Divergence::Back { .. });
    found("losses", "no lane left an event out", followed, of_loss)
}

fn order(followed: &Followed) -> Check {
    let of_order = |divergence: &Divergence| matches!(divergence, Divergence::Skipped { .. });
    found("order", "each event came behind the one before it", followed, of_order)
}

fn found(name: &str, good: &str, followed: &Followed, of_kind: impl Fn(&Divergence) -> bool) -> Check {
    let kept = &followed.seen.divergences;
    let of_kind: Vec<&Diverged> = kept.iter().filter(|diverged| of_kind(&diverged.what)).collect();
    match of_kind.first() {
        None if followed.seen.diverged as usize > kept.len() => {
            Check::unknown(name, "more divergences were found than are kept", "see the other checks")
        }
        None => Check::passed(name, good),
        Some(first) => {
            let count = of_kind.len();
            let saw = format!("{count} of the divergences that were kept; the first: {first}");
            Check::failed(name, saw, "the candidate must not serve users before this is understood")
        }
    }
}

fn level(facts: &ShadowFacts) -> Check {
    let behind = facts.followed.lanes.iter().find(|(_, served)| served.waiting > 0);
    match behind {
        None => Check::passed("level", "at the end, both lanes had the same events"),
        Some((lane, served)) => {
            let saw = format!(
                "at the end, the {lane} lane lacks {} events that the other one has, the oldest for {}",
                served.waiting,
                seconds(served.behind_ms)
            );
            match served.behind_ms > facts.most_lag_ms {
                true => Check::failed("level", saw, "find out whether they come at all"),
                false => Check::unknown("level", saw, "run again"),
            }
        }
    }
}

fn lag(facts: &ShadowFacts) -> Check {
    let latest = each(&facts.followed).max_by_key(|(_, seen)| seen.candidate_later_us.p95);
    let Some((stream, seen)) = latest.filter(|(_, seen)| seen.candidate_later_us.samples > 0) else {
        return Check::passed("lag", "no event came later on the candidate than on the legacy lane");
    };
    let Quantiles { samples, p50, p95, p99, most } = seen.candidate_later_us;
    let ms = |us: u64| us / 1000;
    let saw = format!(
        "{samples} events of {stream} came later on the candidate: p50 {} ms, p95 {} ms, p99 {} ms, at most {} ms",
        ms(p50),
        ms(p95),
        ms(p99),
        ms(most)
    );
    match ms(p95) > facts.most_lag_ms {
        true => Check::failed("lag", format!("{saw}; allowed is a p95 of {} ms", facts.most_lag_ms), "see --most-lag"),
        false => Check::passed("lag", saw),
    }
}

#[cfg(test)]
mod tests;
