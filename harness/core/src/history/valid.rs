//! Whether a history's records fit together and fit the plan. What does not fit was not recorded by a driver of this tool:
//! it is judged by no checker.
//!
//! Clients, writers and proxies write to one history from tasks of their own. So only the order of what one task writes is
//! held to: the operations of the writer, the connections and subscriptions of one client, the phases of the run.

use std::collections::{HashMap, HashSet};

use super::{Closed, History, Phase, Record};
use crate::ids::{ClientId, ConnId, OpId, StreamId, SubId};
use crate::plan::{Plan, PlannedClient};

/// The first record that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}: {what}", self.line())]
pub struct Misfit {
    /// The record.
    pub record: usize,
    /// What is wrong with it.
    pub what: String,
}

impl Misfit {
    /// The line of the history file, from 1; the header is line 1.
    pub fn line(&self) -> usize {
        self.record + 2
    }
}

/// Whether every record fits those before it, and the plan.
///
/// # Errors
/// The first one that does not.
pub fn valid(plan: &Plan, history: &History) -> Result<(), Misfit> {
    let mut reading = Reading::new(plan);
    for (record, read) in history.records.iter().enumerate() {
        reading.record(read).map_err(|what| Misfit { record, what })?;
    }
    Ok(())
}

/// What the plan has, and what the records so far said.
struct Reading<'a> {
    ops: HashSet<OpId>,
    /// Each planned fault and toxic, with the client that it strikes.
    faults: HashMap<&'a str, &'a ClientId>,
    clients: HashMap<&'a str, Client<'a>>,
    /// Each operation's last attempt, and whether it is still open.
    attempts: HashMap<OpId, (u32, bool)>,
    phase: Option<Phase>,
}

struct Client<'a> {
    streams: &'a [StreamId],
    /// The last connection, and whether it is open.
    conn: ConnId,
    open: bool,
    /// The last subscription of all, and of each stream.
    last: SubId,
    subs: HashMap<&'a str, Sub>,
}

#[derive(Clone, Copy)]
struct Sub {
    id: SubId,
    conn: ConnId,
    answered: bool,
}

type Fits = Result<(), String>;

/// `Ok` where a rule holds, else what is wrong.
fn hold(holds: bool, what: impl FnOnce() -> String) -> Fits {
    if holds { Ok(()) } else { Err(what()) }
}

impl<'a> Reading<'a> {
    fn new(plan: &'a Plan) -> Reading<'a> {
        let client = |planned: &'a PlannedClient| {
            let (conn, open, last) = (ConnId(0), false, SubId(0));
            let (streams, subs) = (planned.streams.as_slice(), HashMap::new());
            let client = Client {
                streams,
                conn,
                open,
                last,
                subs,
            };
            (planned.id.as_str(), client)
        };
        let faults = plan.faults.iter().map(|fault| (fault.id.as_str(), &fault.client));
        let toxics = plan.toxics.iter().map(|toxic| (toxic.id.as_str(), &toxic.client));
        Reading {
            ops: plan.ops().collect(),
            faults: faults.chain(toxics).collect(),
            clients: plan.cases.iter().flat_map(|case| &case.clients).map(client).collect(),
            attempts: HashMap::new(),
            phase: None,
        }
    }

    fn record(&mut self, record: &'a Record) -> Fits {
        hold(self.phase.is_some() || matches!(record, Record::Phase { .. }), || {
            "no phase has begun".to_owned()
        })?;
        match record {
            Record::Phase { phase } => self.enter(*phase),
            Record::Invoke { op, attempt } => self.invoke(*op, *attempt),
            Record::Complete { op, attempt, .. } => self.complete(*op, *attempt),
            Record::Opened { client, conn } => self.client(client)?.opened(*conn),
            Record::Closed { client, conn, why } => self.client(client)?.closed(*conn, why),
            Record::Subscribed {
                client,
                conn,
                sub,
                stream,
                ..
            } => self.client(client)?.subscribed(*conn, *sub, stream),
            Record::Accepted {
                client, sub, stream, ..
            }
            | Record::Refused {
                client, sub, stream, ..
            } => self.client(client)?.answered(*sub, stream),
            Record::Delivered {
                client,
                conn,
                sub,
                stream,
                ..
            } => self.client(client)?.delivered(*conn, *sub, stream),
            Record::Contradicted { client, conn, .. } => self.client(client)?.is_open(*conn),
            Record::Rewound { client, stream, .. }
            | Record::Stuck { client, stream, .. }
            | Record::Watermark { client, stream, .. } => self.client(client)?.follows(stream),
            Record::Fault { fault, client, .. } => self.fault(fault.as_str(), client),
            Record::Process { .. } | Record::TimedOut { .. } => Ok(()),
        }
    }

