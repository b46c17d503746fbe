use super::*;
use crate::history::{HISTORY_SCHEMA, Header, Restored};
use crate::ids::Seed;

fn run(scenarios: usize, legacy: (u64, u64), candidate: (u64, u64)) -> Vec<String> {
    let time = |(run_us, answer_us)| LaneTime { run_us, publishes: 9, answer_us, restores_us: vec![] };
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

#[test]
fn a_restore_takes_from_its_beginning_to_the_end_of_its_first_replay() {
    let (backup, restored) = ("nightly".to_owned(), Restored { backup: "nightly".to_owned(), ..Restored::default() });
    let refused = Restored { refused: Some("status 500".to_owned()), ..restored.clone() };
    let begun = Record::Restoring { backup };
    let header = Header {
        schema: HISTORY_SCHEMA.to_owned(),
        scenario: "s".to_owned(),
        seed: Seed(1),
        lane: LaneId::Candidate,
        plan_digest: String::new(),
    };
    let records = vec![begun.clone(), Record::Restored(restored), begun, Record::Restored(refused)];
    let time = lane_time(&History { header, records }, &[1_000, 251_000, 300_000, 900_000]);
    assert_eq!(time.restores_us, [250_000]);
    let lanes = [("s".to_owned(), [(LaneId::Candidate, time)].into())].into();
    let said = restores(&Times { lanes, ..Times::default() });
    assert_eq!(
        said,
        ["the candidate lane restored 1 times, to the end of the first replay in 250 ms (median), 250 ms at most"]
    );
}
