use proptest::prelude::*;

use super::compare::Pairs;
use super::rank::{rank, ranks};
use super::*;
use crate::chance::Chance;
use crate::ids::{LaneId, Seed};

#[test]
fn the_ranks_of_an_interval_are_those_of_the_tables() {
    let of = |count, quantile| ranks(count, quantile);
    assert_eq!(of(1000, Quantile::P99), Some((983, 997)));
    assert_eq!(of(2000, Quantile::P99), Some((1971, 1989)));
    assert_eq!(of(5000, Quantile::P99), Some((4936, 4964)));
    assert_eq!(of(300, Quantile::P95), Some((277, 293)));
    assert_eq!(of(100_000, Quantile::P50), Some((49_690, 50_311)));
}

#[test]
fn a_quantile_has_an_interval_from_its_least_number_of_samples_on() {
    for quantile in [Quantile::P95, Quantile::P99] {
        assert_eq!(ranks(quantile.least() - 1, quantile), None, "{quantile:?}");
        assert!(ranks(quantile.least(), quantile).is_some(), "{quantile:?}");
    }
    let times: Vec<u64> = (1..=1000).collect();
    assert_eq!(interval(&times[..19], Quantile::P50), None);
    assert_eq!(interval(&times, Quantile::P99), Some(Interval { us: 990, low_us: 983, high_us: 997 }));
}

