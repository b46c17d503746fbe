//! Scenarios with a bridge: what is planned, and what is refused.

use super::*;
use crate::gate::fit::{Means, ServerKind, cannot_show, unfit};
use crate::plan::{BRIDGE, ENQUEUE, Step, enqueued};

const BRIDGED: &str = r#"schema = 1
name = "x"
title = "A story"
proves = ["bridge-isolation"]
bridge = {}
streams = [{ topic = "run:a:events" }]
clients = [{ name = "desk" }]
toxics = [{ type = "latency", clients = ["bridge"], latency = 5 }]
steps = [
  { do = "connect" },
  { do = "relay", answers = "failing" },
  { do = "publish", stream = "run:a:events", count = 2 },
  { do = "await-relay" },
  { do = "server", lane = "bridge", action = "kill" },
  { do = "relay", answers = "well" },
  { do = "server", lane = "bridge", action = "restart" },
  { do = "await-outbox" },
]
at_least = { deliveries = 2 }
"#;

fn check(from: &str, to: &str, expect: &str) {
    assert!(BRIDGED.contains(from), "{from}");
    let said = errors(&BRIDGED.replacen(from, to, 1));
    assert!(said.contains(expect), "expected `{expect}`, but this is said:\n{said}");
}

fn planned() -> crate::plan::Plan {
    compile(&Scenario::parse("scenarios/x.toml", BRIDGED).unwrap_or_else(|errors| panic!("{errors}")), Seed(1))
}

#[test]
fn each_published_event_is_put_into_the_outbox_and_no_proof_of_life_is() {
    let plan = planned();
    let case = &plan.cases[0];
    let payloads = case.steps.iter().filter_map(|step| match step {
        Step::Publish { payload, .. } => Some(sha256(payload.as_bytes())),
        _ => None,
    });
    let events: Vec<_> = enqueued(&plan).collect();
    assert_eq!(events.iter().map(|event| event.content.clone()).collect::<Vec<_>>(), payloads.collect::<Vec<_>>());
    assert!(events.iter().all(|event| event.key.starts_with("run:a:events/run:a:events:")));
    let calls = |step: &&Step| matches!(step, Step::Call { reducer, .. } if reducer == ENQUEUE);
    assert_eq!(case.proof_of_life.iter().filter(calls).count(), 0);
    let toxic = &plan.toxics[0];
    assert_eq!((toxic.client.as_str(), toxic.lane, plan.at_least.faults), (BRIDGE, Some(LaneId::Candidate), 0));
}

#[test]
fn the_script_lets_the_candidate_see_what_its_relay_does() {
    let scenario = Scenario::parse("scenarios/x.toml", BRIDGED).unwrap();
    let shown = |lane| scenario.earns[&lane].iter().copied().filter(|part| part.is_of_the_bridge()).collect::<Vec<_>>();
    use Part::{BridgeKilled, OutboxMirrored, RelayRefusing, RelaySlow};
    assert_eq!(shown(LaneId::Candidate), [OutboxMirrored, RelaySlow, RelayRefusing, BridgeKilled]);
    assert_eq!(shown(LaneId::Legacy), []);
}

#[test]
fn what_can_not_happen_is_refused() {
    check("bridge = {}\n", "", "the scenario has no bridge");
    check("bridge = {}", "bridge = { defects = [\"bridge-sleeps\"] }", "there is no defect of the bridge");
    check("bridge = {}", "bridge = { defects = [\"bridge-signs-another-event\"] }", "no finding is expected");
    check("name = \"desk\"", "name = \"bridge\"", "`bridge` is the name of the bridge");
    check("count = 2 }", "count = 2 }, { do = \"reducers\", stream = \"run:a:events\" }", "use the outbox");
    let pause = "lane = \"relay\", action = \"pause\"";
    check("lane = \"bridge\", action = \"kill\"", pause, "the relay runs in this program, and is not paused");
    check("action = \"kill\"", "action = \"restart\"", "the bridge was not killed");
    check(
        "action = \"restart\" },",
        "action = \"restart\" }, { do = \"await-relay\" },",
        "nothing was published since",
    );
    check("answers = \"well\"", "answers = \"silent\"", "the relay does not answer well");
    check("  { do = \"server\", lane = \"bridge\", action = \"restart\" },\n", "", "the bridge does not run");
    check(
        "  { do = \"await-outbox\" },\n",
        "  { do = \"server\", lane = \"relay\", action = \"kill\" },\n",
        "is left down",
    );
    check("at_least", "expand = { position = \"1..=2\" }\nat_least", "there is one bridge");
}

#[test]
fn a_candidate_without_an_outbox_of_the_run_is_left_out() {
    let plan = planned();
    let lanes = |candidate: Means| {
        BTreeMap::from([(LaneId::Legacy, Means::of_ours(ServerKind::BuiltIn)), (LaneId::Candidate, candidate)])
    };
    let ours = Means::of_ours(ServerKind::BuiltIn);
    assert_eq!(unfit(&plan, &lanes(ours.clone()), None), None);
    let stranger = Means { lacks_outbox: true, ..Means::of_ours(ServerKind::Outside) };
    assert!(unfit(&plan, &lanes(stranger.clone()), None).unwrap().contains("the candidate lane has none"));
    assert!(unfit(&plan, &lanes(ours.clone()), Some(LaneId::Legacy)).is_some());
    assert_eq!(cannot_show(Part::RelayDown, LaneId::Candidate, &ours), None);
    assert!(cannot_show(Part::RelayDown, LaneId::Candidate, &stranger).is_some());
}
