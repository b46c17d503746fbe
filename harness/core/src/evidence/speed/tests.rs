use super::*;

fn run(scenarios: usize, legacy: (u64, u64), candidate: (u64, u64)) -> Vec<String> {
    let time = |(run_us, answer_us)| LaneTime { run_us, publishes: 9, answer_us };
    let lanes: LaneTimes = [(LaneId::Legacy, time(legacy)), (LaneId::Candidate, time(candidate))].into();
    let lanes = (0..scenarios).map(|nth| (format!("s{nth}"), lanes.clone())).collect();
    slow(&Times { lanes, ..Times::default() }).iter().map(Slow::to_string).collect()
}

#[test]
fn a_lane_that_takes_four_times_as_long_is_reported() {
    assert_eq!(
        run(10, (500_000, 2_000), (2_000_000, 2_000)),
        ["the candidate lane is 4 times slower: all its scenarios took 20000 ms, on the legacy lane 5000 ms"]
    );
    assert_eq!(
        run(10, (500_000, 40_000), (500_000, 5_000)),
        ["the legacy lane is 8 times slower: the median answer to a publish took 40 ms, on the candidate lane 5 ms"]
    );
}

#[test]
fn nothing_is_said_of_a_small_difference_a_fast_lane_or_a_short_run() {
    assert_eq!(run(10, (500_000, 2_000), (1_900_000, 7_000)), Vec::<String>::new());
    assert_eq!(run(10, (50_000, 1_000), (500_000, 19_000)), Vec::<String>::new());
    assert_eq!(run(7, (500_000, 2_000), (9_000_000, 90_000)), Vec::<String>::new());
}
