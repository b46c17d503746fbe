#![allow(clippy::unwrap_used)]

use super::super::server::{ClaimsSeen, Trouble};
use super::*;
use crate::stage::{Decision, Outcome, TableSurface};

const NOW: u64 = 1_772_000_000;

fn surface() -> Surface {
    let table = TableSurface { columns: vec!["seq u64".to_owned()], public: true };
    Surface { tables: [("sync_event".to_owned(), table)].into(), ..Surface::default() }
}

fn claims() -> ClaimsSeen {
    let (issuer, audience) = ("https://auth".to_owned(), vec!["sync".to_owned()]);
    ClaimsSeen { issuer, audience, expires_s: Some(NOW as i64 + 3600), identity: Some("c200".to_owned()) }
}

/// A lane of which everything is as it should be.
fn good() -> ProvisionFacts {
    let text = |text: &str| Some(text.to_owned());
    ProvisionFacts {
        variables: "OA_SPACETIME_PROD".to_owned(),
        set: vec!["OA_SPACETIME_PROD_DATABASE".to_owned()],
        database: "sync".to_owned(),
        origin: OriginSeen { host: "sync.example".to_owned(), tls: true, ..OriginSeen::default() },
        addresses: Some(Answer::Seen(vec!["192.0.2.1".to_owned()])),
        connected: Some(Answer::Seen(true)),
        secured: Some(Answer::Seen(true)),
        health: Some(Answer::Seen(HealthSeen {
            status: 200,
            date_s: Some(NOW),
            asked_s: NOW,
            ..HealthSeen::default()
        })),
        seen: ServerSeen {
            version: Some(Answer::Seen(text("2.8.3"))),
            expected_version: text("2.8"),
            fingerprint: Some(Answer::Seen(text("sha256:1"))),
            pinned: text("sha256:1"),
        },
        clock_skew_most_s: 30,
        token: Some(TokenSeen {
            claims: Some(Answer::Seen(claims())),
            taken: Some(Answer::Seen(true)),
            expected_issuer: text("https://auth"),
            expected_audience: text("sync"),
            least_life_s: 600,
            now_s: NOW,
        }),
        database_seen: Some(Answer::Seen(Some(DatabaseSeen { identity: "d1".to_owned(), owner: "c200".to_owned() }))),
        subprotocols: Some(Answer::Seen(vec!["v2.bsatn.spacetimedb".to_owned()])),
        surface: Some(Answer::Seen(Some(surface()))),
        wanted: surface(),
        ..ProvisionFacts::default()
    }
}

fn judged(change: impl FnOnce(&mut ProvisionFacts)) -> Vec<Check> {
    let mut facts = good();
    change(&mut facts);
    let facts = serde_json::to_value(&facts).unwrap();
    checks(facts.as_object().unwrap())
}

/// The first check that does not pass of a lane with this change, and how many are not made because of it.
fn odd(change: impl FnOnce(&mut ProvisionFacts)) -> (String, Outcome, usize) {
    let checks = judged(change);
    let odd = checks.iter().find(|check| check.outcome != Outcome::Passed).unwrap();
    let left = checks.iter().filter(|check| check.saw == format!("not checked, because of `{}`", odd.name)).count();
    (odd.name.clone(), odd.outcome, left)
}

#[test]
fn a_lane_that_is_provisioned_passes_every_check() {
    let checks = judged(|_| ());
    assert_eq!(checks.iter().map(|check| check.name.as_str()).collect::<Vec<_>>(), CHECKS);
    assert_eq!(Decision::of(&checks), Decision::Passed, "{checks:#?}");
}

