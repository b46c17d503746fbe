//! Random honest histories give no finding; one planted corruption gives at least one.

use proptest::prelude::*;

use super::super::notation::World;
use super::{Verdict, reports};
use crate::history::{self, Completion, Outcome, Record, Via};
use crate::ids::{ClientId, LaneId, Seq, SubId};

/// What may happen next in a run of one stream and two clients.
#[derive(Debug, Clone)]
enum Move {
    Publish,
    LoseAnswer,
    Again(u64),
    Conflict(u64),
    /// Connection cut and resumed on one lane.
    Cut(bool, usize),
    /// The last few events come once more.
    Repeat(bool, usize, u64),
    Crash(usize),
    Restart,
    Policy(u64),
    Budget(u64),
    /// A publish is in flight while clients come back: by bit, who already sees it.
    Race(u8),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => Just(Move::Publish),
        1 => Just(Move::LoseAnswer),
        1 => (0..100u64).prop_map(Move::Again),
        1 => (0..100u64).prop_map(Move::Conflict),
        3 => (any::<bool>(), 0..2usize).prop_map(|(lane, client)| Move::Cut(lane, client)),
        2 => (any::<bool>(), 0..2usize, 1..4u64).prop_map(|(lane, client, more)| Move::Repeat(lane, client, more)),
        1 => (0..2usize).prop_map(Move::Crash),
        1 => Just(Move::Restart),
        1 => (2..9u64).prop_map(Move::Policy),
        1 => (1..9u64).prop_map(Move::Budget),
        2 => any::<u8>().prop_map(Move::Race),
    ];
    prop::collection::vec(one, 4..60)
}

/// A tiny model of two honest lanes that writes what happens in the notation.
struct Model {
    text: String,
    head: u64,
    floor: u64,
    retain: u64,
    budget: u64,
    /// By lane, then client: cursor, and whether the connection is up.
    clients: [[(u64, bool); 2]; 2],
}

const LANES: [&str; 2] = ["legacy", "candidate"];

impl Model {
    fn run(retain: u64, moves: &[Move]) -> String {
        let mut model = Model {
            text: format!("retain a {retain}; budget a 1000; pub b1; c1 sub a; c2 sub a; c1 sub b; c1 b1"),
            head: 0,
            floor: 0,
            retain,
            budget: 1000,
            clients: [[(0, true); 2]; 2],
        };
        model.publish("");
        for one in moves {
            model.make(one);
        }
        for lane in [0, 1] {
            for client in [0, 1] {
                model.resume(lane, client);
            }
        }
        model.text
    }

    fn say(&mut self, what: &str) {
        self.text.push_str("; ");
        self.text.push_str(what);
    }

    fn publish(&mut self, lost: &str) {
        self.head += 1;
        let head = self.head;
        if !lost.is_empty() {
            self.say(&format!("pub a{head} info"));
        }
        self.say(&format!("pub a{head}"));
        self.floor = self.floor.max(head.saturating_sub(self.retain));
        for lane in [0, 1] {
            for client in [0, 1] {
                if self.clients[lane][client].1 {
                    self.clients[lane][client].0 = head;
                    self.say(&format!("{}: c{} a{head}", LANES[lane], client + 1));
                }
            }
        }
    }

    /// Connects a client that is not, and replays.
    fn resume(&mut self, lane: usize, client: usize) {
        let (cursor, up) = self.clients[lane][client];
        if up {
            return;
        }
        let on = format!("{}: c{}", LANES[lane], client + 1);
        let mut after = cursor;
        let lag = self.head - cursor;
        if cursor < self.floor || lag > self.budget {
            let reason = if cursor < self.floor { "floor" } else { "budget" };
            after = self.floor;
            self.say(&format!("{on} ask a from {cursor}"));
            self.say(&format!(
                "{on} refused a {reason} cursor={cursor} floor={} head={} lag={lag} budget={}",
                self.floor, self.head, self.budget
            ));
            self.say(&format!("{on} rewind a"));
            self.say(&format!("{on} ask a"));
        } else {
            self.say(&format!("{on} ask a from {cursor}"));
        }
        if client == 0 {
            self.say(&format!("{on} sub b from 1"));
        }
        if after < self.head {
            self.say(&format!("{on} a{}..{}", after + 1, self.head));
        }
        self.say(&format!("{on} ok a head {}", self.head));
        self.clients[lane][client] = (self.head, true);
    }

