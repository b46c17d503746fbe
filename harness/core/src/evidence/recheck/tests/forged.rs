//! Bundles that somebody forged with care: whatever digest can be made right again is right.

use super::super::super::judged::Decided;
use super::*;

const DOES_NOT_FOLLOW: &str = "does not follow from the histories";

/// Rewrites a scenario's name in a file.
fn renamed(content: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(content.to_vec()).unwrap();
    text.replace(&format!("\"scenario\":\"{from}\""), &format!("\"scenario\":\"{to}\"")).into_bytes()
}

/// Every variant of a forged judgement ends at what is computed: judged again and again, as recheck itself says.
fn forged_until_it_holds(mut files: Files, lie: impl Fn(&mut Evidence)) -> Rechecked {
    for _ in 0..3 {
        forge(&mut files, &lie);
        let rechecked = rechecked(&files);
        if rechecked.holds() {
            return rechecked;
        }
        forge(&mut files, |evidence| evidence.judged = rechecked.computed.clone());
    }
    rechecked(&files)
}

#[test]
fn a_failed_scenario_that_was_taken_out_of_the_judgement_is_named() {
    let mut files = bundle(&TWO, State::Complete);
    forge(&mut files, |evidence| {
        evidence.judged.scenarios.retain(|scenario| scenario.name != "losing");
        let scenarios = evidence.judged.scenarios.clone();
        evidence.judged = decide(scenarios, &evidence.scope, &State::Complete);
    });
    let told = problems(&files);
    assert!(told.contains(&format!("evidence.json: `judged.scenarios.losing` {DOES_NOT_FOLLOW}")), "{told:#?}");
    assert!(told.contains(&format!("evidence.json: `judged.decision.decision` {DOES_NOT_FOLLOW}")), "{told:#?}");
}

#[test]
fn a_judgement_without_a_scenario_whose_files_are_there_never_holds() {
    let files = bundle(&TWO, State::Complete);
    let rechecked = forged_until_it_holds(files, |evidence| {
        evidence.judged.scenarios.retain(|scenario| scenario.name != "losing");
    });
    assert_eq!(rechecked.exit_code(), 1);
}

#[test]
fn a_failed_scenario_whose_files_are_no_longer_listed_is_named() {
    let mut files = bundle(&TWO, State::Complete);
    forge(&mut files, |evidence| {
        evidence.files.retain(|path, _| layout::scenario_of(path) != Some("losing"));
        evidence.judged.scenarios.retain(|scenario| scenario.name != "losing");
    });
    let told = problems(&files);
    assert!(told[0].ends_with("is not listed in evidence.json: it was added later"), "{told:#?}");
}

#[test]
fn known_bad_scenarios_that_were_taken_out_of_the_judgement_are_named() {
    let mut files = bundle(&ALLOWED, State::Complete);
    forge(&mut files, |evidence| evidence.judged.scenarios.retain(|scenario| !scenario.known_bad()));
    let told = problems(&files);
    assert_eq!(told[0], format!("evidence.json: `judged.scenarios.planted` {DOES_NOT_FOLLOW}"));
}

#[test]
fn a_decision_that_was_turned_round_does_not_follow() {
    let mut files = bundle(&TWO, State::Complete);
    forge(&mut files, |evidence| {
        let decision = Decision::Allow;
        evidence.judged.decision =
            Decided { allow: true, decision, reasons: vec![], exit_code: 0, advisory: false, waived: vec![] };
    });
    let told = problems(&files);
    for path in ["judged.decision.allow", "judged.decision.decision", "judged.decision.exit_code"] {
        let expected = format!("evidence.json: `{path}` {DOES_NOT_FOLLOW}");
        assert!(told.contains(&expected), "{told:#?}");
    }
}

#[test]
fn entries_in_another_order_do_not_follow() {
    let mut files = bundle(&TWO, State::Complete);
    forge(&mut files, |evidence| evidence.judged.scenarios.swap(0, 1));
    assert_eq!(problems(&files), [format!("evidence.json: `judged.scenarios, its order,` {DOES_NOT_FOLLOW}")]);
    forge(&mut files, |evidence| {
        evidence.judged.scenarios.swap(0, 1);
        let twice = evidence.judged.scenarios[0].clone();
        evidence.judged.scenarios.push(twice);
    });
    assert!(!rechecked(&files).holds());
}

#[test]
fn pages_that_say_something_else_than_the_document_are_named() {
    for (path, from, to) in [
        ("summary.md", "BLOCK", "ALLOW"),
        ("index.html", "BLOCK", "ALLOW"),
        ("junit.xml", "<testsuites name=\"cutover\" tests=\"", "<testsuites name=\"cutover\" tests=\"1"),
    ] {
        let mut files = bundle(&TWO, State::Complete);
        edit(&mut files, path, from, to);
        let mut evidence = document(&files);
        evidence.files.insert(path.to_owned(), FileEntry::of(&files[path]));
        evidence.seal();
        files.insert(layout::EVIDENCE.to_owned(), evidence.to_bytes());
        let told = problems(&files);
        let follows = format!("{path}: does not follow from evidence.json and times.json, from line ");
        assert!(told.len() == 1 && told[0].starts_with(&follows), "{told:?}");
    }
}

