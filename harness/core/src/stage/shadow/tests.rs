#![allow(clippy::unwrap_used)]

use super::*;
use crate::hash::payload_hash;
use crate::ids::{Cursor, Seq};
use crate::shadow::{Modules, Shadow};
use crate::stage::{Decision, Outcome};

fn stream() -> StreamId {
    StreamId::new("run:a:events")
}

fn served() -> LaneFollowed {
    LaneFollowed { connections: 1, connected: true, ..LaneFollowed::default() }
}

/// A minute in which ten events were the same on both lanes, with this done to the comparison and the facts.
fn judged(compare: impl Fn(&mut Shadow), change: impl Fn(&mut ShadowFacts)) -> Vec<Check> {
    let mut shadow = Shadow::new([stream()]);
    for seq in 1..=10_u64 {
        let hash = payload_hash(seq.to_string().as_bytes()).unwrap();
        shadow.applied(LaneId::Legacy, &stream(), Seq(seq), hash, seq * 1_000);
        shadow.applied(LaneId::Candidate, &stream(), Seq(seq), hash, seq * 1_000 + 2_000);
    }
    compare(&mut shadow);
    let lanes = LaneId::BOTH.into_iter().map(|lane| (lane, served())).collect();
    let followed = Followed { ran_ms: 60_000, lanes, seen: shadow.seen(), modules: Modules::default() };
    let mut facts = ShadowFacts { asked_ms: 60_000, most_lag_ms: 5_000, token_expires_in_s: BTreeMap::new(), followed };
    change(&mut facts);
    let facts = serde_json::to_value(&facts).unwrap();
    checks(facts.as_object().unwrap())
}

fn lane(facts: &mut ShadowFacts, lane: LaneId) -> &mut LaneFollowed {
    facts.followed.lanes.get_mut(&lane).unwrap()
}

fn open(checks: &[Check]) -> Vec<String> {
    let open = checks.iter().filter(|check| !matches!(check.outcome, Outcome::Passed | Outcome::Skipped));
    open.map(|check| format!("{:?} {}: {}", check.outcome, check.name, check.saw)).collect()
}

#[test]
fn two_lanes_that_delivered_the_same_pass() {
    let checks = judged(|_| (), |_| ());
    assert_eq!((open(&checks), Decision::of(&checks)), (Vec::new(), Decision::Passed));
}

#[test]
fn a_module_that_changes_meanwhile_is_of_no_use() {
    let of = |begin: Option<&str>, end: Option<&str>| {
        let modules = Modules { begin: begin.map(str::to_owned), end: end.map(str::to_owned) };
        open(&judged(|_| (), |facts| facts.followed.modules = modules.clone()))
    };
    assert_eq!(of(Some("sha256:1"), Some("sha256:1")), Vec::<String>::new());
    assert_eq!(of(None, None), Vec::<String>::new());
    let changed = "Unknown module: the candidate ran sha256:1 at the begin, and runs sha256:2 at the end";
    assert_eq!(of(Some("sha256:1"), Some("sha256:2")), [changed]);
    assert!(of(Some("sha256:1"), None)[0].starts_with("Unknown module"));
}

#[test]
fn a_run_that_saw_nothing_is_unknown() {
    let checks = judged(|shadow| *shadow = Shadow::new([stream()]), |_| ());
    assert_eq!(Decision::of(&checks), Decision::Unknown);
    assert_eq!(checks_of(&Facts::new()), Decision::Unknown);
}

fn checks_of(facts: &Facts) -> Decision {
    Decision::of(&checks(facts))
}

#[test]
fn each_kind_of_divergence_fails() {
    let other = payload_hash(b"\"other\"").unwrap();
    let payload = judged(
        |shadow| {
            shadow.applied(LaneId::Legacy, &stream(), Seq(11), payload_hash(b"11").unwrap(), 20_000);
            shadow.applied(LaneId::Candidate, &stream(), Seq(11), other, 21_000);
        },
        |_| (),
    );
    assert!(open(&payload)[0].starts_with("Failed payloads: 1 of the divergences"), "{:?}", open(&payload));
    let lost = judged(|shadow| shadow.lost(LaneId::Candidate, &stream(), Seq(12)), |_| ());
    assert!(open(&lost)[0].contains("went past 1 events of run:a:events from seq 11"), "{:?}", open(&lost));
    let back = judged(|shadow| shadow.went_back(LaneId::Candidate, &stream(), Cursor(10), Seq(3)), |_| ());
    assert!(open(&back)[0].contains("now has its head at 3"), "{:?}", open(&back));
    let hash = judged(|shadow| shadow.declared_otherwise(LaneId::Legacy, &stream(), Seq(4)), |_| ());
    assert!(open(&hash)[0].contains("declares another hash of seq 4"), "{:?}", open(&hash));
    let skipped = judged(|shadow| shadow.skipped(LaneId::Candidate, &stream(), Seq(12)), |_| ());
    assert!(open(&skipped)[0].contains("seq 12 of run:a:events came where seq 11 was owed"), "{:?}", open(&skipped));
    for checks in [payload, lost, back, hash, skipped] {
        assert_eq!(Decision::of(&checks), Decision::Failed);
    }
}

