use super::super::measured::tests::{Lanes, found, histories};
use super::*;
use crate::ids::ClientId;

const STEP: &str = r#"{ do = "publish", stream = "run:a:events", count = 40, turns = 20 }"#;
const FAULTS: &str = r#"faults = [
  { do = "cut", how = "drop", when = "before", clients = ["desk"], at = { delivery = "run:a:events", seq = [1, 2] } },
]"#;

fn recovered(us: u64) -> Record {
    Record::Recovered { client: ClientId::new("desk"), after_us: us }
}

fn told(faults: &str, lanes: Lanes) -> Vec<String> {
    found(NAME, "recovery", STEP, faults, &histories(lanes, recovered))
}

#[test]
fn a_lane_that_recovers_ten_times_slower_is_found_on_that_lane() {
    let found = told(FAULTS, [&|_, us| 6_000 + us, &|_, us| 60_000 + 10 * us]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.iter().all(|says| says.starts_with("invalid candidate: clients take longer to recover")),
        "{found:?}"
    );
    let found = told(FAULTS, [&|_, us| 60_000 + 10 * us, &|_, us| 6_000 + us]);
    assert!(found.iter().all(|says| says.starts_with("invalid legacy: ")), "{found:?}");
}

#[test]
fn lanes_that_recover_two_times_slower_in_a_few_milliseconds_are_alike() {
    assert_eq!(told(FAULTS, [&|_, us| 6_000 + us, &|_, us| 12_000 + us]), Vec::<String>::new());
}

#[test]
fn a_run_without_faults_owes_no_recovery() {
    assert_eq!(found(NAME, "recovery", STEP, "", &[Vec::new(), Vec::new()]), Vec::<String>::new());
    assert_eq!(found(NAME, "recovery", STEP, FAULTS, &[Vec::new(), Vec::new()]).len(), 2);
}