#[test]
fn intervals_cover_the_quantile_of_a_known_distribution() {
    let mut dice = Dice::new(1);
    for (quantile, truth) in [(Quantile::P50, 0.5_f64.ln()), (Quantile::P95, 0.05_f64.ln())] {
        let truth = (-truth * 1000.0) as u64;
        let covered = (0..1000).filter(|_| {
            let mut times: Vec<u64> = (0..200).map(|_| (dice.exponential() * 1000.0) as u64).collect();
            times.sort_unstable();
            interval(&times, quantile).is_some_and(|found| found.low_us <= truth && truth <= found.high_us)
        });
        let covered = covered.count();
        assert!((930..=990).contains(&covered), "{quantile:?}: {covered} of 1000");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_interval_contains_its_quantile(mut times in prop::collection::vec(0_u64..1_000_000, 20..600)) {
        times.sort_unstable();
        for quantile in Quantile::ALL {
            if let Some(found) = interval(&times, quantile) {
                prop_assert!(found.low_us <= found.us && found.us <= found.high_us);
                let below = times.iter().filter(|time| **time < found.us).count() as u64;
                prop_assert!(below < rank(times.len() as u64, quantile));
            }
        }
    }

    #[test]
    fn a_lane_is_never_slower_than_itself(times in prop::collection::vec(0_u64..50_000, 80..200)) {
        let lane: Vec<Sample> = times.iter().zip(0..).map(|(us, at)| Sample { us: *us, block: at / 10 + 1 }).collect();
        let found = compare([&lane, &lane], &Budgets::default().latency, Seed(1));
        prop_assert!(found.differences.values().all(|of| of.us == 0 && !matches!(of.standing, Standing::Slower(_))));
    }
}

#[test]
fn a_shift_of_20_ms_is_found_on_the_slower_lane() {
    for (seed, load) in [Load::Idle, Load::Busy].into_iter().cycle().take(20).zip(1..).map(|(load, seed)| (seed, load))
    {
        let mut run = Run::new(seed, load, 20);
        let [one, mut other] = run.lanes([0, 0]);
        other.iter_mut().for_each(|sample| sample.us += 20_000);
        let limits = Budgets::default().latency;
        let standing = |lanes: [&[Sample]; 2]| compare(lanes, &limits, Seed(seed)).differences[&Quantile::P50].standing;
        assert_eq!(standing([&one, &other]), Standing::Slower(LaneId::Candidate), "{load:?}, seed {seed}");
        assert_eq!(standing([&other, &one]), Standing::Slower(LaneId::Legacy), "{load:?}, seed {seed}");
    }
}

#[test]
fn a_lane_that_is_slow_in_one_of_five_is_found_by_its_p95() {
    let mut run = Run::new(5, Load::Idle, 20);
    let [one, mut other] = run.lanes([0, 0]);
    other.iter_mut().step_by(5).for_each(|sample| sample.us += 60_000);
    let found = compare([&one, &other], &Budgets::default().latency, Seed(5)).differences;
    assert_eq!(found[&Quantile::P50].standing, Standing::Within);
    assert_eq!(found[&Quantile::P95].standing, Standing::Slower(LaneId::Candidate));
}

#[test]
fn too_few_samples_or_blocks_are_not_compared() {
    let mut run = Run::new(1, Load::Idle, 20);
    let [one, other] = run.lanes([0, 0]);
    let limits = Budgets::default().latency;
    let quantiles =
        |lanes: [&[Sample]; 2]| compare(lanes, &limits, Seed(1)).differences.into_keys().collect::<Vec<_>>();
    assert_eq!(quantiles([&one, &other]), [Quantile::P10, Quantile::P50, Quantile::P95]);
    assert_eq!(quantiles([&one[..68], &other]), [Quantile::P10, Quantile::P50]);
    assert_eq!(quantiles([&one[..32], &other]), [Quantile::P50]);
    assert_eq!(quantiles([&one[..28], &other]), [], "of 7 blocks");
}

#[test]
fn too_much_noise_leaves_open_what_must_be_known() {
    let lane = |slow: u32| -> Vec<Sample> {
        let at = |nth: u32| Sample {
            us: if nth / 4 % 2 == slow { 400_000 } else { 1_000 * u64::from(nth % 90) },
            block: nth / 4 + 1,
        };
        (0..96).map(at).collect()
    };
    let lanes = [&lane(0)[..], &lane(1)];
    let found = compare(lanes, &Budgets::default().latency, Seed(1));
    assert_eq!(found.differences[&Quantile::P50].standing, Standing::Noisy);
    assert_eq!(found.differences[&Quantile::P95].standing, Standing::Within, "nothing has to be known of it");
    assert!(!is_clear(lanes, &Budgets::default().latency, Seed(1), 80));
}

#[test]
fn a_lane_is_not_found_slower_where_the_machine_stalls_the_faster_one_too() {
    // The machine gives little time: in most turns, what a lane does takes nine times as long.
    let starved = |us: u64| -> Vec<Sample> {
        let at = |nth: u32| Sample { us: if (nth / 4).is_multiple_of(8) { us } else { us * 9 }, block: nth / 4 + 1 };
        (0..96).map(at).collect()
    };
    let quiet = |us: u64| -> Vec<Sample> { (0..96).map(|nth: u32| Sample { us, block: nth / 4 + 1 }).collect() };
    let limits = Budgets::default().latency;
    let standing = |one: &[Sample], other: &[Sample]| {
        let found = compare([one, other], &limits, Seed(1)).differences;
        [Quantile::P10, Quantile::P50].map(|of| found[&of].standing)
    };
    let slower = Standing::Slower(LaneId::Candidate);
    assert!(!standing(&starved(10_000), &starved(210_000)).contains(&slower));
    assert!(standing(&quiet(10_000), &starved(210_000)).contains(&slower), "only the slower lane is unsteady");
    assert_eq!(standing(&quiet(10_000), &quiet(210_000)), [slower; 2]);
}

#[test]
fn what_must_be_known_is_known_on_a_busy_machine() {
    let is_open = |seed: &u64| {
        let lanes = Run::new(*seed, [Load::Busy, Load::Jammed][(seed % 2) as usize], 40).lanes([0, 0]);
        let found = compare([&lanes[0], &lanes[1]], &Budgets::default().latency, Seed(*seed));
        found.differences.values().any(|of| of.standing == Standing::Noisy)
    };
    assert_eq!((1..=24).filter(is_open).count(), 0, "of 24");
}

#[test]
fn a_lane_against_itself_is_found_slower_in_less_than_1_of_1000_runs() {
    let runs = std::env::var("CUTOVER_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(1_200);
    let alarms = false_alarms(runs);
    assert!(alarms as u64 <= runs.div_ceil(1_000), "{alarms} of {runs}");
    println!("{alarms} false alarms in {runs} runs");
}

/// How many of so many runs of a lane against itself find it slower, on machines from idle to overloaded.
fn false_alarms(runs: u64) -> usize {
    let limits = Budgets::default().latency;
    let is_slower = |seed: u64| {
        let load = [Load::Idle, Load::Busy, Load::Jammed][(seed % 3) as usize];
        let lanes = Run::new(seed, load, 20).lanes([0, 0]);
        let lanes = [lanes[0].as_slice(), lanes[1].as_slice()];
        let beyond = |of: &Quantile| Pairs::of(lanes).may_be_slower(*of, limits.of(*of));
        // The rest of the work is done only where it can matter.
        Quantile::ALL.iter().any(beyond) && {
            let found = compare(lanes, &limits, Seed(seed));
            found.differences.values().any(|of| matches!(of.standing, Standing::Slower(_)))
        }
    };
    (1..=runs).filter(|seed| is_slower(*seed)).count()
}

struct Dice(Chance);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(Chance::new(Seed(seed), "samples"))
    }

    /// Between 0 and 1, both left out.
    fn uniform(&mut self) -> f64 {
        (self.0.below(1 << 52) + 1) as f64 / ((1_u64 << 52) + 2) as f64
    }

    fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    fn normal(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[derive(Debug, Clone, Copy)]
enum Load {
    Idle,
    /// Other work takes the processors for some milliseconds at a time.
    Busy,
    /// It takes them for tens of milliseconds, and all gets slower and faster for seconds.
    Jammed,
}

/// Two lanes that are measured by turns on a machine whose load goes on from sample to sample.
struct Run {
    dice: Dice,
    load: Load,
    blocks: u32,
    state: f64,
}

impl Run {
    fn new(seed: u64, load: Load, blocks: u32) -> Run {
        Run { dice: Dice::new(seed), load, blocks, state: 0.0 }
    }

    fn lanes(&mut self, extra_us: [u64; 2]) -> [Vec<Sample>; 2] {
        let mut lanes = [Vec::new(), Vec::new()];
        for block in 1..=self.blocks {
            let order = if block % 2 == 1 { [0, 1] } else { [1, 0] };
            for lane in order {
                for _ in 0..4 {
                    let us = self.sample() + extra_us[lane];
                    lanes[lane].push(Sample { us, block });
                }
            }
        }
        lanes
    }

    fn sample(&mut self) -> u64 {
        let (swing, stall_ms, stalls) = match self.load {
            Load::Idle => (0.1, 1.0, 0.02),
            Load::Busy => (0.5, 8.0, 0.2),
            Load::Jammed => (1.0, 40.0, 0.4),
        };
        // The load follows its last value, over some thirty samples.
        self.state = 0.97 * self.state + 0.24 * self.dice.normal();
        let base = 2.0 * (swing * self.state).exp() * (1.0 + 0.2 * self.dice.exponential());
        let stalled = self.dice.uniform() < stalls * (1.0 + self.state).clamp(0.1, 2.0);
        let stall = if stalled { stall_ms * self.dice.exponential() * self.dice.uniform().powf(-0.3) } else { 0.0 };
        ((base + stall) * 1000.0) as u64
    }
}
