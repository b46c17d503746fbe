//! Byte toxics in scenarios: what is read, what is refused, and what is left of a scenario without them.

use std::collections::BTreeSet;

use super::*;
use crate::ids::{ClientId, LaneId, Seed};
use crate::matrix::Part;
use crate::plan::fault::FAULTS;
use crate::plan::{ByteToxic, Direction, Step, TOXICS};

/// [`GOOD`] with a toxic.
fn with(toxic: &str) -> String {
    GOOD.replace("at_least", &format!("toxics = [\n  {{ {toxic} }},\n]\nat_least"))
}

fn refused(toxic: &str, expect: &str) {
    let said = errors(&with(toxic));
    assert!(said.contains(expect), "expected `{expect}` of `{toxic}`, but this is said:\n{said}");
}

fn parse(text: &str) -> Scenario {
    Scenario::parse("scenarios/x.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn every_type_is_read_with_its_attributes() {
    for (toxic, expect) in [
        ("type = \"latency\", latency = 30, jitter = 5", ByteToxic::Latency { latency: 30, jitter: 5 }),
        ("type = \"bandwidth\", rate = 40", ByteToxic::Bandwidth { rate: 40 }),
        ("type = \"slow_close\", delay = 300", ByteToxic::SlowClose { delay: 300 }),
    ] {
        let scenario = parse(&with(&format!("{toxic}, clients = [\"desk\"]")));
        let plan = compile(&scenario, Seed(1));
        let planned = &plan.toxics[0];
        assert_eq!((planned.toxic.clone(), planned.stream), (expect, Direction::Downstream));
        assert_eq!((planned.client.as_str(), planned.toxicity, planned.lane), ("desk", 1.0, None));
        assert_eq!(plan.at_least.faults, 2, "the cut and the toxic");
    }
}

#[test]
fn a_toxic_of_several_clients_is_one_for_each_and_a_chance_is_not_counted_on() {
    let text = with(
        "type = \"slicer\", stream = \"upstream\", clients = [\"desk\", \"phone\"], average_size = 9, toxicity = 0.5",
    );
    let plan = compile(&parse(&text), Seed(1));
    let names: Vec<_> = plan.toxics.iter().map(|toxic| toxic.id.as_str()).collect();
    assert_eq!(names, ["slicer-1.desk", "slicer-1.phone"]);
    assert_eq!((plan.toxics[0].stream, plan.toxics[0].toxicity), (Direction::Upstream, 0.5));
    assert_eq!(plan.at_least.faults, 1, "the cut alone");
}

#[test]
fn what_is_wrong_with_a_toxic_is_said_with_a_hint() {
    insta::assert_snapshot!(errors(&GOOD.replace(
        "at_least",
        "toxics = [
  { type = \"latncy\", clients = [\"desk\"] },
  { type = \"latency\", clients = [\"desk\"], latency = -5, speed = 3 },
  { type = \"latency\", clients = [\"desk\"] },
  { type = \"bandwidth\", clients = [\"desk\"] },
  { type = \"slicer\", clients = [\"desk\"], average_size = 10, size_variation = 10 },
  { type = \"timeout\", clients = [], toxicity = 1.5 },
  { type = \"timeout\", clients = [\"disk\"], toxicity = 0 },
  { type = \"reset_peer\", stream = \"sideways\", clients = [\"phone\"], timeout = 200 },
]
at_least"
    )));
}

#[test]
fn a_script_that_waits_for_a_client_that_gets_nothing_done_is_refused() {
    let nothing_done = "waits for `desk` while `hole` lets it get nothing done";
    refused("type = \"timeout\", name = \"hole\", clients = [\"desk\"]", nothing_done);
    refused("type = \"reset_peer\", name = \"hole\", clients = [\"desk\"]", nothing_done);
    refused("type = \"bandwidth\", name = \"hole\", clients = [\"desk\"], rate = 0", nothing_done);
    // What a service says to a client that joins may be longer than any number.
    refused("type = \"limit_data\", name = \"hole\", clients = [\"desk\"], bytes = 1000000", nothing_done);
    refused(
        "type = \"limit_data\", name = \"hole\", stream = \"upstream\", clients = [\"desk\"], bytes = 100",
        nothing_done,
    );
    let upstream = "type = \"limit_data\", stream = \"upstream\", clients = [\"desk\"], bytes = 9000";
    let plan = compile(&parse(&with(upstream)), Seed(1));
    assert_eq!(plan.toxics[0].toxic, ByteToxic::LimitData { bytes: 9000 });
    refused("type = \"timeout\", name = \"hole\", clients = [\"writer\"]", "waits for `writer` while `hole`");
    parse(&with("type = \"timeout\", name = \"hole\", clients = [\"desk\"], toxicity = 0.5"));
}

#[test]
fn delays_that_outlast_a_clients_patience_are_refused() {
    refused(
        "type = \"latency\", clients = [\"desk\"], latency = 1000, jitter = 1000",
        "answers may reach `desk` 2000 ms late, and it waits for 2000 ms",
    );
}

const ARMED: &str = "  { do = \"arm\", toxics = [\"hole\"] },
  { do = \"publish\", stream = \"run:a:events\", count = 2, pace = \"burst\" },
  { do = \"await-fault\", fault = \"hole\" },
  { do = \"disarm\", toxics = [\"hole\"] },
  { do = \"await\" },
]
faults";

#[test]
fn a_toxic_that_a_step_arms_is_off_until_then() {
    let text = with("type = \"timeout\", name = \"hole\", clients = [\"desk\"]");
    let plan = compile(&parse(&text.replace("]\nfaults", ARMED)), Seed(1));
    assert_eq!(plan.toxics_from_start(&ClientId::from("desk"), LaneId::Legacy).count(), 0);
    let armed = |step: &Step| matches!(step, Step::Arm { toxics } if toxics[0].as_str() == "hole");
    assert!(plan.cases[0].steps.iter().any(armed));
    assert!(
        plan.cases[0].steps.iter().any(|step| matches!(step, Step::AwaitFired { fault } if fault.as_str() == "hole"))
    );
    let early = text.replace("]\nfaults", &ARMED.replace("\"arm\"", "\"disarm\""));
    assert!(errors(&early).contains("`hole` lets it get nothing done"), "on from the start");
    let twice = text.replace("]\nfaults", &ARMED.replace("\"disarm\"", "\"arm\""));
    assert!(errors(&twice).contains("`hole` is on already"), "{}", errors(&twice));
    let unknown =
        text.replace("]\nfaults", &ARMED.replace("\"disarm\", toxics = [\"hole\"]", "\"disarm\", toxics = [\"hale\"]"));
    assert!(errors(&unknown).contains("no toxic is called `hale`"), "{}", errors(&unknown));
}

#[test]
fn a_fault_and_a_toxic_of_one_name_are_refused() {
    refused("type = \"latency\", latency = 5, name = \"cut-1\", clients = [\"desk\"]", "a fault is called `cut-1` too");
}

#[test]
fn without_faults_nothing_goes_wrong_nothing_waits_for_it_and_deliveries_stay() {
    let text = with("type = \"timeout\", name = \"hole\", clients = [\"desk\"]").replace("]\nfaults", ARMED);
    let text = text.replace("deliveries = 10", "deliveries = 10, resumes = 1");
    let plain = Scenario::parse_without_faults("scenarios/x.toml", &text).unwrap();
    let plan = compile(&plain, Seed(1));
    assert!(plan.faults.is_empty() && plan.toxics.is_empty() && plan.proves.is_empty());
    let waits = |step: &Step| matches!(step, Step::AwaitFired { .. } | Step::Arm { .. } | Step::Disarm { .. });
    assert!(!plan.cases[0].steps.iter().any(waits));
    let least = plan.at_least;
    assert_eq!((least.deliveries, least.resumes, least.faults), (10, 0, 0), "only the cut brings a resume");
}

#[test]
fn every_honest_scenario_of_the_stock_can_be_had_without_faults() {
    for (path, text) in stock() {
        let whole = Scenario::parse(path, text).unwrap();
        let plain = Scenario::parse_without_faults(path, text).unwrap();
        assert_eq!(plain.at_least.deliveries, whole.at_least.deliveries, "{path}");
        assert_eq!(compile(&plain, Seed(1)).at_least.duplicates, 0, "{path}");
    }
}

#[test]
fn the_stock_uses_every_toxic_and_every_fault() {
    let (mut toxics, mut faults) = (BTreeSet::new(), BTreeSet::new());
    for (path, text) in stock() {
        for case in Scenario::parse(path, text).unwrap().cases {
            toxics.extend(case.toxics.iter().map(|toxic| toxic.toxic.type_name()));
            faults.extend(case.faults.iter().map(|fault| fault.spec.word));
        }
    }
    assert_eq!(toxics, TOXICS.iter().map(|spec| spec.name).collect());
    assert_eq!(faults, FAULTS.iter().map(|spec| spec.word).collect());
}

#[test]
fn a_client_that_reads_nothing_may_be_dropped_where_the_queue_of_its_lane_overflows() {
    let earns = |topics: usize, awaited: &str| {
        let streams: Vec<_> = (0..topics).map(|nth| format!("{{ topic = \"run:t{nth}:events\" }}")).collect();
        let text = format!(
            r#"
schema = 1
name = "x"
title = "A client reads nothing"
proves = ["slow-consumer"]
streams = [{}]
clients = [{{ name = "desk" }}, {{ name = "phone" }}]
steps = [
  {{ do = "connect" }},
  {{ do = "arm", toxics = ["stall"] }},
  {{ do = "publish", streams = "all", count = {topics}, pace = "burst" }},
  {awaited}
  {{ do = "disarm", toxics = ["stall"] }},
  {{ do = "await" }},
]
toxics = [{{ type = "bandwidth", name = "stall", clients = ["desk"], rate = 0 }}]
at_least = {{ deliveries = 1 }}
"#,
            streams.join(",")
        );
        let scenario = Scenario::parse("scenarios/x.toml", &text);
        scenario.map(|scenario| scenario.earns).map_err(|errors| errors.to_string())
    };
    let of_row = |parts: &BTreeSet<Part>| {
        let row = crate::matrix::row("slow-consumer").unwrap();
        row.parts.iter().filter(|part| parts.contains(part)).copied().collect::<Vec<_>>()
    };
    let awaits = "{ do = \"await\", clients = [\"phone\"] },";
    let earned = earns(67, awaits).unwrap();
    let dropped = [Part::SlowThrottled, Part::SlowDropped, Part::SlowRecovered, Part::OthersOnTime];
    assert_eq!(of_row(&earned[&LaneId::Legacy]), dropped);
    assert_eq!(of_row(&earned[&LaneId::Candidate]), [Part::OthersOnTime]);
    assert_eq!(of_row(&earns(66, awaits).unwrap()[&LaneId::Legacy]), [Part::OthersOnTime]);
    assert!(earns(66, "").unwrap_err().contains("the script can't prove `slow-consumer`"));
    assert!(earns(129, awaits).unwrap_err().contains("at most 128 streams are possible"));
}
