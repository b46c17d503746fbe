#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn the_saved_calibration_tried_the_defects_that_are_in_the_code() {
    let saved = Calibration::read(SAVED).unwrap();
    let misses = saved.misses();
    assert!(
        misses.is_empty() || saved.defects.is_empty(),
        "run `cutover calibrate --save` with a release build: {misses:?} differ"
    );
}

#[test]
fn the_saved_calibration_has_no_survivor_without_a_reason() {
    let saved = Calibration::read(SAVED).unwrap();
    let news: Vec<_> = saved.defects.iter().filter(|tried| tried.is_news()).map(|tried| &tried.name).collect();
    assert!(news.is_empty(), "{news:?} survive; mend the gate, or give the reason in plan/defect/survivors.rs");
}

#[test]
fn a_calibration_is_read_as_it_is_written() {
    let mut made = Calibration::read(SAVED).unwrap();
    made.clean.push(Clean { aa: Some(LaneId::Legacy), seeds: 2, scenarios: 60, alarms: vec!["7 a: gap".to_owned()] });
    made.defects = all().take(3).map(Tried::of).collect();
    made.defects[1].caught =
        Some(Caught { scenario: "lost-ack".to_owned(), by: vec!["gap/skipped".to_owned()], named: true });
    assert_eq!(Calibration::read(&made.to_text()).unwrap(), made);
    let total = made.summary().total();
    assert_eq!((total.planted, total.caught, total.named), (3, 1, 1));
    assert_eq!(made.summary().survivors.len(), 2);
}
