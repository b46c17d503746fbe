use super::*;

#[test]
fn the_status_names_the_lane_that_is_behind() {
    let mut running = Running::default();
    assert_eq!(running.brief(), "(starting)");
    running.phase.insert(LaneId::Legacy, Phase::Done);
    assert_eq!(running.brief(), "(legacy: done)");
    running.phase.insert(LaneId::Candidate, Phase::Exercise);
    assert_eq!(running.brief(), "(candidate: exercise)");
}
