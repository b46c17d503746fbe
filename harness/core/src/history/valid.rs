//! Whether a history's records fit together and fit the plan. What does not fit was not recorded by a driver of this
//! tool: it is judged by no checker.
//!
//! Clients, writers and proxies write to one history from tasks of their own. So only the order of what one task writes
//! is held to: the operations of the writer, the connections and subscriptions of one client, the phases of the run.

use std::collections::{HashMap, HashSet};

use super::file::line_of;
use super::{Backup, Closed, History, Phase, Record, Rejoined, Restored, Timed};
use crate::ids::{ClientId, ConnId, OpId, StreamId, SubId};
use crate::plan::{BRIDGE, Plan, PlannedClient, WRITER};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}: {what}", line_of(*.record))]
#[allow(missing_docs, reason = "the names say it")]
pub struct Misfit {
    pub record: usize,
    pub what: String,
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
    backups: HashSet<&'a str>,
    phase: Option<Phase>,
    proves_life: bool,
    has_bridge: bool,
}

struct Client<'a> {
    streams: &'a [StreamId],
    conn: ConnId,
    open: bool,
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
            let client = Client { streams, conn, open, last, subs };
            (planned.id.as_str(), client)
        };
        let faults = plan.faults.iter().map(|fault| (fault.id.as_str(), &fault.client));
        let toxics = plan.toxics.iter().map(|toxic| (toxic.id.as_str(), &toxic.client));
        Reading {
            ops: plan.ops().collect(),
            faults: faults.chain(toxics).collect(),
            clients: plan.cases.iter().flat_map(|case| &case.clients).map(client).collect(),
            attempts: HashMap::new(),
            backups: plan.backups().collect(),
            phase: None,
            has_bridge: plan.bridge.is_some(),
            proves_life: plan.cases.iter().any(|case| !case.proof_of_life.is_empty()),
        }
    }

    fn record(&mut self, record: &'a Record) -> Fits {
        hold(self.phase.is_some() || matches!(record, Record::Phase { .. }), || "no phase has begun".to_owned())?;
        match record {
            Record::Phase { phase } => self.enter(*phase),
            Record::Invoke { op, attempt } => self.invoke(*op, *attempt),
            Record::Complete { op, attempt, .. } => self.complete(*op, *attempt),
            Record::Opened { client, conn, .. } => self.client(client)?.opened(*conn),
            Record::Closed { client, conn, why } => self.client(client)?.closed(*conn, why),
            Record::Subscribed { client, conn, sub, stream, .. } => {
                self.client(client)?.subscribed(*conn, *sub, stream)
            }
            Record::Accepted { client, sub, stream, .. } | Record::Refused { client, sub, stream, .. } => {
                self.client(client)?.answered(*sub, stream)
            }
            Record::Delivered { client, conn, sub, stream, .. } => self.client(client)?.delivered(*conn, *sub, stream),
            Record::Contradicted { client, conn, .. }
            | Record::Foreign { client, conn, .. }
            | Record::Ignored { client, conn, .. }
            | Record::Struck { client, conn, .. }
            | Record::RoundTrip { client, conn, .. } => self.client(client)?.is_open(*conn),
            Record::Overdue { client, conn, stream, .. } => {
                let client = self.client(client)?;
                client.is_open(*conn)?;
                client.follows(stream)
            }
            Record::Rewound { client, stream, .. }
            | Record::Stuck { client, stream, .. }
            | Record::Checkpointed { client, stream, .. }
            | Record::Watermark { client, stream, .. } => self.client(client)?.follows(stream),
            Record::Program { client, word } => {
                let client = self.client(client)?;
                word.stream().map_or(Ok(()), |stream| client.follows(stream))
            }
            Record::Presented { client, .. } | Record::Reads { client, .. } => self.client(client).map(|_| ()),
            Record::Unread { client, .. } if [WRITER, BRIDGE].contains(&client.as_str()) => Ok(()),
            Record::Unread { client, .. }
            | Record::Unreadable { client, .. }
            | Record::NotLetIn { client, .. }
            | Record::Recovered { client, .. }
            | Record::GaveUp { client, .. } => self.client(client).map(|_| ()),
            Record::Fault { fault, client, .. } => self.fault(fault.as_str(), client),
            Record::Process { .. } | Record::TimedOut { .. } | Record::Stored { .. } => Ok(()),
            Record::Turn { .. } => Ok(()),
            Record::Timed(Timed { op, client, .. }) => {
                self.planned(*op)?;
                self.client(client).map(|_| ())
            }
            Record::BackedUp(Backup { backup, .. })
            | Record::Restoring { backup }
            | Record::Restored(Restored { backup, .. })
            | Record::Rejoined(Rejoined { backup, .. }) => self.backup(backup),
            Record::Relay { .. } | Record::Beside { .. } | Record::Mirrored { .. } | Record::Outbox { .. } => {
                hold(self.has_bridge, || "the plan has no bridge".to_owned())
            }
            Record::NotCounted { op } => self.planned(*op),
            Record::Connections { op, missing, left, .. } => {
                op.map_or(Ok(()), |op| self.planned(op))?;
                missing.iter().chain(left).try_for_each(|client| self.client(client).map(|_| ()))
            }
        }
    }

    fn client(&mut self, client: &ClientId) -> Result<&mut Client<'a>, String> {
        let known = self.clients.get_mut(client.as_str());
        known.ok_or_else(|| format!("the plan has no client `{client}`"))
    }

    fn enter(&mut self, phase: Phase) -> Fits {
        let mut next = self.phase.map_or(Some(Phase::Setup), Phase::next);
        // A plan without proofs has nothing to do in that phase.
        if phase == Phase::Drain && next == Some(Phase::ProofOfLife) && !self.proves_life {
            next = Some(Phase::Drain);
        }
        hold(next == Some(phase), || match (self.phase, next) {
            (None, _) => format!("the phase {phase:?} begins a history, not {:?}", Phase::Setup),
            (Some(now), _) => format!("the phase {phase:?} does not follow the phase {now:?}"),
        })?;
        self.phase = Some(phase);
        Ok(())
    }

    fn planned(&self, op: OpId) -> Fits {
        hold(self.ops.contains(&op), || format!("the plan has no operation {op}"))
    }

    fn backup(&self, backup: &str) -> Fits {
        hold(self.backups.contains(backup), || format!("the plan has no backup `{backup}`"))
    }

    fn invoke(&mut self, op: OpId, attempt: u32) -> Fits {
        if op != SETUP {
            self.planned(op)?;
        }
        let (last, open) = self.attempts.get(&op).copied().unwrap_or((0, false));
        hold(!open, || format!("attempt {attempt} of operation {op} begins before attempt {last} has ended"))?;
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
        let planned = self.faults.get(fault).ok_or_else(|| format!("the plan has no fault or toxic `{fault}`"))?;
        hold(*planned == client, || format!("`{fault}` strikes `{client}`, but the plan has it strike `{planned}`"))
    }
}

