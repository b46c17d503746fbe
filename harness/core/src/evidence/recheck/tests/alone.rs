//! Bundles of runs in which baselines stood for the legacy lane.

use super::*;

/// A bundle of a run against baselines, which are the candidate's own vectors.
fn against_baselines(made: &[Made<'_>]) -> Files {
    let (mut files, mut judged) = (Files::new(), Vec::new());
    let mut evidence = evidence(State::Complete);
    evidence.scope.baseline = Some("golden/baselines".to_owned());
    let mut times =
        Times { schema: RUN_TIMES_SCHEMA.to_owned(), started: "2026-02-25T19:00:00Z".to_owned(), ..Times::default() };
    for made in made {
        let mut driven = driven(*made);
        driven.legacy = LaneRun::none(&driven.plan, LaneId::Legacy);
        let of_scenario = scenario_files(driven.plan.to_json().as_bytes(), &driven, &evidence.scope);
        let vector = of_scenario[&layout::vector(made.0, LaneId::Candidate)].clone();
        files.extend(of_scenario);
        let asked = Asked { digest: driven.plan.scenario_digest.clone(), known_bad: made.2.is_some() };
        evidence.scope.scenarios.insert(made.0.to_owned(), asked);
        let baseline = HashVector::read("", vector.as_slice()).unwrap();
        let baseline = evidence.scope.has_baseline(made.0).then_some(baseline);
        if baseline.is_some() {
            files.insert(layout::baseline(made.0), vector);
        }
        let input = CheckInput::new(&driven.plan, &driven.legacy.history, &driven.candidate.history);
        judged.push(judge_by(&input.alone(baseline.as_ref()), &evidence.scope.policy));
        times.scenarios_ms.insert(made.0.to_owned(), driven.elapsed_ms);
        let run = &driven.candidate;
        let time = (LaneId::Candidate, lane_time(&run.history, &run.times_us));
        times.lanes.insert(made.0.to_owned(), [time].into());
        let fires: Vec<_> = fires(LaneId::Candidate, &run.history, &run.times_us, |_| String::new()).collect();
        if !fires.is_empty() {
            times.fires.insert(made.0.to_owned(), fires);
        }
    }
    evidence.judged = decide(judged, &evidence.scope, &evidence.state);
    let digested = files.iter().filter(|(path, _)| is_digested(path));
    evidence.files = digested.map(|(path, content)| (path.clone(), FileEntry::of(content))).collect();
    files.extend(closing_files(&mut evidence, &times));
    files
}

#[test]
fn a_run_against_baselines_holds_without_a_file_of_the_legacy_lane() {
    let files = against_baselines(&ALLOWED);
    assert!(files.keys().all(|path| !path.contains(".legacy.")), "{:?}", files.keys());
    let rechecked = rechecked(&files);
    assert_eq!(rechecked.problems, []);
    assert_eq!(rechecked.computed.decision.decision, Decision::PassedInPart);
    let seen = &rechecked.computed.scenarios[0].seen;
    assert_eq!(seen.keys().collect::<Vec<_>>(), [&LaneId::Candidate]);
    let page = String::from_utf8(files["summary.md"].clone()).unwrap();
    assert!(page.contains("PASSED IN PART AGAINST BASELINES"), "{page}");
}

#[test]
fn a_baseline_that_was_removed_or_edited_is_named() {
    let mut files = against_baselines(&ALLOWED);
    files.remove("baselines/equal.jsonl");
    assert_eq!(problems(&files), ["baselines/equal.jsonl: is missing"]);
    // Without its entry in the list of files, too.
    let mut evidence = document(&files);
    evidence.files.remove("baselines/equal.jsonl");
    evidence.seal();
    files.insert(layout::EVIDENCE.to_owned(), evidence.to_bytes());
    assert!(problems(&files).contains(&"baselines/equal.jsonl: is missing".to_owned()));
}

#[test]
fn a_baseline_of_a_run_that_is_of_both_lanes_was_added_later() {
    let mut files = bundle(&ALLOWED, State::Complete);
    files.insert("baselines/equal.jsonl".to_owned(), Vec::new());
    let found = problems(&files);
    assert!(found.iter().any(|found| found.starts_with("baselines/equal.jsonl: is not listed")), "{found:?}");
}
