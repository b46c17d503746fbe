//! The checkers of tokens and rights, on answers that a lane may give to the attempts of a scenario.

use std::collections::BTreeMap;

use super::CheckInput;
use super::check_all;
use crate::check::Report;
use crate::history::{Closed, Completion, HISTORY_SCHEMA, Header, History, Minting, Outcome, Phase, Record, Refusal};
use crate::ids::{ClientId, ConnId, LaneId, Seed, StreamId};
use crate::matrix::Part;
use crate::plan::{Needs, Plan, Refused, Step, deed_of, token_of};
use crate::scenario::Scenario;

const TOKENS: &str = include_str!("../../../../../scenarios/tokens.toml");
const GRANTS: &str = include_str!("../../../../../scenarios/grants.toml");

fn plan(name: &str, text: &str) -> Plan {
    let scenario = Scenario::parse(&format!("{name}.toml"), text).unwrap();
    crate::scenario::compile(&scenario, Seed(1))
}

fn refused(code: &str) -> Completion {
    Completion::Fail { refusal: Refusal { code: code.to_owned(), ..Refusal::default() } }
}

fn seen(streams: &[&str]) -> Completion {
    let streams = streams.iter().map(|stream| StreamId::new(*stream)).collect();
    Completion::Ok { outcome: Outcome::Seen { streams, ended: None } }
}

/// A kept connection on which nothing came, and which ended so.
fn ended(why: Closed) -> Completion {
    Completion::Ok { outcome: Outcome::Seen { streams: Vec::new(), ended: Some(why) } }
}

fn told_to_sign_in() -> Completion {
    ended(Closed::Channel { event: "sync:error reauth_required".to_owned() })
}

/// What a right lane answers.
fn right(lane: LaneId, step: &Step) -> Option<Completion> {
    let Step::Attempt { stream, identity, token, deed, allowed, .. } = step else { return None };
    if (lane, identity.as_str(), deed.as_str()) == (LaneId::Legacy, "revoked", "held") {
        return Some(told_to_sign_in());
    }
    let (token, deed) = (token_of(token).unwrap(), deed_of(deed).unwrap());
    let done = || match deed.needs {
        Needs::Read => seen(&[stream.as_str()]),
        _ => Completion::Ok { outcome: Outcome::Done },
    };
    Some(match (deed.on(lane), deed.needs) {
        (Refused::Unknown, _) => Completion::Ok { outcome: Outcome::NotOffered },
        _ if *allowed => done(),
        (_, Needs::Token) => refused(token.refused.unwrap_or("invalid_token")),
        (Refused::With(code), _) => refused(code),
        (Refused::InSilence, _) => seen(&[]),
    })
}

/// The history of a lane that answers an attempt otherwise where `other` says so, with what clients did before.
fn history(
    plan: &Plan,
    lane: LaneId,
    before: &[Record],
    other: impl Fn(&str, &str, &str, bool) -> Option<Completion>,
) -> History {
    let phase = |phase| Record::Phase { phase };
    let mut records = vec![phase(Phase::Setup), phase(Phase::Exercise)];
    records.extend_from_slice(before);
    for step in &plan.cases[0].steps {
        let Step::Attempt { op, identity, token, deed, stream, allowed, .. } = step else { continue };
        let about = if deed == "connect" { token } else { stream.as_str() };
        let completion = other(identity, deed, about, *allowed).or_else(|| right(lane, step)).unwrap();
        records.push(Record::Invoke { op: *op, attempt: 1 });
        records.push(Record::Complete { op: *op, attempt: 1, completion });
    }
    let phases = [Phase::Heal, Phase::Converge, Phase::ProofOfLife, Phase::Drain, Phase::Done];
    records.extend(phases.map(phase));
    let header = Header {
        schema: HISTORY_SCHEMA.to_owned(),
        scenario: plan.scenario.clone(),
        seed: plan.seed,
        lane,
        plan_digest: plan.digest(),
    };
    History { header, records }
}

/// The findings of both checkers, with how often each came.
fn found(reports: &[Report]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for finding in reports.iter().flat_map(|report| &report.findings) {
        if ["token", "unauthorized"].contains(&finding.checker) {
            *found.entry(format!("{}/{}", finding.checker, finding.reason)).or_default() += 1;
        }
    }
    found
}

