#![allow(clippy::unwrap_used)]

use super::super::TableSurface;
use super::super::server::ClaimsSeen;
use super::*;
use crate::stage::Outcome;

const ME: &str = "c200";

fn surface() -> Surface {
    let table = TableSurface { columns: vec!["stream_id string".to_owned(), "seq u64".to_owned()], public: true };
    Surface { tables: BTreeMap::from([("sync_event".to_owned(), table)]), ..Surface::default() }
}

fn found(hash: &str) -> Found {
    let database = DatabaseSeen { identity: "d1".to_owned(), owner: ME.to_owned() };
    Found { database: Some(database), module_hash: Some(hash.to_owned()), surface: Some(surface()) }
}

/// A deploy of the module `new` over `old` that went well, on a server that plans.
fn good() -> DeployFacts {
    let claims = ClaimsSeen { identity: Some(ME.to_owned()), ..ClaimsSeen::default() };
    let seen = |text: &str| Some(Answer::Seen(Some(text.to_owned())));
    let table = TableData { before: Some(3), after: Some(3), kept: true, ..TableData::default() };
    DeployFacts {
        variables: "OA_SPACETIME_DEV".to_owned(),
        database: "sync".to_owned(),
        seen: ServerSeen { version: seen("2.8.3"), fingerprint: seen("sha256:1"), ..ServerSeen::default() },
        token: Some(TokenSeen {
            claims: Some(Answer::Seen(claims)),
            taken: Some(Answer::Seen(true)),
            ..TokenSeen::default()
        }),
        module: Some(Module { digest: ModuleSeen { sha256: "sha256:2".to_owned() }, hash: "new".to_owned(), bytes: 9 }),
        before: Some(Answer::Seen(found("old"))),
        wanted: Some(surface()),
        plan: Some(Answer::Seen(PlanSeen::Auto { lines: 1, break_clients: false, major_upgrade: false })),
        published: Some(Published { attempts: vec!["published".to_owned()], end: End::Published }),
        after: Some(Answer::Seen(found("new"))),
        data: BTreeMap::from([("sync_event".to_owned(), table)]),
        ..DeployFacts::default()
    }
}

/// What does not pass of a deploy with this change.
fn odd(change: impl FnOnce(&mut DeployFacts)) -> Vec<(String, Outcome)> {
    let mut facts = good();
    change(&mut facts);
    let facts = serde_json::to_value(&facts).unwrap();
    let odd = checks(facts.as_object().unwrap()).into_iter();
    let odd = odd.filter(|check| !matches!(check.outcome, Outcome::Passed | Outcome::Skipped));
    odd.map(|check| (check.name, check.outcome)).collect()
}

fn failed(name: &str) -> Vec<(String, Outcome)> {
    vec![(name.to_owned(), Outcome::Failed)]
}

fn unknown(name: &str) -> Vec<(String, Outcome)> {
    vec![(name.to_owned(), Outcome::Unknown)]
}

#[test]
fn a_deploy_that_went_well_passes() {
    assert_eq!(odd(|_| ()), Vec::new());
    assert!(good().may_publish());
}

