//! What each format says of each decision.

use super::*;

/// What each format says first of a decision.
fn heads(evidence: &Evidence) -> String {
    let text = at_terminal(80, evidence);
    let (_, text) = text.rsplit_once("\n\n").unwrap();
    let markdown = rendered("markdown", evidence);
    let (markdown, _) = markdown.split_once("\n| |").unwrap();
    let page = rendered("index.html", evidence);
    let (_, page) = page.split_once("<div class=\"verdict").unwrap();
    let (page, _) = page.split_once("</div>").unwrap();
    let junit = rendered("junit", evidence);
    let (_, junit) = junit.split_once("<testsuite name=\"cutover.gate\"").unwrap();
    let json: serde_json::Value = serde_json::from_str(&rendered("json", evidence)).unwrap();
    let json = serde_json::to_string_pretty(&json["judged"]["decision"]).unwrap();
    without_counts(&format!("{text}\n-- markdown\n{markdown}\n-- page\n{page}\n-- junit\n{junit}\n-- json\n{json}\n"))
}

#[test]
fn each_decision_has_words_of_its_own_in_every_format() {
    insta::assert_snapshot!("decision_allow", heads(&allowed()));
    insta::assert_snapshot!("decision_passed_in_part", heads(&passed_in_part()));
    let aa = of_scope(allowed(), |scope| scope.aa = Some(LaneId::Legacy));
    insta::assert_snapshot!("decision_no_difference", heads(&aa));
    let plain = of_scope(allowed(), |scope| scope.no_faults = true);
    insta::assert_snapshot!("decision_valid_without_faults", heads(&plain));
    for weaker in [passed_in_part(), aa, plain] {
        assert!(!heads(&weaker).contains("ALLOW"));
        assert_eq!(weaker.judged.decision.exit_code, 0);
        assert!(!weaker.judged.decision.allow);
    }
}

#[test]
fn a_run_that_was_interrupted_is_never_an_allowed_one() {
    let mut evidence = allowed();
    evidence.state = State::Interrupted { by: "SIGTERM".to_owned() };
    for text in [
        at_terminal(80, &evidence),
        rendered("markdown", &evidence),
        rendered("index.html", &evidence),
        rendered("junit", &evidence),
    ] {
        // A line may end within the sentence.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("interrupted by SIGTERM") && !text.contains("ALLOW"), "{text}");
    }
}

#[test]
fn a_run_without_faults_never_allows_and_blocks_as_any_other() {
    let good = allowed().judged.scenarios;
    let scope = Scope { no_faults: true, ..scope(&good) };
    let good = decide(good, &scope, &State::Complete).decision;
    assert_eq!((good.allow, good.decision.as_str(), good.exit_code), (false, "valid-without-faults", 0));
    assert_eq!(good.reasons.len(), 1, "{:?}", good.reasons);
    let bad = decide(blocked().judged.scenarios, &scope, &State::Complete).decision;
    assert_eq!((bad.decision.as_str(), bad.exit_code), ("block-invalid", 1));
    let cut = decide(allowed().judged.scenarios, &scope, &State::InProgress).decision;
    assert_eq!(cut.exit_code, 2);
}
