//! Measures what happens during a turn of the lane, from the times of the records.

use std::collections::{BTreeSet, HashMap};

use cutover_core::history::{Closed, Completion, Outcome, Record, Timed, Verdict};
use cutover_core::ids::{ClientId, OpId, Seq, StreamId, SubId};
use cutover_core::stats::Sample;

use super::recorder::Recorded;

/// A turn that goes on.
#[derive(Debug, Default)]
pub struct Turn {
    pub block: u32,
    /// The first record of the turn.
    pub from: usize,
    pub began_us: u64,
    /// When publishes are to be sent, in microseconds from the start of the lane's run, in their order.
    pub due: Vec<(OpId, StreamId, u64)>,
}

impl Turn {
    /// The records that say how long deliveries and recoveries took.
    pub fn measured(&self, recorded: &Recorded) -> Vec<Record> {
        let mut measured: Vec<Record> = deliveries(self, recorded).into_iter().map(Record::Timed).collect();
        measured.extend(recoveries(recorded));
        measured
    }

    pub fn samples(&self, measured: &[Record]) -> Vec<Sample> {
        let us = measured.iter().filter_map(|record| match record {
            Record::Timed(timed) => timed.latency_us(),
            _ => None,
        });
        us.map(|us| Sample { us, block: self.block }).collect()
    }
}

fn deliveries(turn: &Turn, recorded: &Recorded) -> Vec<Timed> {
    let mut sent: HashMap<OpId, u64> = HashMap::new();
    let mut acked: HashMap<OpId, (u64, Seq)> = HashMap::new();
    let mut applied: HashMap<(&StreamId, Seq), Vec<(&ClientId, u64)>> = HashMap::new();
    for (record, at) in recorded.records.iter().zip(&recorded.times_us) {
        match record {
            Record::Invoke { op, attempt: 1 } => drop(sent.insert(*op, *at)),
            Record::Complete { op, completion: Completion::Ok { outcome: Outcome::Published { seq, .. } }, .. } => {
                acked.insert(*op, (*at, *seq));
            }
            Record::Delivered { client, stream, seq, verdict: Verdict::Applied, .. } => {
                applied.entry((stream, *seq)).or_default().push((client, *at));
            }
            _ => {}
        }
    }
    let mut timed = Vec::new();
    // The writer was busy until then.
    let mut busy_until = 0;
    for (op, stream, due) in &turn.due {
        let (Some(sent), Some((acked, seq))) = (sent.get(op), acked.get(op)) else { continue };
        let late_us = sent.saturating_sub(*due.max(&busy_until));
        busy_until = *acked;
        for (client, at) in applied.get(&(stream, *seq)).into_iter().flatten() {
            let (acked_us, applied_us) = (acked.saturating_sub(*due), at.saturating_sub(*due));
            timed.push(Timed { op: *op, client: (*client).clone(), late_us, acked_us, applied_us });
        }
    }
    timed
}

/// From the end of a connection until all subscriptions of the next good one are accepted.
fn recoveries(recorded: &Recorded) -> Vec<Record> {
    let mut down: HashMap<&ClientId, u64> = HashMap::new();
    let mut asked: HashMap<&ClientId, BTreeSet<SubId>> = HashMap::new();
    let mut recovered = Vec::new();
    for (record, at) in recorded.records.iter().zip(&recorded.times_us) {
        match record {
            Record::Closed { client, why, .. } => {
                asked.remove(client);
                if !matches!(why, Closed::ByClient | Closed::Crashed) {
                    down.entry(client).or_insert(*at);
                }
            }
            Record::Subscribed { client, sub, .. } => drop(asked.entry(client).or_default().insert(*sub)),
            Record::Accepted { client, sub, .. } => {
                let Some(open) = asked.get_mut(client) else { continue };
                open.remove(sub);
                if !open.is_empty() {
                    continue;
                }
                if let Some(since) = down.remove(client) {
                    recovered.push(Record::Recovered { client: client.clone(), after_us: at - since });
                }
            }
            _ => {}
        }
    }
    recovered
}

#[cfg(test)]
mod tests;