    /// A publish is in flight while clients that are not connected come back, and see it or not.
    fn race(&mut self, sees: u8) {
        let (floor, head) = (self.floor, self.head + 1);
        let risen = floor.max(head.saturating_sub(self.retain));
        self.say(&format!("pub a{head} open"));
        let mut later = Vec::new();
        for (bit, (lane, client)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
            let (sees, up) = (sees & (1 << bit) != 0, self.clients[lane][client].1);
            (self.floor, self.head) = if sees { (risen, head) } else { (floor, head - 1) };
            self.resume(lane, client);
            let live = format!("{}: c{} a{head}", LANES[lane], client + 1);
            match (up, sees) {
                (true, true) => self.say(&live),
                (false, true) => {}
                (_, false) => later.push(live),
            }
            self.clients[lane][client].0 = head;
        }
        (self.floor, self.head) = (risen, head);
        self.say(&format!("ack a{head}"));
        later.iter().for_each(|live| self.say(live));
    }

    fn make(&mut self, one: &Move) {
        match *one {
            Move::Race(sees) => self.race(sees),
            Move::Budget(budget) => {
                self.budget = budget;
                self.say(&format!("policy a budget {budget}"));
            }
            Move::Publish => self.publish(""),
            Move::LoseAnswer => self.publish("lost"),
            Move::Again(number) => self.say(&format!("again a{}", 1 + number % self.head)),
            Move::Conflict(number) => self.say(&format!("conflict a{}", 1 + number % self.head)),
            Move::Cut(second, client) => {
                let lane = usize::from(second);
                if self.clients[lane][client].1 {
                    self.say(&format!("{}: c{} cut", LANES[lane], client + 1));
                    self.clients[lane][client].1 = false;
                } else {
                    self.resume(lane, client);
                }
            }
            Move::Repeat(second, client, more) => {
                let lane = usize::from(second);
                let (cursor, up) = self.clients[lane][client];
                let first = self.floor.max(cursor.saturating_sub(more)) + 1;
                if up && first <= cursor {
                    self.say(&format!("{}: c{} a{first}..{cursor}", LANES[lane], client + 1));
                }
            }
            Move::Crash(client) => {
                for lane in [0, 1] {
                    if self.clients[lane][client].1 {
                        self.say(&format!("{}: c{} crash", LANES[lane], client + 1));
                    }
                    self.clients[lane][client].1 = false;
                    self.resume(lane, client);
                }
            }
            Move::Restart => {
                self.say("kill");
                for lane in [0, 1] {
                    for client in [0, 1] {
                        if std::mem::replace(&mut self.clients[lane][client].1, false) {
                            self.say(&format!("{}: c{} cut", LANES[lane], client + 1));
                        }
                    }
                }
                self.say("start");
            }
            Move::Policy(retain) => {
                self.retain = retain;
                self.say(&format!("policy a retain {retain}"));
                self.floor = self.floor.max(self.head.saturating_sub(retain));
            }
        }
    }
}

/// One thing that a broken lane would do.
#[derive(Debug, Clone, Copy)]
enum Corruption {
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

fn corruption() -> impl Strategy<Value = Corruption> {
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
        Record::Delivered {
            client, sub, via, seq, ..
        } => Some((client, *sub, *via, *seq)),
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
fn plant(world: &mut World, lane: LaneId, what: Corruption, pick: usize) -> bool {
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
            let lost = places
                .iter()
                .filter_map(|at| delivered(&records[*at]))
                .map(|(.., seq)| seq)
                .max();
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
                one.filter(|(who, its, kind, _)| **who == to && *its == sub && *kind == via)
                    .map(|(.., seq)| seq)
            };
            // A repeat of what lies below the subscription's cursor may be missing.
            let begun = records.iter().find_map(|record| match record {
                Record::Subscribed {
                    client,
                    sub: its,
                    cursor,
                    ..
                } if *client == to && *its == sub => Some(*cursor),
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
                    Completion::Ok {
                        outcome:
                            Outcome::Published {
                                seq: got,
                                duplicate: Some(false),
                            },
                    } if *got == seq => Some(completion),
                    _ => None,
                },
                _ => None,
            });
            let Some(completion) = acks.last() else { return false };
            *completion = match what {
                Corruption::ShiftAck => Completion::Ok {
                    outcome: Outcome::Published {
                        seq: Seq(seq.0 + 500),
                        duplicate: Some(false),
                    },
                },
                _ => Completion::Fail {
                    refusal: Default::default(),
                },
            };
        }
    }
    true
}