/// The number under which streams are given their policies before the first step.
const SETUP: OpId = OpId(0);

impl<'a> Client<'a> {
    fn opened(&mut self, conn: ConnId) -> Fits {
        hold(conn > self.conn, || format!("connection {conn} opens after connection {}", self.conn))?;
        hold(!self.open, || format!("connection {conn} opens before connection {} has ended", self.conn))?;
        (self.conn, self.open) = (conn, true);
        Ok(())
    }

    fn closed(&mut self, conn: ConnId, why: &Closed) -> Fits {
        if matches!(why, Closed::NotOpened { .. }) {
            hold(conn > self.conn, || format!("connection {conn} fails to open after connection {}", self.conn))?;
            hold(!self.open, || format!("connection {conn} fails to open while connection {} is open", self.conn))?;
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
        hold(self.streams.contains(stream), || format!("the plan has the client not follow `{stream}`"))
    }

    fn subscribed(&mut self, conn: ConnId, sub: SubId, stream: &StreamId) -> Fits {
        self.is_open(conn)?;
        self.follows(stream)?;
        hold(sub > self.last, || format!("subscription {sub} comes after subscription {}", self.last))?;
        self.last = sub;
        let planned = self.streams.iter().find(|planned| *planned == stream);
        if let Some(planned) = planned {
            let answered = false;
            self.subs.insert(planned.as_str(), Sub { id: sub, conn, answered });
        }
        Ok(())
    }

    fn answered(&mut self, sub: SubId, stream: &StreamId) -> Fits {
        let asked = self.subs.get_mut(stream.as_str()).filter(|asked| asked.id == sub);
        let asked =
            asked.ok_or_else(|| format!("subscription {sub} of `{stream}` is answered and was not asked for"))?;
        hold(!asked.answered, || format!("subscription {sub} of `{stream}` is answered a second time"))?;
        asked.answered = true;
        Ok(())
    }

    /// A delivery belongs to the last subscription of its stream; one of a stream that was never subscribed to, to
    /// none.
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
mod tests;