fn judged(plan: &Plan, other: impl Fn(&str, &str, &str, bool) -> Option<Completion>) -> BTreeMap<String, usize> {
    let legacy = history(plan, LaneId::Legacy, &[], |_, _, _, _| None);
    let candidate = history(plan, LaneId::Candidate, &[], other);
    found(&check_all(&CheckInput::new(plan, &legacy, &candidate)))
}

fn only(reason: &str, times: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([(reason.to_owned(), times)])
}

#[test]
fn a_lane_that_answers_as_the_contract_says_has_no_finding() {
    assert_eq!(judged(&plan("tokens", TOKENS), |_, _, _, _| None), BTreeMap::new());
    assert_eq!(judged(&plan("grants", GRANTS), |_, _, _, _| None), BTreeMap::new());
}

#[test]
fn a_bad_token_that_is_accepted_is_found() {
    for token in ["expired", "expired-past-leeway", "early", "other-audience", "other-issuer", "no-jti", "revoked"] {
        let accepts = |_: &str, _: &str, about: &str, _: bool| {
            (about == token).then_some(Completion::Ok { outcome: Outcome::Done })
        };
        assert_eq!(judged(&plan("tokens", TOKENS), accepts), only("token/accepted", 1), "{token}");
    }
}

#[test]
fn a_legacy_lane_that_does_not_tell_a_revoked_client_to_sign_in_again_is_found() {
    let plan = plan("grants", GRANTS);
    let candidate = history(&plan, LaneId::Candidate, &[], |_, _, _, _| None);
    let judged = |answer: Completion| {
        let other = |identity: &str, deed: &str, _: &str, _: bool| {
            (identity == "revoked" && deed == "held").then(|| answer.clone())
        };
        let legacy = history(&plan, LaneId::Legacy, &[], other);
        found(&check_all(&CheckInput::new(&plan, &legacy, &candidate)))
    };
    assert_eq!(judged(told_to_sign_in()), BTreeMap::new());
    for silent in [seen(&[]), ended(Closed::CloseFrame { code: 1011 })] {
        assert_eq!(judged(silent), only("token/untold", 1));
    }
}

#[test]
fn an_old_key_that_is_accepted_once_it_is_retired_is_found() {
    let accepts = |_: &str, _: &str, about: &str, allowed: bool| {
        (about == "first-key" && !allowed).then_some(Completion::Ok { outcome: Outcome::Done })
    };
    assert_eq!(judged(&plan("tokens", TOKENS), accepts), only("token/accepted", 1));
}

#[test]
fn a_good_token_that_is_refused_and_another_code_are_found() {
    let refuses =
        |_: &str, _: &str, about: &str, _: bool| (about == "expired-in-leeway").then(|| refused("token_expired"));
    assert_eq!(judged(&plan("tokens", TOKENS), refuses), only("token/refused", 1));
    let other = |_: &str, _: &str, about: &str, _: bool| (about == "early").then(|| refused("invalid_token"));
    assert_eq!(judged(&plan("tokens", TOKENS), other), only("token/refused-with-another-code", 1));
}

#[test]
fn a_refusal_that_names_no_code_is_a_refusal() {
    let bare =
        |_: &str, _: &str, about: &str, allowed: bool| (about == "early" && !allowed).then(|| refused("http_403"));
    assert_eq!(judged(&plan("tokens", TOKENS), bare), BTreeMap::new());
}

#[test]
fn a_token_without_an_answer_leaves_it_unknown() {
    let silent = |_: &str, _: &str, about: &str, _: bool| {
        (about == "early").then(|| Completion::Info { why: "no answer".to_owned() })
    };
    assert_eq!(judged(&plan("tokens", TOKENS), silent), only("token/unanswered", 1));
}

#[test]
fn a_stream_beyond_the_grants_is_found_in_each_way_to_read() {
    for deed in ["subscribe", "subscribe-all", "sql", "one-off"] {
        let leaks = |identity: &str, done: &str, _: &str, _: bool| {
            (identity == "stranger" && done == deed).then(|| seen(&["run:jobs:events"]))
        };
        let times = if deed == "subscribe" { 2 } else { 1 };
        assert_eq!(judged(&plan("grants", GRANTS), leaks).get("unauthorized/delivered"), Some(&times), "{deed}");
    }
    let resumes = |identity: &str, done: &str, _: &str, allowed: bool| {
        (identity == "bob" && done == "resume-call" && !allowed).then(|| seen(&[]))
    };
    assert_eq!(judged(&plan("grants", GRANTS), resumes), only("unauthorized/done", 1));
}

