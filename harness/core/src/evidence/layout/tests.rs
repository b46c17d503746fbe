use super::*;

#[test]
fn a_name_can_not_leave_its_folder() {
    assert_eq!(plan("known-bad/drop-delivery"), "plans/known-bad.drop-delivery.json");
    assert_eq!(history("../../x", LaneId::Legacy), "histories/__.__.x.legacy.jsonl");
}

#[test]
fn a_file_belongs_to_a_scenario_by_its_path() {
    for path in ["plans/a.json", "scenarios/known-bad/a.toml", "histories/a.legacy.jsonl", "times/a.candidate.jsonl"] {
        assert_eq!(scenario_of(path), Some("a"), "{path}");
    }
    for path in ["a.json", "plans/a.toml", "plans/.json", "histories/a.jsonl", "plans/../a.json", "plans/a b.json"] {
        assert_eq!(scenario_of(path), None, "{path}");
    }
}
