//! Plants one thing that a broken lane would do in an honest history, where it is sure to show.

use proptest::prelude::*;

use super::notation::World;
use crate::history::{self, Completion, Outcome, Record, Via};
use crate::ids::{ClientId, LaneId, Seq, SubId};

/// One thing that a broken lane would do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Corruption {
    LoseLast,
    ChangePayload,
    NoCanonicalForm,
    Phantom,
    Foreign,
    ApplyTwice,
    RefusePublish,
    ShiftAck,
    DropOneFirstDelivery,
    CutReplayShort,
    TellWrongHead,
    TakeForRepeat,
}

pub(super) fn corruption() -> impl Strategy<Value = Corruption> {
    use Corruption::*;
    prop::sample::select(vec![
        LoseLast,
        ChangePayload,
        NoCanonicalForm,
        Phantom,
        Foreign,
        ApplyTwice,
        RefusePublish,
        ShiftAck,
        DropOneFirstDelivery,
        CutReplayShort,
        TellWrongHead,
        TakeForRepeat,
    ])
}

/// Places of deliveries of stream `a`.
fn deliveries(records: &[Record]) -> Vec<usize> {
    let of_a = |record: &Record| matches!(record, Record::Delivered { stream, .. } if stream.as_str() == "a");
    (0..records.len()).filter(|at| of_a(&records[*at])).collect()
}

/// To whom, in which subscription and kind of copy, and under which seq an event was delivered.
fn delivered(record: &Record) -> Option<(&ClientId, SubId, Via, Seq)> {
    match record {
        Record::Delivered { client, sub, via, seq, .. } => Some((client, *sub, *via, *seq)),
        _ => None,
    }
}

/// The record at which a client asked for a subscription.
fn asked_at(records: &[Record], to: &ClientId, of: SubId) -> Option<usize> {
    let asks = |record: &Record| matches!(record, Record::Subscribed { client, sub, .. } if client == to && *sub == of);
    records.iter().position(asks)
}

/// Whether a publish was sent before a record and not answered before it.
fn in_flight(records: &[Record], at: usize) -> bool {
    let count = |wanted: fn(&Record) -> bool| records[..at].iter().filter(|record| wanted(record)).count();
    let sent = count(|record| matches!(record, Record::Invoke { .. }));
    sent > count(|record| matches!(record, Record::Complete { .. }))
}

/// Plants the corruption in one lane; whether it could be.
pub(super) fn plant(world: &mut World, lane: LaneId, what: Corruption, pick: usize) -> bool {
    let records = &mut world.lane_mut(lane).records;
    let places = deliveries(records);
    let Some(at) = places.get(pick % places.len().max(1)).copied() else {
        return false;
    };
    let Record::Delivered { client, seq, .. } = records[at].clone() else {
        return false;
    };
    match what {
        Corruption::LoseLast => {
            // The newest event is owed to every client that is connected, whatever was pruned before.
            let lost = places.iter().filter_map(|at| delivered(&records[*at])).map(|(.., seq)| seq).max();
            let before = records.len();
            records.retain(|record| {
                delivered(record).is_none_or(|(to, _, _, seq)| *to != client || Some(seq) != lost)
                    || !matches!(record, Record::Delivered { stream, .. } if stream.as_str() == "a")
            });
            return records.len() < before;
        }
        Corruption::DropOneFirstDelivery => {
            // What comes after it in the same subscription and kind of copy shows that it was skipped.
            let Some((to, sub, via, seq)) =
                delivered(&records[at]).map(|(to, sub, via, seq)| (to.clone(), sub, via, seq))
            else {
                return false;
            };
            let same = |other: &usize| {
                let one = delivered(&records[*other]);
                one.filter(|(who, its, kind, _)| **who == to && *its == sub && *kind == via).map(|(.., seq)| seq)
            };
            // A repeat of what lies below the subscription's cursor may be missing.
            let begun = records.iter().find_map(|record| match record {
                Record::Subscribed { client, sub: its, cursor, .. } if *client == to && *its == sub => Some(*cursor),
                _ => None,
            });
            if begun.flatten().is_some_and(|cursor| cursor.0 >= seq.0) {
                return false;
            }
            // A floor that rises while the client asks leaves open where its replay begins.
            let asked = asked_at(records, &to, sub).unwrap_or(0);
            if in_flight(records, asked) && !places.iter().filter_map(same).any(|other| other < seq) {
                return false;
            }
            let shown = places.iter().filter_map(same).any(|other| other > seq);
            if !shown || places.iter().filter_map(same).filter(|other| *other == seq).count() != 1 {
                return false;
            }
            records.remove(at);
        }
        Corruption::ChangePayload | Corruption::NoCanonicalForm | Corruption::Foreign | Corruption::ApplyTwice => {
            let foreign = records.iter().find_map(|record| match record {
                Record::Delivered { stream, hash, .. } if stream.as_str() == "b" => *hash,
                _ => None,
            });
            if let Record::Delivered { hash, verdict, .. } = &mut records[at] {
                match what {
                    Corruption::ChangePayload => *hash = Some(crate::hash::PayloadHash::from_bytes([9; 32])),
                    Corruption::NoCanonicalForm => *hash = None,
                    Corruption::Foreign => *hash = foreign,
                    _ if *verdict == history::Verdict::Duplicate => *verdict = history::Verdict::Applied,
                    _ => return false,
                }
            }
        }
        Corruption::CutReplayShort | Corruption::TellWrongHead => return plant_in_reply(records, what, pick),
        Corruption::TakeForRepeat => return take_for_repeat(records, pick),
        Corruption::Phantom => {
            let mut copy = records[at].clone();
            if let Record::Delivered { seq, hash, .. } = &mut copy {
                *seq = Seq(10_000);
                *hash = Some(crate::hash::PayloadHash::from_bytes([9; 32]));
            }
            records.insert(at + 1, copy);
        }
        Corruption::RefusePublish | Corruption::ShiftAck => {
            let acks = records.iter_mut().filter_map(|record| match record {
                Record::Complete { completion, .. } => match completion {
                    Completion::Ok { outcome: Outcome::Published { seq: got, duplicate: Some(false), .. } }
                        if *got == seq =>
                    {
                        Some(completion)
                    }
                    _ => None,
                },
                _ => None,
            });
            let Some(completion) = acks.last() else { return false };
            *completion = match what {
                Corruption::ShiftAck => Completion::Ok {
                    outcome: Outcome::Published { seq: Seq(seq.0 + 500), duplicate: Some(false), differs: Vec::new() },
                },
                _ => Completion::Fail { refusal: Default::default() },
            };
        }
    }
    true
}

