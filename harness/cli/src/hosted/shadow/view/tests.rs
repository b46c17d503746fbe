use super::*;
use cutover_core::ids::StreamId;
use cutover_core::shadow::{LaneFollowed, Shadow};

#[test]
fn a_state_is_a_line_of_the_whole_and_one_of_each_lane() {
    let legacy = LaneFollowed { connected: true, connections: 1, ..LaneFollowed::default() };
    let candidate = LaneFollowed { waiting: 12, behind_ms: 3_450, connections: 3, ..LaneFollowed::default() };
    let lanes = [(LaneId::Legacy, legacy), (LaneId::Candidate, candidate)].into();
    let followed = Followed { ran_ms: 3_725_000, lanes, seen: Shadow::new([StreamId::new("run:a:events")]).seen() };
    insta::assert_snapshot!(lines(&followed, Duration::from_secs(28_800)).join("\n"), @r"
    1:02:05 of 8:00:00  0 events of 1 streams compared  0 divergences
      legacy     connected, level, 0 events applied, 1 connections
      candidate  not connected, 12 events behind, for 3.4 s, 0 events applied, 3 connections
    ");
}
