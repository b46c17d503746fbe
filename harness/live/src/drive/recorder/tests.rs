#![allow(clippy::unwrap_used)]
use cutover_core::text::Secret;

use super::*;

#[test]
fn a_secret_that_a_lane_echoes_is_not_recorded() {
    Secret::new("tok3n-of-the-recorder");
    let recorder = Recorder::start("s".to_owned(), LaneId::Legacy, Arc::new(crate::drive::tests::NoEvents));
    let gave_up = |why: &str| Record::GaveUp { client: "desk".into(), why: why.to_owned(), kept_away_by: None };
    recorder.record(gave_up("HTTP 500: \"Bearer tok3n-of-the-recorder\" at ws://h/?jwt=abc"));
    recorder.record(gave_up("gone"));
    let kept = recorder.snapshot().records;
    assert_eq!(kept, [gave_up("HTTP 500: \"Bearer ***\" at ws://h/?jwt=***"), gave_up("gone")]);
}
