use crate::scenario::Scenario;

/// What is said of a script with these steps between publishes.
fn said(head: &str, steps: &str) -> String {
    let text = format!(
        "schema = 1\nname = \"x\"\ntitle = \"Updates\"\n{head}\n\
         streams = [{{ topic = \"run:a:events\" }}]\nclients = [{{ name = \"desk\" }}]\nsteps = [\n\
         {{ do = \"connect\" }},\n{{ do = \"publish\", streams = \"all\", count = 6 }},\n{steps}\n\
         {{ do = \"await\" }}]\nat_least = {{ deliveries = 1 }}\n"
    );
    Scenario::parse("known-bad/x.toml".trim_start_matches(if head == PROVES { "known-bad/" } else { "" }), &text)
        .map_or_else(|errors| errors.to_string(), |_| String::new())
}

const PROVES: &str = "proves = [\"replay-determinism\"]";
const ADDITIVE: &str = "{ do = \"update-module\", update = \"additive\" },\n";
const BREAKING: &str = "{ do = \"update-module\", update = \"breaking\" },\n";

#[test]
fn an_update_adds_what_is_not_there_and_takes_away_what_is() {
    for steps in [ADDITIVE.to_owned(), BREAKING.to_owned(), [ADDITIVE, BREAKING, ADDITIVE].concat()] {
        assert_eq!(said(PROVES, &steps), "");
    }
    assert!(said(PROVES, &ADDITIVE.repeat(2)).contains("has all that an update adds already"));
    assert!(said(PROVES, &BREAKING.repeat(2)).contains("took away all that there was"));
    assert!(said(PROVES, "{ do = \"update-module\", update = \"adding\" },").contains("did you mean `additive`"));
}

#[test]
fn a_module_that_is_down_is_not_updated_nor_one_with_defects_mended() {
    let down = "{ do = \"server\", lane = \"candidate\", action = \"kill\" },\n";
    assert!(said(PROVES, &format!("{down}{ADDITIVE}")).contains("while the candidate server is down"));
    let defects = "candidate_defects = [\"event-lost-after-restart\"]\n\
                   expect = { decision = \"block\", findings = [\"lost-write\"], lane = \"candidate\" }";
    assert_eq!(said(defects, ADDITIVE), "");
    assert!(said(defects, &format!("{ADDITIVE}{BREAKING}")).contains("is not updated to one without"));
}