#[test]
fn what_could_not_be_compared_is_unknown() {
    let past = |shadow: &mut Shadow| {
        for (lane, seq) in [(LaneId::Legacy, 11), (LaneId::Legacy, 12), (LaneId::Candidate, 12)] {
            shadow.applied(lane, &stream(), Seq(seq), payload_hash(b"12").unwrap(), 20_000);
        }
    };
    let checks = judged(past, |_| ());
    assert_eq!(open(&checks).len(), 1, "{:?}", open(&checks));
    assert!(open(&checks)[0].starts_with("Unknown covered: 1 events have no counterpart"), "{:?}", open(&checks));
    let short = judged(|_| (), |facts| facts.asked_ms = 90_000);
    assert_eq!(open(&short), ["Unknown time: followed for 60 s of 90 s"]);
}

#[test]
fn a_lane_that_is_behind_at_the_end_is_unknown_and_after_a_while_wrong() {
    let behind = |ms: u64| {
        let behind = move |facts: &mut ShadowFacts| {
            let candidate = lane(facts, LaneId::Candidate);
            (candidate.waiting, candidate.behind_ms) = (3, ms);
        };
        open(&judged(|_| (), behind)).join("; ")
    };
    assert!(
        behind(2_000).starts_with("Unknown level: at the end, the candidate lane lacks 3 events"),
        "{}",
        behind(2_000)
    );
    assert!(behind(6_000).starts_with("Failed level"), "{}", behind(6_000));
}

#[test]
fn a_candidate_that_is_late_fails_and_a_legacy_lane_that_is_late_does_not() {
    let late = judged(|_| (), |facts| facts.most_lag_ms = 1);
    assert!(open(&late)[0].contains("allowed is a p95 of 1 ms"), "{:?}", open(&late));
    let legacy = |shadow: &mut Shadow| {
        *shadow = Shadow::new([stream()]);
        let hash = payload_hash(b"1").unwrap();
        shadow.applied(LaneId::Candidate, &stream(), Seq(1), hash, 0);
        shadow.applied(LaneId::Legacy, &stream(), Seq(1), hash, 60_000_000);
    };
    assert_eq!(open(&judged(legacy, |_| ())), Vec::<String>::new());
}

#[test]
fn a_lane_that_was_not_followed_or_refused_or_said_odd_things_is_told() {
    let with = |change: fn(&mut LaneFollowed)| open(&judged(|_| (), |facts| change(lane(facts, LaneId::Candidate))));
    assert!(with(|lane| lane.connections = 0)[0].starts_with("Unknown candidate-connected: it was never followed"));
    assert!(with(|lane| lane.refused = 1)[0].starts_with("Failed candidate-connected: it refused"));
    assert!(with(|lane| lane.connected = false)[0].starts_with("Unknown candidate-connected: there was no connection"));
    assert!(with(|lane| lane.first_odd = Some("a head".to_owned()))[0].starts_with("Failed candidate-messages"));
    let reconnected = with(|lane| (lane.connections, lane.down_ms, lane.longest_down_ms) = (4, 900, 500));
    assert_eq!(reconnected, Vec::<String>::new());
}

#[test]
fn a_token_that_expired_meanwhile_leaves_it_unknown() {
    let with = |left: i64| {
        let token = move |facts: &mut ShadowFacts| {
            facts.token_expires_in_s.insert(LaneId::Legacy, left);
        };
        open(&judged(|_| (), token))
    };
    assert_eq!(with(61), Vec::<String>::new());
    assert!(with(40)[0].starts_with("Unknown legacy-token: it expired 20 s before the end"), "{:?}", with(40));
}
