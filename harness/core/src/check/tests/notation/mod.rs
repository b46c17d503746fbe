//! A plan and both lanes' histories of it, written in one short line; for tests.
//!
//! ```text
//! pub a1..3; c1 sub a; c1 a1 a2 a3; c1 cut; c1 sub a from 3; pub a4; c1 a4
//! ```
//!
//! Statements end at `;`. Each is done on both lanes, or on one where it begins with `legacy:` or `candidate:`. Streams
//! are single letters (all events of `s` and `t` have the same payload), `a3` is the event 3 of stream `a`, `a1..3` a
//! range. The legacy lane delivers two copies of each event, the candidate one. Heal, converge, watermarks, drain and
//! done are added at the end.
//!
//! | statement | meaning |
//! |---|---|
//! | `call a NAME done`, `call a NAME CODE` | a call of a reducer that is to be done, or to be refused |
//! | the same, and `done`, `refused CODE`, `info`, `not-offered` | its answer, where it is another one |
//! | `rows a [[1]] [[2]]` | a query, with the rows of the plan and those that it gave |
//! | `retain a 3`, `budget a 2` | the stream's policy at the start |
//! | `policy a retain 3`, `policy a budget 2` | the same as an operation |
//! | `pub a1`, `pub a1 = 2`, `pub a1 refused CODE`, `pub a1 info` | a publish, and its answer |
//! | `pub a1 later`, `pub a1 unwritten`, `pub a1 open`, `pub a1 known` | the same |
//! | `prove a4` and what a publish takes | heal, converge, and the publish that proves the stream alive |
//! | `c1 answers` | a heartbeat is answered while the proof is waited for |
//! | `ack a1`, `ack a1 = 2` | the answer to an open one |
//! | `again a1`, `again a1 = 2`, `again a1 new` | repeated with the same key |
//! | `conflict a1`, `conflict a1 = 1`, `conflict a1 refused CODE` | same key, other payload |
//! | `invalid a1`, `invalid a1 = 1`, `invalid a1 refused CODE` | a text that is no payload, under a key of its own |
//! | `c1 sub a`, `c1 sub a from 3` | subscribes, and is accepted once what is delivered next has come |
//! | | that is before the next statement that is not about clients, its connection's end, or a rewind |
//! | `c1 ask a from 3`, `c1 ok a head 5` | asks; is accepted there |
//! | `c1 refused a floor cursor=1 floor=3 head=6` | is refused as stale; also `budget`, `unsaid`, `lag=`, `budget=` |
//! | `c1 refused b by a floor` | is refused because its sibling is stale |
//! | `c1 a1 a2..4` | is delivered |
//! | `c1 a1=b2`, `c1 a1=*`, `c1 a1=?` | with that event's payload, another one, none |
//! | `c1 a1~`, `c1 a1^`, `c1 a1!` | with another hash declared, another key named; applied anyhow |
//! | `c1 a1u`, `c1 a1f` | one copy only |
//! | `c1 cut`, `c1 leave`, `c1 crash`, `c1 cursor a 3` | connection lost; steps of the plan |
//! | `c1 ends 1011`, also `silent`, `phx_error`, `over-limit` | its connection ends, and nothing planned that |
//! | `c1 no-door` | is refused a connection |
//! | `c1 unreadable`, `c1 gives-up` | gets what it can't read; will not try again |
//! | `c1 kept-away` | the lane's close keeps it away |
//! | `c1 rewind a`, `c1 stuck a`, `c1 mark a 3` | gives up its cursor; is stuck; its watermark at the end |
//! | `c1 reads nothing`, `c1 reads slowly`, `c1 reads` | the plan has it read too slowly, or as usual again |
//! | `c1 struck throttle a depth=65 limit=64 wait=2000` | is told that it reads too slowly |
//! | `c1 overdue a 5` | asks again, of itself, for what was acknowledged up to 5 |
//! | `c1 contradicts a 3 frame-seq` | a message whose last event is this one says two things; the rule that breaks |
//! | `c1 says applied a1..3`, also `duplicate`, `stored`; `anew a`, `started`, `handled`, `away` | a program: its words |
//! | `c1 says tried 5 10` | it connected so many ms after the end of its last connection |
//! | `c1 foreign NAME 3` | is sent an event of a stream that the run does not have |
//! | `c1 rewrote a 3 to 9` (`-` for none) | the ledger: a fault rewrote the cursor |
//! | `planned NAME c1`, `planned NAME c1 drop` | a fault of the plan, one that loses messages |
//! | `fires NAME c1` | the ledger |
//! | `unread c1 WHY` | the ledger: a connection passed the proxy unread |
//! | `toxic NAME c1 100` | a toxic of the plan, with its toxicity in percent |
//! | `kill`, `start`, `timeout`, `interrupted`, `at-least deliveries 3` | as they say |