#[test]
fn a_history_with_a_record_of_another_seq_does_not_give_its_vector() {
    let mut files = bundle(&ALLOWED, State::Complete);
    let path = layout::history("equal", LaneId::Candidate);
    edit(&mut files, &path, "\"seq\":4,\"hash\"", "\"seq\":14,\"hash\"");
    forge(&mut files, |_| {});
    let told = problems(&files);
    assert_eq!(told[0], format!("vectors/equal.candidate.jsonl: {DOES_NOT_FOLLOW}"), "{told:#?}");
}

#[test]
fn a_history_whose_records_do_not_fit_is_not_valid() {
    let path = layout::history("equal", LaneId::Legacy);
    let whole = bundle(&ALLOWED, State::Complete);
    let lines: Vec<&str> = std::str::from_utf8(&whole[&path]).unwrap().split_inclusive('\n').collect();
    let first = |what: &str| lines.iter().position(|line| line.contains(what)).unwrap();
    for (what, drop, told) in [
        ("\"at\":\"invoke\"", true, "ends and never began"),
        ("\"at\":\"complete\"", false, "ends a second time"),
        ("\"at\":\"subscribed\"", true, "which is not the stream's last one"),
        ("\"at\":\"opened\"", true, "was never opened"),
        ("\"phase\":\"heal\"", true, "does not follow the phase"),
    ] {
        let mut lines = lines.clone();
        let at = first(what);
        match drop {
            true => drop_line(&mut lines, at),
            false => lines.insert(at, lines[at]),
        }
        let mut files = whole.clone();
        files.insert(path.clone(), lines.concat().into_bytes());
        forge(&mut files, |_| {});
        let found = problems(&files);
        assert!(found[0].starts_with(&format!("{path}: is not valid: line ")), "{found:#?}");
        assert!(found[0].contains(told), "{found:#?}");
        assert_eq!(found.len(), 1, "{found:#?}");
    }
}

fn drop_line(lines: &mut Vec<&str>, at: usize) {
    lines.remove(at);
}

#[test]
fn two_histories_that_were_swapped_are_named() {
    let swap = |files: &mut Files, a: &str, b: &str| {
        let (first, second) = (files[a].clone(), files[b].clone());
        files.insert(a.to_owned(), second);
        files.insert(b.to_owned(), first);
    };
    let of = layout::history;
    let mut lanes = bundle(&ALLOWED, State::Complete);
    swap(&mut lanes, &of("equal", LaneId::Legacy), &of("equal", LaneId::Candidate));
    forge(&mut lanes, |_| {});
    let told = problems(&lanes);
    assert_eq!(
        told,
        ["histories/equal.legacy.jsonl: is of another lane", "histories/equal.candidate.jsonl: is of another lane"]
    );
    let mut scenarios = bundle(&TWO, State::Complete);
    swap(&mut scenarios, &of("equal", LaneId::Candidate), &of("losing", LaneId::Candidate));
    forge(&mut scenarios, |_| {});
    let told = problems(&scenarios);
    assert_eq!(
        told,
        [
            "histories/equal.candidate.jsonl: is of another scenario",
            "histories/losing.candidate.jsonl: is of another scenario"
        ]
    );
}

#[test]
fn a_passing_scenario_under_another_name_is_named() {
    let mut files = bundle(&ALLOWED, State::Complete);
    let copies: Vec<_> = files.keys().filter(|path| layout::scenario_of(path) == Some("equal")).cloned().collect();
    for path in &copies {
        files.insert(path.replace("equal", "other"), files[path].clone());
    }
    forge(&mut files, |_| {});
    assert_eq!(problems(&files), ["plans/other.json: is of another scenario"]);
    for path in &copies {
        let copy = renamed(&files[path], "equal", "other");
        files.insert(path.replace("equal", "other"), copy);
    }
    forge(&mut files, |_| {});
    let told = problems(&files);
    assert!(told[0].starts_with("histories/other.legacy.jsonl: is of another plan"), "{told:#?}");
}

#[test]
fn a_known_bad_scenario_among_the_honest_ones_is_named() {
    let mut files = bundle(&ALLOWED, State::Complete);
    let copy = files.remove("scenarios/known-bad/planted.toml").unwrap();
    files.insert("scenarios/planted.toml".to_owned(), copy);
    forge(&mut files, |_| {});
    assert_eq!(problems(&files), ["scenarios/planted.toml: stands where no such scenario belongs"]);
}

#[test]
fn a_plan_that_the_scenario_does_not_give_is_named() {
    let mut files = bundle(&ALLOWED, State::Complete);
    edit(&mut files, &layout::plan("equal"), "\"converge_within_ms\":", "\"converge_within_ms\":1");
    forge(&mut files, |_| {});
    assert_eq!(problems(&files), ["plans/equal.json: is not the plan that the scenario and the seed give"]);
}

#[test]
fn a_document_with_something_added_is_not_as_it_was_written() {
    let mut files = bundle(&ALLOWED, State::Complete);
    edit(&mut files, layout::EVIDENCE, "{\n", "{\n  \"note\": 1,\n");
    let told = problems(&files);
    assert!(told.len() == 1 && told[0].contains("from line 2 on"), "{told:#?}");
}

#[test]
fn what_no_file_tells_is_bound_by_the_document_s_own_digest() {
    for (from, to) in
        [("20260225T190000Z-1", "20260225T190000Z-2"), ("\"version\": \"0.1.0\"", "\"version\": \"0.2.0\"")]
    {
        let mut files = bundle(&ALLOWED, State::Complete);
        edit(&mut files, layout::EVIDENCE, from, to);
        assert_eq!(problems(&files), ["evidence.json: was edited: its digest of itself differs"]);
    }
}
