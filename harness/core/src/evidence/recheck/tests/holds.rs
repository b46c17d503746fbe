//! Bundles that hold.

use super::*;

#[test]
fn an_honest_bundle_holds_and_passes() {
    let rechecked = rechecked(&bundle(&ALLOWED, State::Complete));
    assert_eq!(rechecked.problems, []);
    let decision = rechecked.computed.decision.decision;
    assert_eq!((rechecked.exit_code(), decision), (0, Decision::PassedInPart));
}

#[test]
fn a_blocked_bundle_holds_and_still_blocks() {
    let rechecked = rechecked(&bundle(&TWO, State::Complete));
    assert_eq!(rechecked.problems, []);
    assert_eq!(rechecked.exit_code(), 1);
    let losing = rechecked.computed.scenarios.iter().find(|scenario| scenario.name == "losing");
    let found: Vec<_> = losing.unwrap().principal().map(|found| found.finding.checker).collect();
    assert_eq!(found, ["lost-write"]);
}

#[test]
fn an_interrupted_bundle_holds_and_is_unknown() {
    let by = "SIGINT".to_owned();
    let rechecked = rechecked(&bundle(&ALLOWED, State::Interrupted { by }));
    assert_eq!(rechecked.problems, []);
    assert_eq!(rechecked.exit_code(), 2);
}

#[test]
fn a_bundle_that_nothing_was_written_to_but_its_document_holds_and_is_unknown() {
    let mut unfinished = evidence(State::InProgress);
    unfinished.seal();
    let files = Files::from([(layout::EVIDENCE.to_owned(), unfinished.to_bytes())]);
    let rechecked = rechecked(&files);
    assert_eq!(rechecked.problems, []);
    assert_eq!(rechecked.exit_code(), 2);
}

/// What a gate that was killed leaves: whole scenarios, files of others, and a document that lists none of them.
#[test]
fn what_was_written_before_a_run_was_killed_is_judged() {
    for (made, exit_code) in [(&ALLOWED[..], 2), (&TWO[..], 1)] {
        let mut files = bundle(made, State::Complete);
        let mut unfinished = evidence(State::InProgress);
        unfinished.seal();
        files.insert(layout::EVIDENCE.to_owned(), unfinished.to_bytes());
        files.remove(&layout::vector("planted", LaneId::Legacy));
        files.insert(format!("{}.unfinished", layout::vector("planted", LaneId::Legacy)), b"{".to_vec());
        let rechecked = rechecked(&files);
        assert_eq!(rechecked.problems, []);
        assert_eq!((rechecked.exit_code(), rechecked.computed.scenarios.len()), (exit_code, made.len() - 1));
    }
}

#[test]
fn a_lane_that_ran_against_itself_left_two_histories_in_its_own_words() {
    let whole = bundle(&[("equal", HONEST, None)], State::Complete);
    let path = layout::history("equal", LaneId::Legacy);
    let text = String::from_utf8(whole[&path].clone()).unwrap();
    let mut of_itself = whole.clone();
    let words = text
        .replace("\"update-batch\"", "\"transaction\"")
        .replace("\"frame\",\"verdict\"", "\"transaction\",\"verdict\"");
    of_itself.insert(path.clone(), words.into_bytes());
    let told = |mut files: Files, aa| {
        forge(&mut files, |evidence| evidence.scope.aa = aa);
        let judged = rechecked(&files).computed;
        forge(&mut files, |evidence| evidence.judged = judged);
        rechecked(&files).problems
    };
    assert_eq!(told(of_itself.clone(), Some(LaneId::Candidate)), []);
    for (files, aa, of) in [
        (&of_itself, None, LaneId::Legacy),
        (&whole, Some(LaneId::Candidate), LaneId::Legacy),
        (&whole, Some(LaneId::Legacy), LaneId::Candidate),
    ] {
        let told = told(files.clone(), aa);
        assert_eq!(told[0].file, layout::history("equal", of));
        assert_eq!(told[0].what, "has messages of another protocol than `scope` says");
    }
}

#[test]
fn a_document_that_was_cut_short_is_a_problem_and_a_missing_one_is_no_bundle() {
    let mut files = bundle(&ALLOWED, State::Complete);
    let document = files.get_mut(layout::EVIDENCE).unwrap();
    document.truncate(document.len() / 2);
    let problems = problems(&files);
    assert!(problems.len() == 1 && problems[0].contains("the file was cut short"), "{problems:#?}");
    files.remove(layout::EVIDENCE);
    assert_eq!(recheck(&files, &compile), Err(NoBundle::NoDocument));
}

#[test]
fn a_document_of_another_schema_is_not_guessed_at() {
    let mut files = bundle(&ALLOWED, State::Complete);
    edit(&mut files, layout::EVIDENCE, EVIDENCE_SCHEMA, "cutover.evidence/0");
    let found = "cutover.evidence/0".to_owned();
    assert_eq!(recheck(&files, &compile), Err(NoBundle::Schema { found }));
}
