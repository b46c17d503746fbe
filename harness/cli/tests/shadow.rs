//! `cutover shadow` and `cutover rollout` over live services, through the built binary. Both lanes are services of the
//! reference, so that defects can be planted in either role.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use support::*;

const TOPIC: &str = "run:a:events";
const BUILD: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000001";

/// Publishes events of these numbers, the same on each service.
fn publish(service: SocketAddr, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        let body = format!(r#"{{"topic":"{TOPIC}","idempotency_key":"k{number}","payload":{{"number":{number}}}}}"#);
        let mut stream = TcpStream::connect(service).unwrap();
        let head = "POST /internal/v1/sync/publish HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
        write!(stream, "{head}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

fn services(dir: &Path, defect: &str) -> [Server; 2] {
    let candidate = match defect {
        "" => Server::start("legacy", &dir.join("candidate")),
        defect => Server::broken(defect, &dir.join("candidate")),
    };
    [Server::start("legacy", &dir.join("legacy")), candidate]
}

/// The command that follows both services, with these arguments.
fn following(dir: &Path, services: &[Server; 2], name: &str, more: &[&str]) -> Command {
    let profiles = ["legacy", "candidate"].iter().zip(services).map(|(name, service)| {
        let profile = format!("kind = \"phoenix\"\nsocket_url = \"{}\"\n", service.url());
        text(&write(dir, &format!("{name}.toml"), &profile))
    });
    let profiles: Vec<String> = profiles.collect();
    let out = text(&dir.join(name));
    let args = ["shadow", "--legacy", &profiles[0], "--candidate", &profiles[1], "--stream", TOPIC, "--out", &out];
    cutover(&[&args[..], more].concat())
}

/// Follows both services for some seconds, with these arguments.
fn shadow(dir: &Path, services: &[Server; 2], name: &str, more: &[&str]) -> Ran {
    ended(&mut following(dir, services, name, more))
}

#[test]
fn two_services_that_deliver_the_same_pass_and_the_record_holds() {
    let dir = tempfile::tempdir().unwrap();
    let services = services(dir.path(), "");
    services.iter().for_each(|service| publish(service.address, 1..=30));
    let ran = shadow(dir.path(), &services, "out", &["--for", "2s", "--metrics", "127.0.0.1:0"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("30 events of 1 streams, which both lanes"), "{}", ran.out);
    assert!(ran.err.contains("metrics at http://127.0.0.1:"), "{}", ran.err);
    assert_eq!(rechecked(dir.path(), "out"), 0);
}

#[test]
fn what_differs_is_found_and_what_is_edited_in_the_record_too() {
    for (defect, check) in
        [("change-payload", "payloads"), ("drop-event", "losses"), ("wrong-hash", "payloads"), ("stop-tail", "level")]
    {
        let dir = tempfile::tempdir().unwrap();
        let services = services(dir.path(), defect);
        services.iter().for_each(|service| publish(service.address, 1..=12));
        let ran = shadow(dir.path(), &services, "out", &["--for", "2s", "--most-lag", "1s"]);
        assert_eq!(ran.code, 1, "{defect}: {}{}", ran.out, ran.err);
        let line = ran.out.lines().find(|line| line.contains(check)).unwrap();
        assert!(line.contains("FAILED"), "{defect}: {}", ran.out);
        let path = dir.path().join("out/stage.json");
        let record = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, record.replace("\"failed\"", "\"passed\"")).unwrap();
        assert_eq!(rechecked(dir.path(), "out"), 1);
    }
}

/// Waits until both lanes of the shadow run are connected, by its metrics.
fn is_connected(metrics: &str) {
    loop {
        let mut stream = TcpStream::connect(metrics).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        if ["legacy", "candidate"].iter().all(|l| answer.contains(&format!("shadow_connected{{lane=\"{l}\"}} 1"))) {
            return;
        }
    }
}

#[test]
fn an_event_that_a_lane_skips_until_it_is_asked_again_is_found() {
    for defect in ["skip-live", "swap-live"] {
        let dir = tempfile::tempdir().unwrap();
        let services = services(dir.path(), defect);
        services.iter().for_each(|service| publish(service.address, 1..=2));
        let mut command = following(dir.path(), &services, "out", &["--for", "3s", "--metrics", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let metrics = line.trim().strip_prefix("metrics at http://").unwrap().strip_suffix("/metrics").unwrap();
        is_connected(metrics);
        services.iter().for_each(|service| publish(service.address, 3..=9));
        said.read_to_string(&mut line).unwrap();
        let ran = child.wait_with_output().unwrap();
        let out = String::from_utf8(ran.stdout).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{defect}: {out}{line}");
        let order = out.lines().find(|line| line.contains(" order ")).unwrap();
        assert!(order.contains("FAILED"), "{defect}: {out}");
        assert_eq!(rechecked(dir.path(), "out"), 1);
    }
}

#[test]
fn nothing_that_was_seen_is_no_success() {
    let dir = tempfile::tempdir().unwrap();
    let services = services(dir.path(), "");
    let ran = shadow(dir.path(), &services, "out", &["--for", "1s"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("of 1 streams nothing was compared:"), "{}", ran.out);
}

#[test]
fn wrong_arguments_are_told_before_anything_is_reached() {
    let dir = tempfile::tempdir().unwrap();
    let services = services(dir.path(), "");
    let ran = shadow(dir.path(), &services, "out", &["--stream", "a b"]);
    assert_eq!((ran.code, ran.err.contains("`a b` is no topic")), (64, true), "{}", ran.err);
    drop(services);
    let gone = self::services(dir.path(), "");
    let addresses = gone.map(|service| service.url());
    let args = ["shadow", "--legacy", &addresses[0], "--candidate", &addresses[1], "--stream", TOPIC];
    let ran = run(&[&args[..], &["--out", &text(&dir.path().join("gone"))]].concat());
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
}

fn policy(dir: &Path) -> String {
    let policy = "schema = 1\n[rollout]\nsoak = \"1s\"\nneeds = [\"shadow\"]\n[rollout.slo.lag_ms]\n\
                  least_samples = 10\nhold_above = 200\nroll_back_above = 1000\n";
    text(&write(dir, "policy.toml", policy))
}

fn rollout(dir: &Path, to: &str, name: &str, more: &[&str]) -> Ran {
    let (policy, out) = (policy(dir), text(&dir.join(name)));
    let args = ["rollout", "staging", "--to", to, "--policy", &policy, "--build", BUILD, "--out", &out];
    run(&[&args[..], more].concat())
}

#[test]
fn a_rollout_without_evidence_holds_and_one_by_hand_rolls_back() {
    let dir = tempfile::tempdir().unwrap();
    let ran = rollout(dir.path(), "1", "one", &[]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("HOLD") && ran.out.contains("there is no evidence of `cutover shadow`"), "{}", ran.out);
    assert_eq!(rechecked(dir.path(), "one"), 2);
    let ran = rollout(dir.path(), "5", "two", &["--roll-back", "users report lost events"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ROLL-BACK") && ran.out.contains("users report lost events"), "{}", ran.out);
    assert_eq!(rechecked(dir.path(), "two"), 1);
    // A record that was edited is no record of a stage before.
    let path = dir.path().join("one/stage.json");
    let record = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, record.replace("UNKNOWN", "PASSED").replace("\"unknown\"", "\"passed\"")).unwrap();
    let ran = rollout(dir.path(), "5", "three", &["--previous", &text(&dir.path().join("one"))]);
    assert!(ran.code == 2 && ran.out.contains("does not hold"), "{}{}", ran.out, ran.err);
}

#[test]
fn mistakes_of_a_rollout_are_told() {
    let dir = tempfile::tempdir().unwrap();
    for (to, more, code, what) in [
        ("7", &[][..], 64, "has no cohort of 7 %"),
        ("101", &[][..], 64, "give a cohort in percent"),
        ("1", &["--evidence", "nowhere"][..], 64, "nowhere is not there"),
        ("1", &["--slo", "nowhere.json"][..], 64, "nowhere.json"),
        ("1", &["--previous", "."][..], 64, "it has no stage.json"),
    ] {
        let ran = rollout(dir.path(), to, "out", more);
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains(what), "{what}: {}", ran.err);
    }
    let ran = run(&["rollout", "staging", "--to", "1", "--policy", &policy(dir.path()), "--build", "x"]);
    assert!(ran.code == 64 && ran.err.contains("`x` is no digest of a module"), "{}", ran.err);
}
