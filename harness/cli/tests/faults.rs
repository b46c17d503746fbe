//! The gate without faults, and with its byte toxics in somebody else's Toxiproxy.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use cutover_core::evidence::{ScenarioOutcome, Times};
use cutover_core::gate::Decision;
use cutover_core::ids::LaneId;
use cutover_core::plan::Plan;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::*;

/// The legacy lane against itself starts soonest.
const AA: [&str; 2] = ["--aa", "legacy"];

#[test]
fn a_run_without_faults_is_valid_and_never_says_allow() {
    let dir = tempfile::tempdir().unwrap();
    let ran = gate(dir.path(), "out", &[AA[0], AA[1], "--no-faults", "--scenario", "cut-during-resume"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("VALID WITHOUT FAULTS"), "{}", ran.out);
    let words = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("no decision about a release"), "{}", ran.out);
    let evidence = evidence(dir.path(), "out");
    assert!(evidence.scope.no_faults && !evidence.judged.decision.allow);
    assert_eq!(evidence.judged.decision.decision, Decision::ValidWithoutFaults);
    assert!(evidence.judged.matrix.iter().all(|row| row.scenarios.is_empty()), "nothing is proven");
    let plan = std::fs::read_to_string(dir.path().join("out/plans/cut-during-resume.json")).unwrap();
    assert!(Plan::from_json(&plan).unwrap().faults.is_empty());
    assert_eq!(rechecked(dir.path(), "out"), 0, "recheck compiles it without faults too");
    let page = std::fs::read_to_string(dir.path().join("out/index.html")).unwrap();
    assert!(page.contains("this run decides nothing about a release"));
}

#[test]
fn a_run_without_faults_can_not_be_passed_off_as_another() {
    let dir = tempfile::tempdir().unwrap();
    gate(dir.path(), "out", &[AA[0], AA[1], "--no-faults", "--scenario", "cut-during-resume"]);
    let path = dir.path().join("out/evidence.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("  \"no_faults\": true,\n", "")).unwrap();
    assert_eq!(rechecked(dir.path(), "out"), 1);
}

#[test]
fn known_bad_scenarios_are_left_out_of_a_run_without_faults() {
    let dir = tempfile::tempdir().unwrap();
    let ran = gate(dir.path(), "out", &["--no-faults", "--scenario", "candidate-drops-event"]);
    assert_eq!(ran.code, 64);
    assert!(ran.err.contains("no scenario is left to run without faults"), "{}", ran.err);
}

#[test]
fn without_faults_is_no_way_to_prove_the_matrix() {
    let ran = run(&["gate", "--no-faults", "--enforce-matrix"]);
    assert_eq!(ran.code, 64);
    assert!(ran.err.contains("cannot be used with"), "{}", ran.err);
}

#[test]
fn the_ledger_has_where_and_when_each_fault_struck() {
    let dir = tempfile::tempdir().unwrap();
    let ran = gate(dir.path(), "out", &[AA[0], AA[1], "--scenario", "reset-by-peer"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let times = std::fs::read(dir.path().join("out/times.json")).unwrap();
    let times: Times = serde_json::from_slice(&times).unwrap();
    let fires = &times.fires["reset-by-peer"];
    for lane in LaneId::BOTH {
        for toxic in ["reset", "late-reset"] {
            let fire = fires.iter().find(|fire| fire.lane == lane && fire.fault.as_str() == toxic);
            let fire = fire.unwrap_or_else(|| panic!("{toxic} on {lane}: {fires:?}"));
            assert!(fire.conn >= 1 && fire.line > 2 && fire.after_us > 0, "{fire:?}");
            assert!(fire.at.starts_with("20") && fire.at.ends_with('Z'), "{fire:?}");
            let page = std::fs::read_to_string(dir.path().join("out/index.html")).unwrap();
            assert!(page.contains(&fire.at), "{fire:?}");
        }
    }
    assert!(evidence(dir.path(), "out").judged.scenarios[0].outcome == ScenarioOutcome::Passed);
}

#[test]
fn a_scenario_gives_the_same_verdict_through_a_toxiproxy_and_leaves_nothing_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let toxiproxy = Server::proxy();
    let chosen = [
        "slow-network",
        "thin-network",
        "reset-by-peer",
        "data-limited",
        "black-hole",
        "slow-close",
        "toxics-combined",
    ];
    let url = toxiproxy.url();
    let mut args = vec![AA[0], AA[1], "--toxiproxy", &url];
    args.extend(chosen.iter().flat_map(|name| ["--scenario", name]));
    let ran = gate(dir.path(), "out", &args);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let evidence = evidence(dir.path(), "out");
    assert_eq!(evidence.judged.scenarios.len(), chosen.len());
    assert_eq!(evidence.toxiproxy.as_deref(), Some(url.as_str()));
    assert_eq!(rechecked(dir.path(), "out"), 0);
    assert_eq!(proxies(&toxiproxy), "{}");
}

#[test]
fn a_signal_takes_the_runs_proxies_out_of_a_toxiproxy() {
    let dir = tempfile::tempdir().unwrap();
    let toxiproxy = Server::proxy();
    let (url, out) = (toxiproxy.url(), text(&dir.path().join("out")));
    // It waits for a heartbeat for some seconds.
    let args = [
        "gate",
        "--aa",
        "legacy",
        "--seed",
        "7",
        "--toxiproxy",
        &url,
        "--out",
        &out,
        "--scenario",
        "black-hole",
        "--scenario",
        "server-paused",
    ];
    let mut gate = cutover(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while proxies(&toxiproxy) == "{}" && gate.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    kill(Pid::from_raw(gate.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(gate.wait().unwrap().code(), Some(2));
    assert_eq!(proxies(&toxiproxy), "{}");
}

/// What a Toxiproxy says of its proxies.
fn proxies(toxiproxy: &Server) -> String {
    let mut socket = TcpStream::connect(toxiproxy.address).unwrap();
    write!(socket, "GET /proxies HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.trim().to_owned()
}

#[test]
fn where_no_toxiproxy_answers_the_run_ends_with_3_and_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let ran = gate(dir.path(), "out", &["--toxiproxy", &url, "--scenario", "slow-network"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains(&url) && ran.err.contains("toxiproxy-server"), "{}", ran.err);
    assert!(says_failed(dir.path(), "out"));
}

#[test]
fn what_is_no_toxiproxys_address_is_a_bad_argument() {
    let dir = tempfile::tempdir().unwrap();
    let ran = gate(dir.path(), "out", &["--toxiproxy", "https://x/y", "--scenario", "slow-network"]);
    assert_eq!(ran.code, 64, "{}", ran.err);
    assert!(ran.err.contains("is no address of a Toxiproxy"), "{}", ran.err);
}