    fn client(&mut self, client: &ClientId) -> Result<&mut Client<'a>, String> {
        let known = self.clients.get_mut(client.as_str());
        known.ok_or_else(|| format!("the plan has no client `{client}`"))
    }

    fn enter(&mut self, phase: Phase) -> Fits {
        let next = self.phase.map_or(Some(Phase::Setup), Phase::next);
        hold(next == Some(phase), || match (self.phase, next) {
            (None, _) => format!("the phase {phase:?} begins a history, not {:?}", Phase::Setup),
            (Some(now), _) => format!("the phase {phase:?} does not follow the phase {now:?}"),
        })?;
        self.phase = Some(phase);
        Ok(())
    }

    fn invoke(&mut self, op: OpId, attempt: u32) -> Fits {
        hold(op == SETUP || self.ops.contains(&op), || {
            format!("the plan has no operation {op}")
        })?;
        let (last, open) = self.attempts.get(&op).copied().unwrap_or((0, false));
        hold(!open, || {
            format!("attempt {attempt} of operation {op} begins before attempt {last} has ended")
        })?;
        // Every stream is given its policy by the same number.
        let first_again = op == SETUP && attempt == 1;
        hold(attempt == last + 1 || first_again, || {
            format!("attempt {attempt} of operation {op} follows attempt {last}")
        })?;
        self.attempts.insert(op, (attempt, true));
        Ok(())
    }

    fn complete(&mut self, op: OpId, attempt: u32) -> Fits {
        match self.attempts.get_mut(&op) {
            Some((last, open)) if *last == attempt && *open => {
                *open = false;
                Ok(())
            }
            Some((last, _)) if *last >= attempt => {
                Err(format!("attempt {attempt} of operation {op} ends a second time"))
            }
            _ => Err(format!("attempt {attempt} of operation {op} ends and never began")),
        }
    }

    fn fault(&self, fault: &str, client: &ClientId) -> Fits {
        let planned = self
            .faults
            .get(fault)
            .ok_or_else(|| format!("the plan has no fault or toxic `{fault}`"))?;
        hold(*planned == client, || {
            format!("`{fault}` strikes `{client}`, but the plan has it strike `{planned}`")
        })
    }
}

/// The number under which streams are given their policies before the first step.
const SETUP: OpId = OpId(0);

impl<'a> Client<'a> {
    fn opened(&mut self, conn: ConnId) -> Fits {
        hold(conn > self.conn, || {
            format!("connection {conn} opens after connection {}", self.conn)
        })?;
        hold(!self.open, || {
            format!("connection {conn} opens before connection {} has ended", self.conn)
        })?;
        (self.conn, self.open) = (conn, true);
        Ok(())
    }

    fn closed(&mut self, conn: ConnId, why: &Closed) -> Fits {
        if matches!(why, Closed::NotOpened { .. }) {
            hold(conn > self.conn, || {
                format!("connection {conn} fails to open after connection {}", self.conn)
            })?;
            hold(!self.open, || {
                format!("connection {conn} fails to open while connection {} is open", self.conn)
            })?;
            self.conn = conn;
            return Ok(());
        }
        self.is_open(conn)?;
        self.open = false;
        Ok(())
    }

    fn is_open(&self, conn: ConnId) -> Fits {
        hold(self.open && self.conn == conn, || match conn <= self.conn {
            true => format!("connection {conn} is not open any more"),
            false => format!("connection {conn} was never opened"),
        })
    }

    fn follows(&self, stream: &StreamId) -> Fits {
        hold(self.streams.contains(stream), || {
            format!("the plan has the client not follow `{stream}`")
        })
    }

    fn subscribed(&mut self, conn: ConnId, sub: SubId, stream: &StreamId) -> Fits {
        self.is_open(conn)?;
        self.follows(stream)?;
        hold(sub > self.last, || {
            format!("subscription {sub} comes after subscription {}", self.last)
        })?;
        self.last = sub;
        let planned = self.streams.iter().find(|planned| *planned == stream);
        if let Some(planned) = planned {
            let answered = false;
            self.subs.insert(
                planned.as_str(),
                Sub {
                    id: sub,
                    conn,
                    answered,
                },
            );
        }
        Ok(())
    }

