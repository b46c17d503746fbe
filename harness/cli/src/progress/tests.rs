use super::*;

#[test]
fn the_status_names_the_lane_that_is_behind() {
    let mut phases = BTreeMap::new();
    assert_eq!(brief(&phases), "(starting)");
    phases.insert(LaneId::Legacy, Phase::Done);
    assert_eq!(brief(&phases), "(legacy: done)");
    phases.insert(LaneId::Candidate, Phase::Exercise);
    assert_eq!(brief(&phases), "(candidate: exercise)");
}