mod lane;
mod plan;
mod words;

use crate::history::{Completion, KillWait, Outcome, Process, Record, Refusal};
use crate::ids::Seq;
use crate::ids::{ClientId, LaneId};
use crate::plan::{FaultKind, INVALID_PAYLOAD, ModuleUpdate, Plan, PublishExpect};
use lane::LaneWriter;
use plan::PlanWriter;

use crate::history::History;

/// A plan with both histories.
pub struct World {
    /// The plan.
    pub plan: Plan,
    /// The legacy lane's history.
    pub legacy: History,
    /// The candidate lane's history.
    pub candidate: History,
}

impl World {
    /// Reads the notation.
    ///
    /// # Errors
    /// The statement that makes no sense.
    pub fn read(text: &str) -> Result<World, String> {
        let mut writer = Writer { plan: PlanWriter::default(), lanes: LaneId::BOTH.map(LaneWriter::new) };
        for statement in text.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            writer.statement(statement).ok_or_else(|| format!("`{statement}` makes no sense"))?;
        }
        let plan = writer.plan.finish();
        let [legacy, candidate] = writer.lanes.map(|lane| lane.finish(&plan));
        Ok(World { plan, legacy, candidate })
    }

    /// The history of one lane.
    pub fn lane_mut(&mut self, lane: LaneId) -> &mut History {
        match lane {
            LaneId::Legacy => &mut self.legacy,
            LaneId::Candidate => &mut self.candidate,
        }
    }
}

struct Writer {
    plan: PlanWriter,
    lanes: [LaneWriter; 2],
}

/// A stream's letter and a range of seqs, from `a3` or `a1..3`.
fn events(token: &str) -> Option<(&str, std::ops::RangeInclusive<u64>)> {
    let (stream, seqs) = token.split_at_checked(1)?;
    let (first, last) = seqs.split_once("..").unwrap_or((seqs, seqs));
    Some((stream, first.parse().ok()?..=last.parse().ok()?))
}

fn refused(code: &str) -> Completion {
    Completion::Fail { refusal: Refusal { code: code.to_owned(), ..Refusal::default() } }
}