    fn answered(&mut self, sub: SubId, stream: &StreamId) -> Fits {
        let asked = self.subs.get_mut(stream.as_str()).filter(|asked| asked.id == sub);
        let asked =
            asked.ok_or_else(|| format!("subscription {sub} of `{stream}` is answered and was not asked for"))?;
        hold(!asked.answered, || {
            format!("subscription {sub} of `{stream}` is answered a second time")
        })?;
        asked.answered = true;
        Ok(())
    }

    /// A delivery belongs to the last subscription of its stream; one of a stream that was never subscribed to, to none.
    fn delivered(&self, conn: ConnId, sub: SubId, stream: &StreamId) -> Fits {
        self.is_open(conn)?;
        let last = self.subs.get(stream.as_str());
        hold(sub == last.map_or(SubId(0), |last| last.id), || {
            format!("a delivery of `{stream}` belongs to subscription {sub}, which is not the stream's last one")
        })?;
        hold(last.is_none_or(|last| last.conn == conn), || {
            format!("a delivery of `{stream}` on connection {conn} belongs to subscription {sub} of another connection")
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::check::notation::World;

    const GOOD: &str = "planned cut c1; policy a retain 9; pub a1..3; again a1; c1 sub a; c1 a1 a2; fires cut c1; c1 cut; \
                        c1 sub a from 2; c1 a3; c1 leave; c1 sub a from 3; c2 ask a from 9; c2 refused a floor; c2 rewind a; \
                        c2 sub a; c2 a1..3; pub a4; c1 a4; c2 a4";

    /// The JSON of each record of a valid history.
    fn lines() -> (Plan, History, Vec<String>) {
        let World { plan, legacy, .. } = World::read(GOOD).unwrap();
        let lines = legacy
            .records
            .iter()
            .map(|record| serde_json::to_string(record).unwrap());
        let lines = lines.collect();
        (plan, legacy, lines)
    }

    /// What is wrong once the lines were edited.
    fn wrong(edit: impl FnOnce(&mut Vec<String>)) -> String {
        let (plan, mut history, mut lines) = lines();
        edit(&mut lines);
        history.records = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        valid(&plan, &history).map_or_else(|misfit| misfit.what, |()| String::new())
    }

    fn first(lines: &[String], what: &str) -> usize {
        lines.iter().position(|line| line.contains(what)).unwrap()
    }

    fn without(what: &str) -> String {
        wrong(|lines| drop(lines.remove(first(lines, what))))
    }

    fn twice(what: &str) -> String {
        wrong(|lines| lines.insert(first(lines, what), lines[first(lines, what)].clone()))
    }

    fn with(from: &str, to: &str) -> String {
        wrong(|lines| {
            let at = first(lines, from);
            lines[at] = lines[at].replace(from, to);
        })
    }

    #[test]
    fn a_history_that_fits_is_valid_however_short_it_was_cut() {
        let (plan, mut history, _) = lines();
        while history.records.pop().is_some() {
            assert_eq!(valid(&plan, &history), Ok(()));
        }
    }

    #[test]
    fn operations_that_end_without_having_begun_or_twice_do_not_fit() {
        assert!(without("\"at\":\"invoke\"").contains("ends and never began"));
        assert!(twice("\"at\":\"complete\"").contains("ends a second time"));
        assert!(twice("\"at\":\"invoke\"").contains("begins before attempt 1 has ended"));
        assert!(
            with(
                "\"at\":\"invoke\",\"op\":2,\"attempt\":1",
                "\"at\":\"invoke\",\"op\":2,\"attempt\":2"
            )
            .contains("follows attempt 0")
        );
    }

    #[test]
    fn what_the_plan_does_not_have_does_not_fit() {
        assert_eq!(
            with("\"at\":\"invoke\",\"op\":2", "\"at\":\"invoke\",\"op\":99"),
            "the plan has no operation 99"
        );
        assert_eq!(
            with("\"client\":\"c1\"", "\"client\":\"c9\""),
            "the plan has no client `c9`"
        );
        let fire = "\"fault\":\"cut\",\"client\":\"c1\"";
        assert_eq!(
            with(fire, "\"fault\":\"cut\",\"client\":\"c2\""),
            "`cut` strikes `c2`, but the plan has it strike `c1`"
        );
        assert_eq!(
            with(fire, "\"fault\":\"cat\",\"client\":\"c1\""),
            "the plan has no fault or toxic `cat`"
        );
        for what in ["subscribed", "rewound", "watermark"] {
            let wrong = wrong(|lines| {
                let at = first(lines, &format!("\"at\":\"{what}\""));
                lines[at] = lines[at].replace("\"stream\":\"a\"", "\"stream\":\"z\"");
            });
            assert_eq!(wrong, "the plan has the client not follow `z`");
        }
    }

    #[test]
    fn connections_that_open_and_close_out_of_order_do_not_fit() {
        assert_eq!(twice("\"at\":\"opened\""), "connection 1 opens after connection 1");
        assert_eq!(
            without("\"at\":\"closed\""),
            "connection 2 opens before connection 1 has ended"
        );
        assert_eq!(twice("\"at\":\"closed\""), "connection 1 is not open any more");
        assert_eq!(without("\"at\":\"opened\""), "connection 1 was never opened");
        let failed =
            "{\"at\":\"closed\",\"client\":\"c1\",\"conn\":2,\"why\":{\"how\":\"not-opened\",\"why\":\"refused\"}}";
        let wrong = wrong(|lines| lines.insert(first(lines, "\"at\":\"closed\""), failed.to_owned()));
        assert_eq!(wrong, "connection 2 fails to open while connection 1 is open");
    }

    #[test]
    fn a_connection_that_did_not_open_fits_and_its_number_is_spent() {
        let failed =
            "{\"at\":\"closed\",\"client\":\"c1\",\"conn\":2,\"why\":{\"how\":\"not-opened\",\"why\":\"refused\"}}";
        let wrong = wrong(|lines| lines.insert(first(lines, "\"at\":\"closed\"") + 1, failed.to_owned()));
        assert_eq!(wrong, "connection 2 opens after connection 2");
    }

    #[test]
    fn deliveries_and_answers_without_their_subscription_do_not_fit() {
        assert!(without("\"at\":\"subscribed\"").contains("not the stream's last one"));
        assert!(without("\"sub\":3").contains("is answered and was not asked for"));
        assert!(
            with(
                "\"sub\":1,\"stream\":\"a\",\"seq\":1",
                "\"sub\":7,\"stream\":\"a\",\"seq\":1"
            )
            .contains("not the stream's last one")
        );
        assert!(
            with(
                "\"conn\":1,\"sub\":1,\"stream\":\"a\",\"seq\":1",
                "\"conn\":2,\"sub\":1,\"stream\":\"a\",\"seq\":1"
            )
            .contains("was never opened")
        );
        assert!(twice("\"at\":\"accepted\"").contains("is answered a second time"));
        assert!(twice("\"at\":\"refused\"").contains("is answered a second time"));
        assert!(twice("\"at\":\"subscribed\"").contains("comes after subscription"));
    }

    #[test]
    fn a_delivery_of_a_stream_that_was_never_subscribed_to_belongs_to_none_and_fits() {
        let strange = |lines: &mut Vec<String>, sub: u32| {
            let at = first(lines, "\"at\":\"delivered\"");
            let from = "\"sub\":1,\"stream\":\"a\"";
            lines[at] = lines[at].replace(from, &format!("\"sub\":{sub},\"stream\":\"another:tenant\""));
        };
        assert_eq!(wrong(|lines| strange(lines, 0)), "");
        assert!(wrong(|lines| strange(lines, 1)).contains("not the stream's last one"));
    }

    #[test]
    fn phases_follow_one_another() {
        assert_eq!(
            without("\"phase\":\"setup\""),
            "the phase Exercise begins a history, not Setup"
        );
        assert_eq!(
            without("\"phase\":\"heal\""),
            "the phase Converge does not follow the phase Exercise"
        );
        assert_eq!(
            twice("\"phase\":\"done\""),
            "the phase Done does not follow the phase Done"
        );
        let moved = wrong(|lines| {
            let invoke = lines.remove(first(lines, "\"at\":\"invoke\""));
            lines.insert(0, invoke);
        });
        assert_eq!(moved, "no phase has begun");
    }
}
