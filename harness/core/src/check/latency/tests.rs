use super::super::measured::tests::{Lanes, found, histories};
use super::*;
use crate::history::Timed;
use crate::ids::{ClientId, OpId};

const STEP: &str = r#"{ do = "publish", stream = "run:a:events", rate = 100, for_ms = 800 }"#;

fn timed(us: u64) -> Record {
    Record::Timed(Timed {
        op: OpId(1),
        client: ClientId::new("desk"),
        late_us: 500,
        acked_us: 900,
        applied_us: us + 500,
    })
}

fn told(lanes: Lanes) -> Vec<String> {
    found(NAME, "latency", STEP, "", &histories(lanes, timed))
}

#[test]
fn a_lane_slowed_by_20_ms_is_found_on_that_lane() {
    assert_eq!(
        told([&|_, us| us, &|_, us| us + 20_000]),
        [
            "invalid candidate: deliveries take longer than on the other lane, beyond the budget (expected p10 of at most \
             11.3 ms: 1.3 ms on the other lane, and 10.0 ms more; got p10 of 21.3 ms, with noise of 0.3 ms)",
            "invalid candidate: deliveries take longer than on the other lane, beyond the budget (expected p50 of at most \
             12.4 ms: 2.4 ms on the other lane, and 10.0 ms more; got p50 of 22.4 ms, with noise of 0.2 ms)",
        ]
    );
    assert!(told([&|_, us| us + 20_000, &|_, us| us]).iter().all(|says| says.starts_with("invalid legacy: ")));
}

#[test]
fn lanes_that_differ_by_less_than_the_budget_are_alike() {
    assert_eq!(told([&|_, us| us, &|_, us| us + 8_000]), Vec::<String>::new());
}

#[test]
fn what_this_machine_sent_too_late_is_no_finding_but_too_few_samples() {
    let late = |us| match timed(us) {
        Record::Timed(timed) => Record::Timed(Timed { late_us: 40_000, ..timed }),
        other => other,
    };
    let found = found(NAME, "latency", STEP, "", &histories([&|_, us| us, &|_, us| us], late));
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        found[0],
        "unknown legacy: too few deliveries were timed (expected 36 or more for the p10, in 8 turns or more; got 0)"
    );
}

#[test]
fn a_machine_that_is_too_busy_leaves_it_unknown_on_no_lane() {
    let jammed = |block: u64, us: u64| us + if block.is_multiple_of(2) { 300_000 } else { 0 };
    let found = told([&jammed, &jammed]);
    assert!(found.iter().all(|says| says.starts_with("unknown this machine was too busy")), "{found:?}");
    assert!(!found.is_empty());
}

#[test]
fn a_legacy_lane_may_be_slower_where_the_budget_says_so() {
    let lanes: Lanes = [&|_, us| us + 20_000, &|_, us| us];
    assert!(!told(lanes).is_empty());
    assert_eq!(found(NAME, "legacy may be slower", STEP, "", &histories(lanes, timed)), Vec::<String>::new());
}
