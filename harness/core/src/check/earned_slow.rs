//! Which parts of the row about slow consumers a lane's history shows.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::slow::{Spell, is_unhindered, spells, strikes, written};
use crate::history::{Closed, Completion, History, Outcome, Record, Verdict};
use crate::ids::{ClientId, OpId, StreamId, SubId};
use crate::matrix::Part;
use crate::plan::Plan;

type Event<'a> = (&'a StreamId, u64);

pub(super) fn earned(plan: &Plan, history: &History) -> BTreeSet<Part> {
    let mut parts = BTreeSet::new();
    let spells = spells(&history.records);
    if spells.is_empty() {
        return parts;
    }
    let seen = Seen::of(plan, &history.records);
    for spell in &spells {
        let throttles = spell.conn.into_iter().flat_map(|conn| strikes(&history.records, spell.client, conn));
        if throttles.filter(|(at, strike)| *at > spell.from && strike.action == "throttle").count() > 1 {
            parts.insert(Part::SlowThrottled);
        }
        if is_dropped(plan, &history.records, spell) {
            parts.insert(Part::SlowDropped);
        }
        if spell.ended.is_some_and(|(ended, _)| seen.is_replayed(spell, ended)) {
            parts.insert(Part::SlowRecovered);
        }
        if seen.others_are_on_time(plan, spell) {
            parts.insert(Part::OthersOnTime);
        }
    }
    parts
}

/// Whether the lane ended the connection on which a client read too slowly.
fn is_dropped(plan: &Plan, records: &[Record], spell: &Spell<'_>) -> bool {
    let Some((ended, why)) = spell.ended else { return false };
    let by_the_lane = match why {
        Closed::Channel { event } => event.starts_with("phx_"),
        why => matches!(why, Closed::Lost { .. } | Closed::CloseFrame { .. }),
    };
    let server = |record: &Record| matches!(record, Record::Process { .. });
    by_the_lane && is_unhindered(plan, spell.client, true) && !records[spell.from..ended].iter().any(server)
}

struct Seen<'a> {
    /// Each event with the records at which it was sent and acknowledged.
    published: HashMap<Event<'a>, (usize, usize)>,
    /// Each event that a client applied, with the record and whether its subscription named a cursor.
    applied: HashMap<(&'a ClientId, &'a StreamId, u64), (usize, bool)>,
}

impl<'a> Seen<'a> {
    fn of(plan: &'a Plan, records: &'a [Record]) -> Seen<'a> {
        let written = written(plan);
        let mut sent: HashMap<OpId, usize> = HashMap::new();
        let mut resumed: HashSet<(&ClientId, SubId)> = HashSet::new();
        let mut seen = Seen { published: HashMap::new(), applied: HashMap::new() };
        for (at, record) in records.iter().enumerate() {
            match record {
                Record::Invoke { op, .. } => drop(sent.entry(*op).or_insert(at)),
                Record::Complete { op, completion: Completion::Ok { outcome: Outcome::Published { .. } }, .. } => {
                    if let (Some(event), Some(sent)) = (written.get(op), sent.get(op)) {
                        seen.published.entry(*event).or_insert((*sent, at));
                    }
                }
                Record::Subscribed { client, sub, cursor: Some(_), .. } => drop(resumed.insert((client, *sub))),
                Record::Delivered { client, sub, stream, seq, verdict: Verdict::Applied, .. } => {
                    let resumed = resumed.contains(&(client, *sub));
                    seen.applied.entry((client, stream, seq.0)).or_insert((at, resumed));
                }
                _ => {}
            }
        }
        seen
    }

    /// The events that were sent and acknowledged in a spell.
    fn published_in<'s>(&'s self, spell: &'s Spell<'_>) -> impl Iterator<Item = Event<'a>> + 's {
        let within = |(_, (sent, acked)): &(&Event<'a>, &(usize, usize))| spell.has(*sent) && spell.has(*acked);
        self.published.iter().filter(within).map(|(event, _)| *event)
    }

    /// Whether a resume after the connection had ended brought something of what was published in the spell.
    fn is_replayed(&self, spell: &Spell<'_>, ended: usize) -> bool {
        self.published_in(spell).any(|(stream, seq)| {
            let applied = self.applied.get(&(spell.client, stream, seq));
            applied.is_some_and(|(at, resumed)| *at > ended && *resumed)
        })
    }

    /// Whether the other clients, nothing of the plan hindering them, had applied all of it before the spell ended.
    fn others_are_on_time(&self, plan: &Plan, spell: &Spell<'_>) -> bool {
        let cases = plan.cases.iter().filter(|case| case.clients.iter().any(|client| client.id == *spell.client));
        let other = |client: &ClientId| client != spell.client && is_unhindered(plan, client, false);
        let others = cases.flat_map(|case| &case.clients).filter(|client| other(&client.id));
        let mut any = false;
        for other in others {
            for (stream, seq) in self.published_in(spell).filter(|(stream, _)| other.streams.contains(stream)) {
                any = true;
                if self.applied.get(&(&other.id, stream, seq)).is_none_or(|(at, _)| *at >= spell.to) {
                    return false;
                }
            }
        }
        any
    }
}
