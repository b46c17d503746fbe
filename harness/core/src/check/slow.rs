//! The spells in which the plan has a client read too slowly, as a history has them.

use std::collections::HashMap;

use crate::history::{Closed, Record, SlowNotice};
use crate::ids::{ClientId, ConnId, StreamId};
use crate::plan::{Plan, PublishExpect, Step};

#[derive(Debug)]
pub(super) struct Spell<'a> {
    pub client: &'a ClientId,
    /// The record at which it begins.
    pub from: usize,
    /// The record at which it ends; the length of the history where it does not.
    pub to: usize,
    /// The connection that was open when it began.
    pub conn: Option<ConnId>,
    /// How that connection ended, with the record.
    pub ended: Option<(usize, &'a Closed)>,
}

impl Spell<'_> {
    pub fn has(&self, at: usize) -> bool {
        self.from < at && at < self.to
    }
}

pub(super) fn spells(records: &[Record]) -> Vec<Spell<'_>> {
    let mut spells: Vec<Spell<'_>> = Vec::new();
    let mut open: HashMap<&ClientId, ConnId> = HashMap::new();
    for (at, record) in records.iter().enumerate() {
        match record {
            Record::Opened { client, conn, .. } => drop(open.insert(client, *conn)),
            Record::Closed { client, conn, why } => {
                open.remove(client);
                let of_this = |spell: &&mut Spell<'_>| spell.client == client && spell.conn == Some(*conn);
                for spell in spells.iter_mut().filter(of_this) {
                    spell.ended.get_or_insert((at, why));
                }
            }
            Record::Reads { client, slow } => {
                let running = spells.iter_mut().find(|spell| spell.client == client && spell.to == records.len());
                match (running, slow) {
                    (Some(running), None) => running.to = at,
                    (None, Some(_)) => {
                        let conn = open.get(client).copied();
                        spells.push(Spell { client, from: at, to: records.len(), conn, ended: None });
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    spells
}

/// The strikes on a connection, in order, each with its record.
pub(super) fn strikes<'a>(
    records: &'a [Record],
    of: &'a ClientId,
    on: ConnId,
) -> impl Iterator<Item = (usize, &'a SlowNotice)> {
    records.iter().enumerate().filter_map(move |(at, record)| match record {
        Record::Struck { client, conn, strike } if client == of && *conn == on => Some((at, strike)),
        _ => None,
    })
}

/// Whether nothing of the plan hinders a client but what makes it read slowly; `allowed` says whether even that may.
pub(super) fn is_unhindered(plan: &Plan, client: &ClientId, allowed: bool) -> bool {
    let mut toxics = plan.toxics.iter().filter(|toxic| toxic.client == *client);
    toxics.all(|toxic| allowed && toxic.reading().is_some()) && plan.faults.iter().all(|fault| fault.client != *client)
}

/// The events that the plan has written: their streams and seqs, by operation.
pub(super) fn written(plan: &Plan) -> HashMap<crate::ids::OpId, (&StreamId, u64)> {
    let steps = plan.cases.iter().flat_map(|case| case.all_steps());
    let event = |step| match step {
        &Step::Publish { op, ref stream, expect: PublishExpect::Accepted { seq }, .. } => Some((op, (stream, seq.0))),
        _ => None,
    };
    steps.filter_map(event).collect()
}
