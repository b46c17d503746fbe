//! Plans: the same scenario and seed give the same bytes, and every promise of the scenario is kept in them.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use super::payload::invalid::INVALID;
use super::payload::{NUMBERS, canonical, comes_again, edges, token_end};
use super::*;
use crate::hash::payload_hash;
use crate::plan::{FaultKind, INVALID_PAYLOAD, Position, PublishExpect};
use crate::scenario::stock;

fn scenario(name: &str) -> Scenario {
    let file = format!("/{name}.toml");
    let (path, text) = stock().iter().find(|(path, _)| path.ends_with(&file)).unwrap();
    Scenario::parse(path, text).unwrap()
}

fn parse(text: &str) -> Scenario {
    Scenario::parse("scenarios/x.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn all() -> impl Iterator<Item = Scenario> {
    stock().iter().map(|(path, text)| Scenario::parse(path, text).unwrap())
}

#[test]
fn the_same_scenario_and_seed_give_the_same_bytes() {
    for scenario in all() {
        let (one, other) = (compile(&scenario, Seed(42)), compile(&scenario, Seed(42)));
        assert_eq!(one.to_json(), other.to_json(), "{}", scenario.name);
        assert_eq!(one.digest(), other.digest());
    }
}

#[test]
fn another_seed_gives_other_bytes() {
    for scenario in all() {
        assert_ne!(compile(&scenario, Seed(1)).digest(), compile(&scenario, Seed(2)).digest(), "{}", scenario.name);
    }
}

#[test]
fn a_plan_reads_back_as_it_was_written() {
    for scenario in all() {
        let plan = compile(&scenario, Seed(9));
        let read = Plan::from_json(&plan.to_json()).unwrap();
        assert!(read == plan, "{}", scenario.name);
    }
}

#[test]
fn a_plan_of_another_schema_is_not_read() {
    let text = compile(&scenario("lost-ack"), Seed(1)).to_json().replace(PLAN_SCHEMA, "cutover.plan/9");
    let error = Plan::from_json(&text).unwrap_err().to_string();
    assert!(error.contains("cutover.plan/9"), "{error}");
    assert!(Plan::from_json("[]").is_err());
}

/// Walks a plan as a perfect lane would and holds every step to what the plan says of it.
fn check_promises(plan: &Plan) {
    let mut ops = Vec::new();
    let mut events: BTreeMap<(String, u64), String> = BTreeMap::new();
    let mut names = BTreeSet::new();
    let mut payloads = BTreeSet::new();
    for case in &plan.cases {
        let mut keys: BTreeMap<(String, String), u64> = BTreeMap::new();
        let mut heads: BTreeMap<String, u64> = BTreeMap::new();
        let mut connected = BTreeSet::new();
        for name in case.streams.iter().map(|s| s.id.as_str()).chain(case.clients.iter().map(|c| c.id.as_str())) {
            assert!(names.insert(name.to_owned()), "{name} comes twice in {}", plan.scenario);
        }
        for client in &case.clients {
            assert_eq!(client.backoff_ms.len(), 16);
            assert!(client.backoff_ms.iter().all(|ms| (1..=400).contains(ms)), "{:?}", client.backoff_ms);
        }
        for step in case.all_steps() {
            match step {
                Step::Policy { op, .. } | Step::Prune { op, .. } | Step::Checkpoint { op, .. } => ops.push(op.0),
                Step::Misuse { op, .. } | Step::Call { op, .. } | Step::Rows { op, .. } => ops.push(op.0),
                Step::Count { op, .. } | Step::Attempt { op, .. } => ops.push(op.0),
                Step::Access(_) | Step::TakeTurn { .. } | Step::EndTurn => {}
                Step::Backup { .. } | Step::BackedUp { .. } | Step::Restore(_) => {}
                Step::Inspect { .. } | Step::UpdateModule { .. } => {}
                Step::Publish { together: Some(_), op, expect, stream, .. } => {
                    ops.push(op.0);
                    if matches!(expect, PublishExpect::Accepted { .. }) {
                        *heads.entry(stream.to_string()).or_default() += 1;
                    }
                }
                Step::Publish { op, stream, key, payload, hash, expect, .. } => {
                    ops.push(op.0);
                    match payload_hash(payload.as_bytes()) {
                        Ok(found) => assert_eq!(found, *hash),
                        Err(_) => assert_eq!(*expect, PublishExpect::Refused { code: INVALID_PAYLOAD.to_owned() }),
                    }
                    match expect {
                        PublishExpect::Accepted { seq } => {
                            let head = heads.entry(stream.to_string()).or_default();
                            *head += 1;
                            assert_eq!(seq.0, *head);
                            let known = keys.insert((stream.to_string(), key.clone()), *head);
                            assert!(known.is_none(), "{key} comes twice in {stream}");
                            events.insert((stream.to_string(), *head), payload.clone());
                            let again = comes_again(payload);
                            let own = key.starts_with(stream.as_str()) && !key.contains(":refused:");
                            let marked = !own || payload.contains(key) || payload.contains("\\u");
                            assert!(again || marked, "{payload}");
                            assert!(again || payloads.insert(*hash), "{payload} comes twice");
                        }
                        PublishExpect::Repeated { seq } => {
                            assert_eq!(keys.get(&(stream.to_string(), key.clone())), Some(&seq.0));
                            let first = &events[&(stream.to_string(), seq.0)];
                            assert_eq!(payload_hash(first.as_bytes()).unwrap(), *hash);
                        }
                        PublishExpect::Refused { code } if code == INVALID_PAYLOAD => {
                            assert!(payload_hash(payload.as_bytes()).is_err(), "{payload}");
                            assert!(
                                !keys.contains_key(&(stream.to_string(), key.clone())),
                                "{key} is refused when new"
                            );
                        }
                        PublishExpect::Refused { code } if code != "idempotency_conflict" => {
                            assert!(["sequence_conflict", "payload_hash_mismatch"].contains(&code.as_str()));
                            assert!(!keys.contains_key(&(stream.to_string(), key.clone())), "{key} is written already");
                        }
                        PublishExpect::Refused { .. } => {
                            let seq = keys[&(stream.to_string(), key.clone())];
                            let first = events.get(&(stream.to_string(), seq)).unwrap();
                            assert_ne!(payload_hash(first.as_bytes()).unwrap(), *hash);
                        }
                    }
                }
                Step::Connect { client, .. } => assert!(connected.insert(client.clone())),
                Step::Disconnect { client } | Step::Crash { client } => assert!(connected.remove(client)),
                Step::SetCursor { client, .. } => assert!(!connected.contains(client)),
                Step::Resubscribe { client, .. } => assert!(connected.contains(client)),
                Step::AwaitCaughtUp { clients } => {
                    assert!(!clients.is_empty());
                    assert!(clients.iter().all(|client| connected.contains(client)));
                }
                Step::AwaitFired { fault } => {
                    let toxics = plan.toxics.iter().map(|toxic| &toxic.id);
                    let mut all = plan.faults.iter().map(|planned| &planned.id).chain(toxics);
                    assert!(all.any(|id| id == fault), "{fault}");
                }
                Step::Arm { toxics } | Step::Disarm { toxics } => {
                    for toxic in toxics {
                        assert!(plan.toxics.iter().any(|planned| planned.id == *toxic), "{toxic}");
                    }
                }
                Step::Server { .. }
                | Step::Beside { .. }
                | Step::Relay { .. }
                | Step::AwaitRelay
                | Step::AwaitOutbox => {}
            }
        }
    }
    // The proofs of life of all cases come behind all scripts.
    ops.sort_unstable();
    assert_eq!(ops, (1..=ops.len() as u32).collect::<Vec<_>>(), "operations are numbered through");
    check_faults(plan, &events);
}

fn check_faults(plan: &Plan, events: &BTreeMap<(String, u64), String>) {
    let mut ids = BTreeSet::new();
    let mut positions = BTreeSet::new();
    for fault in &plan.faults {
        assert!(ids.insert(&fault.id), "{} comes twice", fault.id);
        match &fault.at {
            Position::Delivery { stream, seq } => {
                assert!(events.contains_key(&(stream.to_string(), seq.0)), "{}", fault.id);
                assert!(positions.insert((&fault.client, fault.lane, stream, seq)), "{}", fault.id);
            }
            Position::Ack { op } => assert_ne!(op.0, 0, "{}", fault.id),
            _ => {}
        }
        if let FaultKind::Mutate { .. } = fault.kind {
            assert!(fault.lane.is_some());
        }
    }
}

#[test]
fn every_stock_plan_keeps_its_promises_whatever_the_seed() {
    for scenario in all() {
        // Large payloads take their time to hash, and seeds change nothing else about them.
        let seeds = if ["large", "mebibyte"].iter().any(|heavy| scenario.name.contains(heavy)) { 2 } else { 25 };
        for seed in 0..seeds {
            check_promises(&compile(&scenario, Seed(seed * 7_919)));
        }
    }
}

/// The canonical payloads of the honest stock scenarios that have families of payloads, and the texts that are none.
fn published(seed: u64) -> Vec<String> {
    let mut texts = Vec::new();
    for scenario in all().filter(|scenario| scenario.expect.is_none() && scenario.name.contains("payload")) {
        for step in compile(&scenario, Seed(seed)).cases.iter().flat_map(Case::all_steps) {
            if let Step::Publish { payload, .. } = step {
                texts.push(canonical(payload));
            }
        }
    }
    texts
}

#[test]
fn a_full_gate_publishes_every_edge_whatever_the_seed() {
    for seed in [1, 42] {
        let texts = published(seed);
        let wholes: BTreeSet<_> = texts.iter().map(String::as_str).collect();
        for edge in edges::BARE.iter().chain([&edges::EQUAL]).chain(INVALID) {
            assert!(wholes.contains(canonical(edge).as_str()), "{edge:?} is never published");
        }
        let quoted = edges::NAMES.iter().map(|name| format!("\"{name}\""));
        let values = edges::LOOKALIKES.iter().map(|(_, value)| *value).chain(NUMBERS.iter().copied());
        for part in values.map(str::to_owned).chain(quoted).map(|part| canonical(&part)) {
            assert!(texts.iter().any(|text| text.contains(&part)), "{part} is in no payload");
        }
        let (mut bytes, mut characters) = (BTreeSet::new(), BTreeSet::new());
        let (mut members, mut depths) = (BTreeSet::new(), BTreeSet::new());
        for text in texts.iter().filter(|text| payload_hash(text.as_bytes()).is_ok()) {
            let mut open = Vec::new();
            let mut at = 0;
            while let Some(byte) = text.as_bytes().get(at) {
                match byte {
                    b'{' | b'[' => open.push(1),
                    b'}' | b']' => members.extend(open.pop()),
                    b',' => *open.last_mut().unwrap() += 1,
                    b'"' => {
                        let string: &str = &text[at..token_end(text, at)];
                        let inside: String = serde_json::from_str(string).unwrap();
                        bytes.insert(inside.len());
                        characters.insert(inside.chars().count());
                        at += string.len() - 1;
                    }
                    _ => {}
                }
                depths.insert(open.len());
                at += 1;
            }
        }
        for edge in [255, 4_096, 65_535, 1 << 20] {
            assert!((edge - 1..=edge + 1).all(|size| bytes.contains(&size)), "a string of about {edge} bytes");
        }
        for edge in [255, 4_096] {
            assert!((edge - 1..=edge + 1).all(|size| characters.contains(&size)), "about {edge} characters");
        }
        assert!([40, 255, 256, 257, 5_000].iter().all(|count| members.contains(count)), "{members:?}");
        assert!([60, 128, 129, 200].iter().all(|depth| depths.contains(depth)), "{depths:?}");
    }
}

#[test]
fn a_plan_is_what_its_scenario_says() {
    let text = r#"
schema = 1
name = "x"
title = "Everything once"
proves = ["replay-determinism"]
streams = [{ topic = "run:a:events", retention = 3, replay_budget = 2 }, { topic = "run:b:events" }]
clients = [{ name = "desk", serializer = "v1", compression = "gzip", replay_batch = 5 }]
steps = [
  { do = "connect" },
  { do = "publish", streams = ["run:a:events", "run:b:events"], count = 4 },
  { do = "await-fault", fault = "flap" },
  { do = "policy", stream = "run:b:events", retention = 1 },
  { do = "crash" },
  { do = "republish", stream = "run:a:events", seqs = [2] },
  { do = "conflict", stream = "run:b:events", seqs = [2] },
  { do = "publish", stream = "run:a:events", count = 3, pace = "burst" },
  { do = "set-cursor", client = "desk", stream = "run:a:events", to = "below-floor" },
  { do = "server", lane = "legacy", action = "kill" },
  { do = "server", lane = "legacy", action = "restart" },
  { do = "connect" },
  { do = "await" },
]
faults = [
  { do = "cut", name = "flap", how = "random", when = "random", clients = ["desk"], at = { delivery = "run:a:events", seq = 2 } },
  { do = "cut", how = "drop", when = "before", lane = "candidate", clients = ["writer"], at = { ack = "run:a:events", seq = "random" } },
  { do = "rewrite-cursor", stream = "run:b:events", to = "beyond-head", clients = ["desk"], at = { resume = 3 } },
]
at_least = { deliveries = 7 }
"#;
    let plan = compile(&parse(text), Seed(5));
    check_promises(&plan);
    let value: serde_json::Value = serde_json::from_str(&plan.to_json()).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn cases_share_no_names_and_differ_in_their_position() {
    let plan = compile(&scenario("resume-after-cut"), Seed(1));
    assert_eq!(plan.cases.len(), 24);
    assert_eq!(plan.faults.len(), 24);
    assert_eq!(plan.cases[0].name, "p1-before");
    assert_eq!(plan.cases[23].name, "p12-after");
    assert_eq!(plan.cases[23].streams[0].id.as_str(), "run:p12-after-alpha:events");
    let Position::Delivery { stream, seq } = &plan.faults[23].at else {
        panic!("{:?}", plan.faults[23]);
    };
    assert_eq!((stream, seq.0), (&plan.cases[23].streams[0].id, 12));
    assert_eq!(plan.at_least.faults, 24);
}

#[test]
fn a_random_cut_strikes_elsewhere_with_another_seed() {
    let storm = scenario("reconnect-storm");
    let places = |seed| compile(&storm, Seed(seed)).faults.into_iter().map(|fault| format!("{:?}", fault.at));
    assert_ne!(places(1).collect::<Vec<_>>(), places(2).collect::<Vec<_>>());
}

#[test]
fn lockstep_waits_for_the_readers_of_each_event_and_burst_for_nobody() {
    let plan = compile(&scenario("topics-apart"), Seed(1));
    for pair in plan.cases[0].steps.windows(2) {
        let [Step::Publish { stream, .. }, Step::AwaitCaughtUp { clients }] = pair else {
            continue;
        };
        for client in clients {
            let planned = plan.cases[0].clients.iter().find(|planned| planned.id == *client).unwrap();
            assert!(planned.streams.contains(stream));
        }
    }
    let burst = compile(&scenario("drop-event"), Seed(1));
    assert!(!burst.cases[0].steps.iter().any(|step| matches!(step, Step::AwaitCaughtUp { .. })));
}