/// Takes the last event out of a replay, or changes the head that its reply names; whether there was one.
fn plant_in_reply(records: &mut Vec<Record>, what: Corruption, pick: usize) -> bool {
    let replies: Vec<usize> = (0..records.len())
        .filter(|at| matches!(&records[*at], Record::Accepted { head: Some(_), .. }))
        .collect();
    let Some(at) = replies.get(pick % replies.len().max(1)).copied() else {
        return false;
    };
    if let (Record::Accepted { head: Some(head), .. }, Corruption::TellWrongHead) = (&mut records[at], what) {
        // At most one publish is in flight, so that either of two heads may be right.
        *head = Seq(if pick % 2 == 0 {
            head.0 + 2
        } else {
            head.0.saturating_sub(2)
        });
        return true;
    }
    let Record::Accepted { client, sub, .. } = records[at].clone() else {
        return false;
    };
    let in_replay = |record: &Record| {
        delivered(record)
            .filter(|(to, its, ..)| **to == client && *its == sub)
            .map(|(.., seq)| seq)
    };
    let Some(last) = records[..at].iter().filter_map(in_replay).max() else {
        return false;
    };
    // Only what was acknowledged when the client asked is sure to belong to the replay.
    let asked = asked_at(records, &client, sub).unwrap_or(0);
    let acked = records[..asked].iter().filter_map(|record| match record {
        Record::Complete {
            completion: Completion::Ok {
                outcome: Outcome::Published { seq, .. },
            },
            ..
        } => Some(*seq),
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
                completion:
                    Completion::Ok {
                        outcome:
                            Outcome::Published {
                                duplicate: Some(false), ..
                            },
                    },
                ..
            } => attempts(*op) == 1,
            _ => false,
        })
        .collect();
    let Some(at) = once.get(pick % once.len().max(1)).copied() else {
        return false;
    };
    if let Record::Complete {
        completion: Completion::Ok {
            outcome: Outcome::Published { duplicate, .. },
        },
        ..
    } = &mut records[at]
    {
        *duplicate = Some(true);
    }
    true
}

/// As many cases as `PROPTEST_CASES` says. Most corruptions can't be planted in most histories, so many are rejected.
fn config() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let cases = asked.unwrap_or(400);
    ProptestConfig {
        cases,
        max_global_rejects: cases.saturating_mul(20),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_honest_history_gives_no_finding(retain in 2..12u64, moves in moves()) {
        let text = Model::run(retain, &moves);
        super::clean(&text);
    }

    #[test]
    fn a_planted_corruption_gives_a_principal_finding(
        retain in 2..12u64,
        moves in moves(),
        what in corruption(),
        second in any::<bool>(),
        pick in 0..1000usize,
    ) {
        let text = Model::run(retain, &moves);
        let mut world = World::read(&text).unwrap();
        let lane = if second { LaneId::Candidate } else { LaneId::Legacy };
        prop_assume!(plant(&mut world, lane, what, pick));
        let found = super::explain(&reports(&world));
        let wrong = found.principal.iter().find(|finding| finding.verdict == Verdict::Invalid);
        prop_assert!(wrong.is_some_and(|finding| finding.lane == Some(lane)), "{what:?} in {lane}: {text}");
    }

    #[test]
    fn no_history_however_shuffled_makes_a_checker_panic(
        moves in moves(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..300),
    ) {
        let mut world = World::read(&Model::run(3, &moves)).unwrap();
        let records = world.legacy.records.clone();
        world.legacy.records = order.iter().map(|index| index.get(&records).clone()).collect();
        let reports = reports(&world);
        prop_assert!(reports.iter().flat_map(|report| &report.findings).all(|one| one.reason != "checker-panicked"));
    }
}
