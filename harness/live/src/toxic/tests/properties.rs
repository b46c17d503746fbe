//! Under any toxics that come, change and go at any time, no byte is lost, doubled or out of order.

use proptest::prelude::*;

use super::*;

/// What is done to a chain.
#[derive(Debug, Clone)]
enum Act {
    Push(usize),
    Wait(u64),
    Set(Vec<(u8, ByteToxic)>),
    End,
}

/// Attributes as people write them, and as nobody should.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0..300_i64, 2 => -5..5_i64, 1 => any::<i64>(), 1 => Just(i64::MAX), 1 => Just(i64::MIN)]
}

fn harmless() -> impl Strategy<Value = ByteToxic> {
    prop_oneof![
        (number(), number()).prop_map(|(a, b)| latency(a, b)),
        number().prop_map(bandwidth),
        number().prop_map(slow_close),
        (number(), number(), number()).prop_map(|(a, b, c)| slicer(a, b, c)),
    ]
}

fn anything() -> impl Strategy<Value = ByteToxic> {
    prop_oneof![
        4 => harmless(),
        1 => number().prop_map(timeout),
        1 => number().prop_map(reset_peer),
        1 => number().prop_map(limit_data),
    ]
}

fn acts<S: Strategy<Value = ByteToxic>>(toxic: fn() -> S) -> impl Strategy<Value = Vec<Act>> {
    let set = prop::collection::vec((0..5_u8, toxic()), 0..5).prop_map(Act::Set);
    let act = prop_oneof![
        6 => prop_oneof![1..20_usize, 1..5000_usize, 30_000..100_000_usize].prop_map(Act::Push),
        4 => prop_oneof![0..3_u64, 0..200_u64, 0..100_000_u64].prop_map(Act::Wait),
        3 => set,
    ];
    (prop::collection::vec(act, 1..60), any::<bool>()).prop_map(|(mut acts, ends)| {
        if ends {
            acts.insert(acts.len() * 3 / 4, Act::End);
        }
        acts
    })
}

/// A chain with what went in and what came out.
struct Run {
    chain: Chain,
    now: Instant,
    sent: Vec<u8>,
    ended: bool,
    got: Vec<u8>,
    outcome: Option<Ending>,
}

impl Run {
    fn new(seed: u64) -> Run {
        let now = Instant::now();
        Run { chain: Chain::new(seed), now, sent: Vec::new(), ended: false, got: Vec::new(), outcome: None }
    }

    /// Takes what is due, up to this time in microseconds from now, then moves on by that.
    fn wait(&mut self, micros: u64) -> Result<(), TestCaseError> {
        let until = self.now + Duration::from_micros(micros);
        // Each piece is a byte at least, and each toxic may ask to wait before each piece and before the end.
        let mut left = 10 * (self.chain.held() + 10);
        loop {
            left -= 1;
            prop_assert!(left > 0, "the chain does not come to rest");
            match self.chain.poll(self.now) {
                Out::Bytes(data) => {
                    prop_assert!(!data.is_empty());
                    self.got.extend_from_slice(&data);
                    prop_assert!(self.outcome.is_none(), "bytes after the end");
                }
                Out::Ended(ending) => {
                    prop_assert!(self.outcome.is_none_or(|before| before == ending), "another end");
                    self.outcome = Some(ending);
                    break;
                }
                Out::Until(due) => {
                    prop_assert!(due > self.now, "a time that is gone");
                    if due > until {
                        break;
                    }
                    self.now = due;
                }
                Out::Idle => break,
            }
        }
        self.now = self.now.max(until);
        Ok(())
    }

    fn act(&mut self, act: Act) -> Result<(), TestCaseError> {
        match act {
            Act::Push(length) if !self.ended && self.chain.has_room() => {
                let from = self.sent.len();
                // A counter in the bytes, so that no two stretches look alike.
                self.sent.extend((from..from + length).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8));
                self.chain.push(Bytes::copy_from_slice(&self.sent[from..]), self.now);
            }
            Act::Push(_) => {}
            Act::Wait(micros) => self.wait(micros)?,
            Act::Set(toxics) => {
                let toxics: Vec<Toxic> = toxics.into_iter().map(|(n, what)| toxic(&n.to_string(), what)).collect();
                self.chain.set(&toxics, self.now);
            }
            Act::End => {
                self.ended = true;
                self.chain.end(self.now);
            }
        }
        prop_assert!(self.chain.held() <= (33 << 20));
        prop_assert!(self.sent.starts_with(&self.got), "other bytes came out than went in");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn all_bytes_come_out_in_order_whatever_happens_to_the_toxics(seed: u64, acts in acts(harmless)) {
        let mut run = Run::new(seed);
        for act in acts {
            run.act(act)?;
            prop_assert_eq!(run.sent.len(), run.got.len() + run.chain.held(), "bytes are neither held nor out");
        }
        run.act(Act::Set(Vec::new()))?;
        run.act(Act::End)?;
        run.wait(0)?;
        prop_assert_eq!(run.got, run.sent);
        prop_assert_eq!(run.outcome, Some(Ending::Eof));
    }

    #[test]
    fn all_bytes_come_out_in_time_though_the_toxics_stay(
        seed: u64,
        rows in prop::collection::vec(prop::collection::vec((0..5_u8, harmless_and_quick()), 0..4), 1..4),
        pushes in prop::collection::vec(1..40_000_usize, 1..12),
    ) {
        let mut run = Run::new(seed);
        for (round, length) in pushes.into_iter().enumerate() {
            run.act(Act::Set(rows[round % rows.len()].clone()))?;
            run.act(Act::Push(length))?;
            run.act(Act::Wait(1500))?;
        }
        run.act(Act::End)?;
        run.wait(3_600_000_000)?;
        prop_assert_eq!(run.got, run.sent);
        prop_assert_eq!(run.outcome, Some(Ending::Eof));
    }

    #[test]
    fn any_toxics_with_any_attributes_give_a_beginning_of_what_went_in(seed: u64, acts in acts(anything)) {
        let mut run = Run::new(seed);
        for act in acts {
            run.act(act)?;
        }
        run.act(Act::Set(Vec::new()))?;
        run.act(Act::End)?;
        run.wait(0)?;
        prop_assert!(run.sent.starts_with(&run.got));
        prop_assert!(run.outcome.is_some(), "the stream does not end");
        prop_assert_eq!(run.chain.held(), 0);
    }
}

/// Toxics that let all pass within minutes.
fn harmless_and_quick() -> impl Strategy<Value = ByteToxic> {
    prop_oneof![
        (0..500_i64, -10..900_i64).prop_map(|(a, b)| latency(a, b)),
        (20..100_000_i64).prop_map(bandwidth),
        (-5..1000_i64).prop_map(slow_close),
        (50..5000_i64, 0..6000_i64, 0..5000_i64).prop_map(|(a, b, c)| slicer(a, b, c)),
    ]
}