#[test]
fn each_fact_that_is_wrong_has_its_check_and_what_needs_it_is_unknown() {
    let trouble = |passing| Trouble::new("why", passing);
    let is = |name: &str, outcome, left| (name.to_owned(), outcome, left);
    let misfit = Misfit { variable: "X".to_owned(), what: "is not set".to_owned(), mend: String::new() };
    assert_eq!(odd(|facts| facts.misfits = vec![misfit]), is("variables", Outcome::Failed, 14));
    assert_eq!(odd(|facts| facts.addresses = Some(Answer::Trouble(trouble(false)))), is("dns", Outcome::Failed, 13));
    assert_eq!(
        odd(|facts| facts.connected = Some(Answer::Trouble(trouble(true)))),
        is("connect", Outcome::Unknown, 12)
    );
    assert_eq!(odd(|facts| facts.secured = Some(Answer::Trouble(trouble(false)))), is("tls", Outcome::Failed, 11));
    assert_eq!(odd(|facts| facts.origin.tls = false), is("tls", Outcome::Failed, 0));
    let health = |change: fn(&mut HealthSeen)| {
        odd(|facts| {
            if let Some(Answer::Seen(health)) = &mut facts.health {
                change(health);
            }
        })
    };
    assert_eq!(health(|health| health.unwell = Some("HTTP 404".to_owned())), is("health", Outcome::Failed, 10));
    assert_eq!(health(|health| health.date_s = Some(NOW - 31)), is("clock", Outcome::Failed, 0));
    assert_eq!(health(|health| health.date_s = Some(NOW + 31)), is("clock", Outcome::Failed, 0));
    assert_eq!(health(|health| health.date_s = None), is("clock", Outcome::Unknown, 0));
    assert_eq!(odd(|facts| facts.seen.expected_version = Some("2.9".to_owned())), is("version", Outcome::Failed, 0));
    assert_eq!(odd(|facts| facts.seen.pinned = Some("sha256:0".to_owned())), is("fingerprint", Outcome::Failed, 0));
    let database = |seen| odd(|facts| facts.database_seen = Some(seen));
    assert_eq!(database(Answer::Seen(None)), is("database", Outcome::Failed, 2));
    assert_eq!(database(Answer::Trouble(trouble(true))), is("database", Outcome::Unknown, 2));
    assert_eq!(
        odd(|facts| facts.subprotocols = Some(Answer::Trouble(trouble(false)))),
        is("subprotocols", Outcome::Failed, 0)
    );
    assert_eq!(odd(|facts| facts.surface = Some(Answer::Seen(None))), is("schema", Outcome::Unknown, 0));
    let lacks = Surface::default();
    assert_eq!(odd(|facts| facts.surface = Some(Answer::Seen(Some(lacks)))), is("schema", Outcome::Failed, 0));
    let more = |facts: &mut ProvisionFacts| {
        facts.wanted_is_deployed = true;
        facts.wanted = Surface::default();
    };
    assert_eq!(odd(more), is("schema", Outcome::Failed, 0));
}

#[test]
fn a_token_is_judged_by_the_server_and_by_its_claims() {
    let token = |change: fn(&mut TokenSeen)| {
        let (name, outcome, _) = odd(|facts| change(facts.token.as_mut().unwrap()));
        (name, outcome)
    };
    let is = |name: &str, outcome| (name.to_owned(), outcome);
    assert_eq!(token(|token| token.claims = None), is("token", Outcome::Skipped));
    assert_eq!(token(|token| token.claims = Some(Answer::Trouble(Trouble::new("no JWT", false)))).1, Outcome::Failed);
    assert_eq!(
        token(|token| token.taken = Some(Answer::Trouble(Trouble::new("401", false)))),
        is("token", Outcome::Failed)
    );
    assert_eq!(token(|token| token.expected_issuer = Some("x".to_owned())), is("token-issuer", Outcome::Failed));
    assert_eq!(token(|token| token.expected_audience = Some("x".to_owned())), is("token-audience", Outcome::Failed));
    assert_eq!(token(|token| token.expected_audience = None), is("token-audience", Outcome::Skipped));
    assert_eq!(token(|token| token.least_life_s = 3601), is("token-life", Outcome::Failed));
    assert_eq!(token(|token| token.now_s = NOW + 4000), is("token-life", Outcome::Failed));
}

#[test]
fn what_was_never_asked_is_unknown() {
    assert_eq!(Decision::of(&checks(&Facts::new())), Decision::Unknown);
    let (name, outcome, left) = odd(|facts| facts.health = None);
    assert_eq!((name.as_str(), outcome, left), ("health", Outcome::Unknown, 10));
}
