//! `unplanned-end`: an end is planned where, since the client was last subscribed, a fault of the plan fired at that
//! client, or something was done to the lane's server; where a toxic of the plan may be on for the client; and where
//! the client closed the connection itself. What lies between two subscriptions of a client counts once. Three kinds
//! are told apart: ends by the other side; silence, and publishes without an answer, which count only against the other
//! lane, since a busy machine makes both lanes silent; and outages, where the lane could not be reached for a while, as
//! when a service restarts behind a load balancer. A few are a warning with their causes; [`MANY`] (outages: of one
//! client) are unknown, since a lane that ends every connection after some messages looks whole to clients that
//! reconnect.

use std::collections::BTreeMap;

use super::checker::{Checker, nothing};
use super::finding::{Finding, Report};
use super::index::{Index, LaneIndex};
use super::reason::{Reason, Shortage};
use super::unreached::by_cause;
use crate::history::{Closed, Completion, Minting, Phase, Process, Record};
use crate::ids::{LaneId, OpId};
use crate::plan::{ModuleUpdate, WRITER};

const NAME: &str = "unplanned-end";

/// From so many ends of one lane on, they are no accident.
pub(crate) const MANY: u64 = 3;
/// Silences count against a lane that has so many times as many as the other one.
const OFTENER: u64 = 3;
const MAX_RECORDS: usize = 4;

const SAYS: &str = "connections ended that nothing planned: {got}";

static FEW_ENDS: Reason = Reason::warning("few", SAYS);
static MANY_ENDS: Reason = Reason::unknown("many", SAYS).shortage(Shortage::NoConnection);
static PUT_OFF: Reason =
    Reason::warning("put-off", "an attempt to publish did not get through, and a later one did: {got}");

pub static CHECKER: Checker = Checker {
    name: NAME,
    anomaly: "connections ended, went silent or could not be opened, or answers did not come, and nothing planned that",
    source: "contract, \"`TransactionUpdate`s in commit order\" on a connection that stays",
    rows: &[],
    reasons: &[&FEW_ENDS, &MANY_ENDS, &PUT_OFF],
    accounts_for: "on the same lane, where nothing is invalid: that the driver gave up waiting, and what it then did \
                   not do",
    explains: nothing,
    check,
};

fn check(index: &Index<'_>, report: &mut Report) {
    for lane in index.lanes() {
        let other_lane = index.other(lane.lane);
        let (mine, other) = (&Ends::of(index, lane), &Ends::of(index, other_lane));
        report.count(&ends_of(lane.lane), mine.closed);
        report.count(&silences_of(lane.lane), mine.silent);
        if mine.total() > 0 {
            report.push(summed(lane, mine, (other_lane, other)));
        }
        if let Some(first) = mine.put_off.first() {
            report.push(put_off(lane, *first, mine.put_off.len()));
        }
    }
}

pub(crate) fn ends_of(lane: LaneId) -> String {
    format!("{lane} unplanned ends")
}

pub(crate) fn silences_of(lane: LaneId) -> String {
    format!("{lane} unplanned silences")
}

/// Whether so many ends and silences are no accident, beside the other lane's silences.
pub(crate) fn are_many(ends: u64, silences: u64, others_silences: u64) -> bool {
    ends >= MANY || (silences >= MANY && silences > OFTENER * others_silences)
}

fn summed(lane: &LaneIndex<'_>, mine: &Ends, (other_lane, other): (&LaneIndex<'_>, &Ends)) -> Finding {
    let many = are_many(mine.closed, mine.silent, other.silent) || mine.outages.values().any(|times| *times >= MANY);
    let reason = if many { &MANY_ENDS } else { &FEW_ENDS };
    let mut causes = vec![by_cause(mine.at.iter().filter_map(|at| match lane.history.records.get(*at) {
        Some(Record::Closed { why, .. }) => Some(why),
        _ => None,
    }))];
    match mine.unanswered {
        0 => {}
        1 => causes.push("one publish without an answer".to_owned()),
        more => causes.push(format!("{more} publishes without an answer")),
    }
    causes.retain(|cause| !cause.is_empty());
    let rate = |ends: &Ends, lane: &LaneIndex<'_>| {
        let noun = if ends.total() == 1 { "end" } else { "ends" };
        format!("{} {noun} in {} deliveries", ends.total(), lane.seen.deliveries)
    };
    let finding = Finding::new(NAME, reason).on(lane.lane).got(format!(
        "{} ({}); the {} lane had {}",
        rate(mine, lane),
        causes.join(", "),
        other_lane.lane,
        rate(other, other_lane),
    ));
    let records = mine.at.iter().take(MAX_RECORDS);
    records.fold(finding, |finding, at| finding.seen_at(*at))
}

fn put_off(lane: &LaneIndex<'_>, first: usize, times: usize) -> Finding {
    let mut finding = Finding::new(NAME, &PUT_OFF).on(lane.lane).seen_at(first);
    if let Some(Record::Complete { completion: Completion::Later { why }, .. }) = lane.history.records.get(first) {
        finding.witness.got = Some(why.clone());
    }
    finding.witness.repeats = times as u64 - 1;
    finding
}

#[derive(Debug, Default)]
struct Ends {
    at: Vec<usize>,
    closed: u64,
    /// Silences, and operations that an attempt got no answer to.
    silent: u64,
    unanswered: u64,
    /// How often each client could not reach the lane for a while.
    outages: BTreeMap<String, u64>,
    put_off: Vec<usize>,
}

impl Ends {
    fn total(&self) -> u64 {
        self.closed + self.silent + self.outages.values().sum::<u64>()
    }

