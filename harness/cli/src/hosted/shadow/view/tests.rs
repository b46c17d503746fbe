#![allow(clippy::unwrap_used)]

use super::*;
use cutover_core::hash::payload_hash;
use cutover_core::ids::Seq;
use cutover_core::ids::StreamId;
use cutover_core::shadow::{LaneFollowed, Shadow};

#[test]
fn a_state_is_a_line_of_the_whole_and_one_of_each_lane() {
    let legacy = LaneFollowed { connected: true, connections: 1, ..LaneFollowed::default() };
    let candidate = LaneFollowed { waiting: 12, behind_ms: 3_450, connections: 3, ..LaneFollowed::default() };
    let lanes = [(LaneId::Legacy, legacy), (LaneId::Candidate, candidate)].into();
    let followed = Followed {
        ran_ms: 3_725_000,
        lanes,
        seen: Shadow::new([StreamId::new("run:a:events")]).seen(),
        ..Followed::default()
    };
    insta::assert_snapshot!(lines(&followed, Duration::from_secs(28_800)).join("\n"), @r"
    1:02:05 of 8:00:00  0 events of 1 streams compared  0 divergences
      legacy     connected, level, 0 events applied, 1 connections
      candidate  not connected, 12 events behind, for 3.4 s, 0 events applied, 3 connections
    ");
}

#[test]
fn the_first_divergence_is_shown_with_its_stream_and_its_time() {
    let stream = StreamId::new("run:a:events");
    let mut shadow = Shadow::new([stream.clone()]);
    for (lane, payload) in [(LaneId::Legacy, "1"), (LaneId::Candidate, "2")] {
        shadow.applied(lane, &stream, Seq(7), payload_hash(payload.as_bytes()).unwrap(), 0);
    }
    shadow.stamp(|| "2026-03-01T10:00:00.000Z".to_owned());
    let shown = lines(&Followed { seen: shadow.seen(), ..Followed::default() }, Duration::from_secs(60));
    let last = shown.last().unwrap();
    assert!(last.starts_with("  the first divergence: seq 7 of run:a:events is sha256:"), "{last}");
    assert!(last.ends_with("seen at 2026-03-01T10:00:00.000Z"), "{last}");
}