impl Writer {
    fn statement(&mut self, statement: &str) -> Option<()> {
        let (lanes, rest) = match statement.split_once(": ") {
            Some(("legacy", rest)) => (0..1, rest),
            Some(("candidate", rest)) => (1..2, rest),
            _ => (0..2, statement),
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        for lane in lanes {
            self.on_lane(lane, &words)?;
        }
        Some(())
    }

    fn on_lane(&mut self, lane: usize, words: &[&str]) -> Option<()> {
        let writer = &mut self.lanes[lane];
        match *words {
            ["retain", stream, number] => self.plan.policy_at_start(stream).retention = Some(number.parse().ok()?),
            ["budget", stream, number] => self.plan.policy_at_start(stream).replay_budget = Some(number.parse().ok()?),
            ["policy", stream, what, number] => {
                let op = self.plan.policy(stream, what, number.parse().ok()?, writer.count_policy());
                writer.invoke(op);
                writer.complete(op, Completion::Ok { outcome: Outcome::Done });
            }
            ["rows", stream, planned, got] => {
                let op = self.plan.call(stream, "rows", planned, writer.count_call());
                writer.invoke(op);
                writer.complete(op, Completion::Ok { outcome: Outcome::Rows { rows: got.to_owned() } });
            }
            ["call", stream, reducer, planned, ref answer @ ..] => {
                let op = self.plan.call(stream, reducer, planned, writer.count_call());
                writer.invoke(op);
                writer.complete(
                    op,
                    match (answer, planned) {
                        ([] | ["refused", _], code) if code != "done" || !answer.is_empty() => {
                            refused(answer.last().unwrap_or(&code))
                        }
                        ([] | ["done"], _) => Completion::Ok { outcome: Outcome::Done },
                        (["not-offered"], _) => Completion::Ok { outcome: Outcome::NotOffered },
                        _ => Completion::Info { why: "the connection ended".to_owned() },
                    },
                );
            }
            ["prove", ..] => {
                writer.prove();
                let (_, seqs) = events(words.get(1)?)?;
                for seq in seqs {
                    self.publish(lane, "prove", events(words[1])?.0, seq, &words[2..])?;
                }
            }
            ["pub" | "again" | "conflict" | "invalid" | "ack", token, ..] => {
                for seq in events(token)?.1 {
                    self.publish(lane, words[0], events(token)?.0, seq, &words[2..])?;
                }
            }
            ["kill"] => writer.push(Record::Process { process: Process::Killed { waited_for: KillWait::Durable } }),
            ["update", update] => {
                let update = match update {
                    "additive" => ModuleUpdate::Additive,
                    _ => ModuleUpdate::Breaking,
                };
                writer.push(Record::Process { process: Process::Updating { update } });
            }
            ["start"] => writer.push(Record::Process { process: Process::Started }),
            ["timeout"] => writer.push(Record::TimedOut { waiting_for: "clients to catch up".to_owned() }),
            ["interrupted"] => writer.interrupt(),
            ["at-least", what, number] => self.plan.at_least(what, number.parse().ok()?)?,
            ["planned", fault, client] => self.plan.fault(fault, client, FaultKind::Repeat { more: 1 }),
            ["planned", fault, client, "drop"] => self.plan.fault(fault, client, FaultKind::Drop),
            ["toxic", toxic, client, percent] => self.plan.toxic(toxic, client, percent.parse().ok()?),
            ["unread", client, ref why @ ..] => {
                writer.push(Record::Unread { client: ClientId::from(client), conn: 1, why: why.join(" ") })
            }
            ["fires", fault, client] => writer.fire(fault, client, None),
            [client, ref rest @ ..] => {
                self.plan.client_statement(client, rest);
                writer.client(client, rest, &self.plan)?;
            }
            [] => return None,
        }
        Some(())
    }

    fn publish(&mut self, lane: usize, verb: &str, stream: &str, seq: u64, words: &[&str]) -> Option<()> {
        let writer = &mut self.lanes[lane];
        let (kind, expect) = match verb {
            "again" => ("again", PublishExpect::Repeated { seq: Seq(seq) }),
            "conflict" => ("conflict", PublishExpect::Refused { code: "idempotency_conflict".to_owned() }),
            "invalid" => ("invalid", PublishExpect::Refused { code: INVALID_PAYLOAD.to_owned() }),
            "prove" => ("prove", PublishExpect::Accepted { seq: Seq(seq) }),
            _ => ("pub", PublishExpect::Accepted { seq: Seq(seq) }),
        };
        let nth = if matches!(kind, "pub" | "prove") { 0 } else { writer.count_publish(kind, stream, seq) };
        let op = self.plan.publish(kind, stream, seq, nth, expect);
        if verb != "ack" {
            writer.invoke(op);
        }
        let done = |seq, duplicate| Completion::Ok {
            outcome: Outcome::Published { seq: Seq(seq), duplicate, differs: Vec::new() },
        };
        let completion = match *words {
            ["open"] => return Some(()),
            ["later"] => Completion::Later { why: "HTTP 429".to_owned() },
            ["unwritten"] => Completion::Unwritten { why: "HTTP 200, and no row".to_owned() },
            ["info"] => Completion::Info { why: "the connection ended".to_owned() },
            ["refused", code] => refused(code),
            ["=", number] => done(number.parse().ok()?, None),
            ["new"] => done(seq, Some(false)),
            ["known"] => done(seq, Some(true)),
            [] if kind == "conflict" => refused("idempotency_conflict"),
            [] if kind == "invalid" => refused(INVALID_PAYLOAD),
            [] => done(seq, Some(kind == "again")),
            _ => return None,
        };
        writer.complete(op, completion);
        Some(())
    }
}