#[test]
fn what_is_written_beyond_a_right_is_found() {
    for deed in ["append", "policy"] {
        let writes = |identity: &str, done: &str, _: &str, allowed: bool| {
            (identity == "reader" && done == deed && !allowed).then_some(Completion::Ok { outcome: Outcome::Done })
        };
        assert_eq!(judged(&plan("grants", GRANTS), writes), only("unauthorized/done", 1), "{deed}");
    }
}

#[test]
fn what_comes_after_a_withdrawal_or_a_revocation_is_found() {
    for (identity, stream) in [("leaver", "run:jobs:events"), ("revoked", "run:jobs-2:events")] {
        let goes_on =
            |who: &str, done: &str, _: &str, _: bool| (who == identity && done == "held").then(|| seen(&[stream]));
        assert_eq!(judged(&plan("grants", GRANTS), goes_on), only("unauthorized/delivered", 1), "{identity}");
    }
}

#[test]
fn what_is_granted_and_does_not_come_is_found() {
    let withholds = |identity: &str, done: &str, _: &str, allowed: bool| {
        (identity == "alice" && done == "sql" && allowed).then(|| seen(&[]))
    };
    assert_eq!(judged(&plan("grants", GRANTS), withholds), only("unauthorized/withheld", 1));
    let refuses = |identity: &str, done: &str, _: &str, allowed: bool| {
        (identity == "alice" && done == "append" && allowed).then(|| refused("forbidden_topic"))
    };
    assert_eq!(judged(&plan("grants", GRANTS), refuses), only("unauthorized/refused", 1));
}

fn presented(token: &str, conn: u32, minted: Option<Minting>) -> Record {
    Record::Presented { client: ClientId::new("phone"), conn: ConnId(conn), token: token.to_owned(), minted }
}

fn of_client(records: &[Record]) -> BTreeMap<String, usize> {
    let text = TOKENS.replace("  { do = \"access\", change = \"retire-key\" },\n", "");
    let text = text.replace("what = [\"first-key\", \"good\"]", "what = [\"good\"]");
    let plan = plan("tokens", &text);
    let legacy = history(&plan, LaneId::Legacy, &[], |_, _, _, _| None);
    let candidate = history(&plan, LaneId::Candidate, records, |_, _, _, _| None);
    found(&check_all(&CheckInput::new(&plan, &legacy, &candidate)))
}

#[test]
fn a_client_that_connects_with_an_expired_token_is_found() {
    let opened = Record::Opened { client: ClientId::new("phone"), conn: ConnId(1), spoken: None, habit: None };
    assert_eq!(of_client(&[presented("expired", 1, None), opened.clone()]), only("token/accepted", 1));
    assert_eq!(of_client(&[presented("good", 1, None), opened]), BTreeMap::new());
}

#[test]
fn a_client_whose_good_token_is_refused_is_found_though_another_one_helps() {
    let refused = [presented("good", 1, None), presented("good", 2, Some(Minting::Refused))];
    assert_eq!(of_client(&refused), only("token/refused", 1));
    let expired = [presented("expired", 1, None), presented("good", 2, Some(Minting::Refused))];
    assert_eq!(of_client(&expired), BTreeMap::new());
}

#[test]
fn a_right_lane_shows_the_parts_of_both_rows() {
    let earned = |name, text| {
        let plan = plan(name, text);
        crate::check::earned(&plan, &history(&plan, LaneId::Candidate, &[], |_, _, _, _| None))
    };
    let tokens = earned("tokens", TOKENS);
    for part in [Part::TokenAccepted, Part::TokensRefused, Part::LeewayEdges, Part::KeyRotated] {
        assert!(tokens.contains(&part), "{}", part.says());
    }
    let grants = earned("grants", GRANTS);
    for part in [
        Part::ReadsWithinGrants,
        Part::WritesWithinRights,
        Part::TenantsApart,
        Part::WithdrawnConnected,
        Part::RevokedConnected,
    ] {
        assert!(grants.contains(&part), "{}", part.says());
    }
}

#[test]
fn a_way_to_read_that_the_lane_does_not_offer_leaves_the_part_open() {
    let plan = plan("grants", GRANTS);
    let lacks = |_: &str, deed: &str, _: &str, _: bool| {
        (deed == "one-off").then_some(Completion::Ok { outcome: Outcome::NotOffered })
    };
    let history = history(&plan, LaneId::Candidate, &[], lacks);
    assert!(!crate::check::earned(&plan, &history).contains(&Part::ReadsWithinGrants));
}
