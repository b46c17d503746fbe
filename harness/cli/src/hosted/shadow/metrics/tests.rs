use super::*;
use cutover_core::hash::payload_hash;
use cutover_core::ids::{Seq, StreamId};
use cutover_core::shadow::Shadow;

#[test]
fn the_page_has_each_family_once_and_escapes_labels() {
    let stream = StreamId::new("run:\"a\\b\":events");
    let mut shadow = Shadow::new([stream.clone()]);
    if let Ok(hash) = payload_hash(b"1") {
        shadow.applied(LaneId::Legacy, &stream, Seq(1), hash, 0);
        shadow.applied(LaneId::Candidate, &stream, Seq(1), hash, 0);
    }
    let candidate = LaneFollowed { connected: true, connections: 2, down_ms: 5, ..LaneFollowed::default() };
    let followed = Followed {
        ran_ms: 1,
        lanes: [(LaneId::Candidate, candidate)].into(),
        seen: shadow.seen(),
        ..Followed::default()
    };
    insta::assert_snapshot!(text(&followed));
}