#[test]
fn each_fact_that_is_wrong_fails_its_check() {
    let trouble = || Trouble::new("HTTP 503", true);
    assert_eq!(odd(|facts| facts.unreached = Some(Trouble::new("refused", true))), unknown("server"));
    assert_eq!(odd(|facts| facts.seen.expected_version = Some("2.7".to_owned())), failed("server"));
    assert_eq!(odd(|facts| facts.seen.pinned = Some("sha256:0".to_owned())), failed("fingerprint"));
    assert_eq!(odd(|facts| facts.asked.production = true), unknown("fingerprint"));
    assert_eq!(odd(|facts| facts.token = Some(TokenSeen::default())), failed("identity"));
    assert_eq!(odd(|facts| facts.before = Some(Answer::Trouble(trouble()))), unknown("database"));
    assert_eq!(odd(|facts| facts.plan = Some(Answer::Trouble(trouble()))), unknown("plan"));
    assert_eq!(odd(|facts| facts.plan = None), unknown("plan"));
    let manual = |facts: &mut DeployFacts| facts.plan = Some(Answer::Seen(PlanSeen::Manual("a column".to_owned())));
    assert_eq!(odd(manual), [failed("plan"), failed("clients")].concat());
    assert_eq!(odd(|facts| facts.plan = Some(Answer::Seen(PlanSeen::NoPlans))), unknown("plan"));
    assert_eq!(odd(|facts| facts.wanted = Some(Surface::default())), [failed("clients"), failed("schema")].concat());
    assert_eq!(odd(|facts| facts.after = Some(Answer::Seen(found("old")))), failed("module"));
    assert_eq!(odd(|facts| facts.after = Some(Answer::Trouble(trouble()))), unknown("database"));
    let other = |facts: &mut DeployFacts| {
        let mut other = found("new");
        other.database.as_mut().unwrap().identity = "d2".to_owned();
        facts.after = Some(Answer::Seen(other));
    };
    assert_eq!(odd(other), failed("data"));
    let lost = |facts: &mut DeployFacts| facts.data.get_mut("sync_event").unwrap().after = Some(2);
    assert_eq!(odd(lost), failed("data"));
    let stranger = |facts: &mut DeployFacts| {
        let Some(Answer::Seen(before)) = &mut facts.before else { return };
        before.database.as_mut().unwrap().owner = "x".to_owned();
    };
    assert_eq!(odd(stranger), failed("owner"));
}

#[test]
fn each_end_of_a_publish_has_its_check() {
    let ended = |end: End, after: &str| {
        odd(|facts| {
            facts.published = Some(Published { attempts: vec!["x".to_owned()], end });
            facts.after = Some(Answer::Seen(found(after)));
        })
    };
    assert_eq!(ended(End::ReadBack("504".to_owned()), "new"), Vec::new());
    assert_eq!(ended(End::Refused("400".to_owned()), "old"), failed("publish"));
    assert_eq!(ended(End::Other("x".to_owned()), "x"), [failed("publish"), failed("unchanged")].concat());
    assert_eq!(ended(End::GaveUp("503".to_owned()), "old"), unknown("publish"));
    let unread = End::Unread { why: "504".to_owned(), reading: "503".to_owned() };
    assert_eq!(ended(unread, "old"), unknown("publish"));
    assert_eq!(odd(|facts| facts.published = None), Vec::new());
}

#[test]
fn what_drifted_is_not_promoted() {
    let left = |hash: &str| Left {
        environment: "dev".to_owned(),
        started: "2026-02-25T19:00:00Z".to_owned(),
        module_hash: Some(hash.to_owned()),
        surface: Some(surface()),
    };
    let promoted = |hash: &str, now: Option<Answer<Found>>| {
        let promoted = Some(Promoted { left: left(hash), now });
        odd(|facts| facts.promoted = promoted)
    };
    assert_eq!(promoted("new", Some(Answer::Seen(found("new")))), Vec::new());
    assert_eq!(promoted("new", None), Vec::new());
    assert_eq!(promoted("new", Some(Answer::Seen(found("hotfix")))), failed("source-drift"));
    assert_eq!(promoted("x", None), failed("promotion"));
    assert_eq!(odd(|facts| facts.last = Some(left("other"))), failed("drift"));
    assert_eq!(odd(|facts| facts.last = Some(left("old"))), Vec::new());
}

#[test]
fn only_a_database_that_is_gone_is_deleted() {
    let removed = |removed: Removed| {
        odd(|facts| {
            facts.asked.delete = true;
            facts.removed = Some(Answer::Seen(removed));
        })
    };
    assert_eq!(removed(Removed::Gone), Vec::new());
    assert_eq!(removed(Removed::NotThere), Vec::new());
    assert_eq!(removed(Removed::Owned("x".to_owned())), failed("delete"));
    assert_eq!(removed(Removed::Used("3 s".to_owned())), unknown("delete"));
    assert_eq!(removed(Removed::StillThere), failed("delete"));
}

#[test]
fn facts_of_something_else_are_no_deploy() {
    let facts = serde_json::json!({ "before": 3 });
    assert_eq!(Decision::of(&checks(facts.as_object().unwrap())), Decision::Unknown);
}
