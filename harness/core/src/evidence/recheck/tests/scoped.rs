//! Scopes that somebody edited, with a judgement, pages and digests that follow from them.

use super::*;
use crate::gate::fit::Means;
use crate::gate::fit::ServerKind::{BuiltIn, Outside};

/// What is told of a bundle whose scope is another one, with a judgement that follows from it.
fn scoped(made: &[Made<'_>], state: State, lie: impl Fn(&mut Evidence)) -> Vec<String> {
    let mut files = bundle(made, state);
    forge(&mut files, |evidence| lie(evidence));
    let judged = rechecked(&files).computed;
    forge(&mut files, |evidence| evidence.judged = judged);
    let problems = rechecked(&files).problems;
    problems.into_iter().map(|problem| format!("{}: {}", problem.file, problem.what)).collect()
}

#[test]
fn a_run_that_had_more_to_drive_did_not_come_to_its_end() {
    let by = "SIGINT".to_owned();
    let unfinished = |evidence: &mut Evidence| {
        let asked = evidence.scope.scenarios["equal"].clone();
        evidence.scope.scenarios.insert("never".to_owned(), asked);
    };
    assert_eq!(scoped(&ALLOWED, State::Interrupted { by: by.clone() }, unfinished), Vec::<String>::new());
    let told = scoped(&ALLOWED, State::Interrupted { by }, |evidence| {
        unfinished(evidence);
        evidence.state = State::Complete;
    });
    let what = "`state` says that the run came to its end, but never had to run and there is no file of it";
    assert_eq!(told, [format!("evidence.json: {what}")]);
}

#[test]
fn a_scenario_that_was_driven_can_not_be_called_left_out_or_unasked() {
    let told = scoped(&TWO, State::Complete, |evidence| {
        evidence.scope.left_out.insert("losing".to_owned(), "its server is not ours".to_owned());
    });
    assert_eq!(told, ["evidence.json: `scope.left_out.losing` names a scenario whose files are there"]);
    for lie in [
        |evidence: &mut Evidence| drop(evidence.scope.scenarios.remove("losing")),
        |evidence: &mut Evidence| evidence.scope.scenarios.get_mut("losing").unwrap().known_bad = true,
        |evidence: &mut Evidence| evidence.scope.scenarios.get_mut("losing").unwrap().digest.push('0'),
    ] {
        let told = scoped(&TWO, State::Complete, lie);
        assert_eq!(told, ["evidence.json: `scope.scenarios.losing` does not follow from the scenario's files"]);
    }
}

#[test]
fn a_built_in_scenario_is_left_out_for_a_reason_that_follows_from_the_lanes() {
    // Its streams are its own, so that nothing but the kill is in the way.
    let means = Means::of_ours;
    let asked = |name: &str| {
        let path = format!("scenarios/{name}.toml");
        let (_, text) = crate::scenario::stock().iter().find(|(stock, _)| *stock == path).unwrap();
        Asked { digest: crate::hash::sha256(text.as_bytes()), known_bad: false }
    };
    let why = "it kills or pauses the legacy server, which this tool did not start";
    let left_out = |name: &'static str, why: &'static str, server| {
        move |evidence: &mut Evidence| {
            evidence.scope.scenarios.insert(name.to_owned(), asked(name));
            evidence.scope.left_out.insert(name.to_owned(), why.to_owned());
            evidence.scope.lanes = LaneId::BOTH.map(|lane| (lane, means(server))).into();
        }
    };
    assert_eq!(scoped(&ALLOWED, State::Complete, left_out("legacy-killed", why, Outside)), Vec::<String>::new());
    for (name, why, server) in [
        ("legacy-killed", why, BuiltIn),
        ("legacy-killed", "there was no time", Outside),
        ("equal-streams", why, Outside),
    ] {
        let told = scoped(&ALLOWED, State::Complete, left_out(name, why, server));
        let what =
            format!("evidence.json: `scope.left_out.{name}` does not follow from the scenario and `scope.lanes`");
        assert_eq!(told, [what]);
    }
    let told = scoped(&ALLOWED, State::Complete, |evidence| {
        evidence.scope.left_out.insert("equal-streams".to_owned(), why.to_owned());
    });
    assert_eq!(told, ["evidence.json: `scope.left_out.equal-streams` names a scenario that did not have to run"]);
}

#[test]
fn a_choice_among_the_built_in_scenarios_gives_what_had_to_run() {
    let told = scoped(&ALLOWED, State::Complete, |evidence| {
        evidence.scope.instead = None;
        evidence.scope.chosen = vec!["legacy-k*".to_owned()];
    });
    for name in ["equal", "planted", "legacy-killed"] {
        let what = "does not follow from the built-in scenarios and the choice among them";
        assert!(told.contains(&format!("evidence.json: `scope.scenarios.{name}` {what}")), "{told:#?}");
    }
}

#[test]
fn what_a_lane_was_follows_from_one_place_to_the_other() {
    let server = crate::evidence::LaneServer {
        what: "http://127.0.0.1:4000".to_owned(),
        version: None,
        spoken: Default::default(),
    };
    let told = scoped(&ALLOWED, State::Complete, |evidence| {
        let means = Means::of_ours(BuiltIn);
        evidence.scope.lanes.insert(LaneId::Legacy, means);
        evidence.lanes.insert(LaneId::Legacy, server.clone());
    });
    assert_eq!(told, ["evidence.json: `scope.lanes.legacy` does not follow from `lanes.legacy`"]);
}

#[test]
fn a_drawn_scenario_is_left_out_for_a_reason_that_follows_from_the_seed_and_the_lanes() {
    // So many that some cannot be run by these lanes.
    const DRAWN: u32 = 60;
    let missing = crate::plan::REDUCERS.iter().map(|name| (*name).to_owned()).collect();
    let lanes =
        [(LaneId::Legacy, Means::of_ours(Outside)), (LaneId::Candidate, Means { missing, ..Means::of_ours(Outside) })];
    let lanes: BTreeMap<_, _> = lanes.into();
    let told = |lie: &str| {
        scoped(&ALLOWED, State::Complete, |evidence| {
            let scope = &mut evidence.scope;
            (scope.drawn, scope.lanes, scope.suite) = (DRAWN, lanes.clone(), crate::gate::suite_digest());
            for drawn in crate::draw::draws(evidence.seed, DRAWN, &lanes, None) {
                let plan = crate::scenario::compile(&drawn.scenario, evidence.seed);
                let Some(why) = crate::gate::fit::unfit(&plan, &lanes, None) else { continue };
                let asked = Asked { digest: drawn.scenario.digest, known_bad: false };
                scope.scenarios.insert(drawn.name.clone(), asked);
                scope.left_out.insert(drawn.name, format!("{why}{lie}"));
            }
            assert!(!scope.left_out.is_empty());
        })
    };
    assert_eq!(told(""), Vec::<String>::new());
    let told = told(" today");
    let what = "does not follow from the scenario and `scope.lanes`";
    assert!(!told.is_empty() && told.iter().all(|told| told.ends_with(what)), "{told:#?}");
}