    fn of(index: &Index<'_>, lane: &LaneIndex<'_>) -> Ends {
        let mut ends = Ends::default();
        let causes = Causes::of(index, lane);
        let mut clients: BTreeMap<&str, Life> = BTreeMap::new();
        // Where each operation was first sent, and whether it is among the unanswered ones already.
        let mut writing: BTreeMap<OpId, (usize, bool)> = BTreeMap::new();
        let mut exercising = false;
        for (at, record) in lane.history.records.iter().enumerate() {
            match record {
                Record::Phase { phase } => exercising = !matches!(phase, Phase::Setup | Phase::Done),
                Record::Accepted { client, .. } => {
                    let life = clients.entry(client.as_str()).or_default();
                    ends.settle(life, &causes, client.as_str(), at);
                    life.accepted = at;
                }
                Record::Closed { client, why, .. } => {
                    let life = clients.entry(client.as_str()).or_default();
                    let own = matches!(why, Closed::ByClient | Closed::Crashed | Closed::OurLimit { .. });
                    if exercising && !own {
                        life.from = life.from.or(Some(life.accepted.min(life.closed)));
                        life.ends.push((at, why));
                    }
                    life.closed = at;
                }
                Record::Invoke { op, .. } => {
                    writing.entry(*op).or_insert((at, false));
                }
                Record::Complete {
                    op,
                    completion: completion @ (Completion::Later { .. } | Completion::Info { .. }),
                    ..
                } if exercising => {
                    let sent = writing.entry(*op).or_insert((at, false));
                    if causes.planned(WRITER, sent.0, causes.next_answer(at)) {
                        continue;
                    }
                    if matches!(completion, Completion::Later { .. }) {
                        ends.put_off.push(at);
                    } else if !std::mem::replace(&mut sent.1, true) {
                        (ends.unanswered, ends.silent) = (ends.unanswered + 1, ends.silent + 1);
                    }
                }
                _ => {}
            }
        }
        let end = lane.history.records.len();
        for (client, mut life) in clients {
            let number = index.plan.clients.get(client);
            // `unreached` reports what kept a client away for good.
            let lost = number.is_some_and(|number| {
                let reach = lane.reach(number);
                reach.gave_up.is_some() || (index.plan.connected_at_end(number) && !reach.connected_at_end())
            });
            if !lost {
                ends.settle(&mut life, &causes, client, end);
            }
        }
        ends.at.sort_unstable();
        ends
    }

    /// Judges what lies between two subscriptions of a client, or behind its last one.
    fn settle(&mut self, life: &mut Life<'_>, causes: &Causes<'_>, client: &str, until: usize) {
        let ends = std::mem::take(&mut life.ends);
        let (Some(from), Some((_, first))) = (life.from.take(), ends.first()) else {
            return;
        };
        if causes.planned(client, from, until) {
            return;
        }
        if ends.iter().any(|(_, why)| matches!(why, Closed::NotOpened { .. })) {
            *self.outages.entry(client.to_owned()).or_default() += 1;
        } else if matches!(first, Closed::Silent) {
            self.silent += 1;
        } else {
            self.closed += 1;
        }
        self.at.extend(ends.iter().map(|(at, _)| *at));
    }
}

#[derive(Debug, Default)]
struct Life<'a> {
    accepted: usize,
    closed: usize,
    ends: Vec<(usize, &'a Closed)>,
    /// The record from which on a cause of the first of them counts.
    from: Option<usize>,
}

struct Causes<'a> {
    server: Vec<usize>,
    fired: BTreeMap<&'a str, Vec<usize>>,
    toxic: Vec<&'a str>,
    answers: Vec<usize>,
    end: usize,
}

impl<'a> Causes<'a> {
    fn of(index: &Index<'a>, lane: &LaneIndex<'a>) -> Causes<'a> {
        let toxics = index.plan.plan.toxics.iter().filter(|toxic| toxic.applies_to(lane.lane));
        let mut causes = Causes {
            server: Vec::new(),
            fired: BTreeMap::new(),
            toxic: toxics.map(|toxic| toxic.client.as_str()).collect(),
            answers: Vec::new(),
            end: lane.history.records.len(),
        };
        for (at, record) in lane.history.records.iter().enumerate() {
            match record {
                // Clients stay connected while a module gets more.
                Record::Process {
                    process: Process::Updating { update: ModuleUpdate::Additive } | Process::Started,
                } => {}
                Record::Process { .. } => causes.server.push(at),
                // The token of the attempt before was refused: `token` judges that.
                Record::Fault { client, .. } | Record::Presented { client, minted: Some(Minting::Refused), .. } => {
                    causes.fired.entry(client.as_str()).or_default().push(at);
                }
                Record::Complete { completion: Completion::Ok { .. } | Completion::Fail { .. }, .. } => {
                    causes.answers.push(at)
                }
                _ => {}
            }
        }
        causes
    }

    /// The next answer that a writer got after a record.
    fn next_answer(&self, at: usize) -> usize {
        let place = self.answers.partition_point(|answer| *answer <= at);
        self.answers.get(place).copied().unwrap_or(self.end)
    }

    /// Whether the plan did something to a client's connections between two records. Proxy, driver and client write
    /// their records apart, so that a cause may stand a little behind its effect.
    fn planned(&self, client: &str, from: usize, until: usize) -> bool {
        let within = |records: &[usize]| records.iter().any(|at| from <= *at && *at <= until);
        self.toxic.contains(&client)
            || within(&self.server)
            || self.fired.get(client).is_some_and(|records| within(records))
    }
}
