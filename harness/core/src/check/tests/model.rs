//! Two honest lanes, one stream and two clients: a tiny model that writes what happens in the notation.

use proptest::prelude::*;

/// What may happen next in a run of one stream and two clients.
#[derive(Debug, Clone)]
pub(super) enum Move {
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

pub(super) fn moves() -> impl Strategy<Value = Vec<Move>> {
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
pub(super) struct Model {
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
    pub(super) fn run(retain: u64, moves: &[Move]) -> String {
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
                    // A planned fault repeats it; it has to fire on either lane.
                    let fault = format!("again{} c{}", self.text.len(), client + 1);
                    self.say(&format!("planned {fault}; fires {fault}"));
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