/// Takes the last event out of a replay, or changes the head that its reply names; whether there was one.
fn plant_in_reply(records: &mut Vec<Record>, what: Corruption, pick: usize) -> bool {
    let replies: Vec<usize> =
        (0..records.len()).filter(|at| matches!(&records[*at], Record::Accepted { head: Some(_), .. })).collect();
    let Some(at) = replies.get(pick % replies.len().max(1)).copied() else {
        return false;
    };
    if let (Record::Accepted { head: Some(head), .. }, Corruption::TellWrongHead) = (&mut records[at], what) {
        // At most one publish is in flight, so that either of two heads may be right.
        *head = Seq(if pick.is_multiple_of(2) { head.0 + 2 } else { head.0.saturating_sub(2) });
        return true;
    }
    let Record::Accepted { client, sub, .. } = records[at].clone() else {
        return false;
    };
    let in_replay =
        |record: &Record| delivered(record).filter(|(to, its, ..)| **to == client && *its == sub).map(|(.., seq)| seq);
    let Some(last) = records[..at].iter().filter_map(in_replay).max() else {
        return false;
    };
    // Only what was acknowledged when the client asked is sure to belong to the replay.
    let asked = asked_at(records, &client, sub).unwrap_or(0);
    let acked = records[..asked].iter().filter_map(|record| match record {
        Record::Complete { completion: Completion::Ok { outcome: Outcome::Published { seq, .. } }, .. } => Some(*seq),
        _ => None,
    });
    if acked.max().is_none_or(|acked| last > acked) {
        return false;
    }
    let mut place = 0;
    records.retain(|record| {
        place += 1;
        place > at || in_replay(record) != Some(last)
    });
    true
}

/// Lets a publish that was sent once be answered as a repeated one; whether there was one.
fn take_for_repeat(records: &mut [Record], pick: usize) -> bool {
    let attempts = |op| {
        let of_op = |record: &&Record| matches!(record, Record::Invoke { op: its, .. } if *its == op);
        records.iter().filter(of_op).count()
    };
    let once: Vec<usize> = (0..records.len())
        .filter(|at| match &records[*at] {
            Record::Complete {
                op,
                completion: Completion::Ok { outcome: Outcome::Published { duplicate: Some(false), .. } },
                ..
            } => attempts(*op) == 1,
            _ => false,
        })
        .collect();
    let Some(at) = once.get(pick % once.len().max(1)).copied() else {
        return false;
    };
    if let Record::Complete { completion: Completion::Ok { outcome: Outcome::Published { duplicate, .. } }, .. } =
        &mut records[at]
    {
        *duplicate = Some(true);
    }
    true
}
