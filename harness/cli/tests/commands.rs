//! The built binary: what it prints, and the exit codes that scripts rely on.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

fn cutover(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
    command.args(args).stdin(Stdio::null()).env_remove("COLUMNS").env("NO_COLOR", "1");
    command
}

/// Runs a command; returns its exit code, stdout and stderr.
fn run(args: &[&str]) -> (i32, String, String) {
    told(&cutover(args).output().unwrap())
}

fn run_with_input(args: &[&str], input: &str) -> (i32, String, String) {
    let mut child = cutover(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    told(&child.wait_with_output().unwrap())
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

fn wider_than_80(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.chars().count() > 80).collect()
}

#[test]
fn help_reads_at_80_columns() {
    for (name, args) in [
        ("help", vec!["--help"]),
        ("help_gate", vec!["gate", "--help"]),
        ("help_fuzz", vec!["fuzz", "--help"]),
        ("help_calibrate", vec!["calibrate", "--help"]),
        ("help_serve", vec!["serve", "--help"]),
        ("help_serve_legacy", vec!["serve", "legacy", "--help"]),
        ("help_serve_bridge", vec!["serve", "bridge", "--help"]),
        ("help_serve_proxy", vec!["serve", "proxy", "--help"]),
        ("help_lane", vec!["lane", "--help"]),
        ("help_lane_init", vec!["lane", "init", "--help"]),
        ("help_lane_check", vec!["lane", "check", "--help"]),
        ("help_recheck", vec!["recheck", "--help"]),
        ("help_matrix", vec!["matrix", "--help"]),
        ("help_record", vec!["record", "--help"]),
        ("help_accept", vec!["accept", "--help"]),
        ("help_policy", vec!["policy", "--help"]),
        ("help_hash", vec!["hash", "--help"]),
        ("help_provision_check", vec!["provision-check", "--help"]),
        ("help_handshake", vec!["handshake", "--help"]),
        ("help_deploy", vec!["deploy", "--help"]),
    ] {
        let (code, out, _) = run(&args);
        assert_eq!(code, 0);
        assert!(wider_than_80(&out).is_empty(), "{:#?}", wider_than_80(&out));
        insta::assert_snapshot!(name, out);
    }
}

#[test]
fn a_wrong_command_line_exits_64() {
    for args in [
        vec![],
        vec!["gat"],
        vec!["gate", "--jobs", "0"],
        vec!["gate", "--seed", "-1"],
        vec!["gate", "--format", "yaml"],
        vec!["gate", "--candidate", "http://127.0.0.1:1", "--candidate-bin", "x"],
        vec!["gate", "--scenario", "no-such-*"],
        vec!["gate", "--scenarios", "/no/such/directory"],
        vec!["lane", "init"],
        vec!["lane", "init", "--candidate", "http://127.0.0.1:1", "--legacy", "ws://127.0.0.1:1"],
        vec!["lane", "check", "/no/such/profile.toml"],
        vec!["serve", "legacy"],
        vec!["serve", "candidate", "--data-dir", "d", "--defect", "drop-event"],
        vec!["serve", "legacy", "--data-dir", "d", "--defect", "no-such-defect"],
        vec!["serve"],
        vec!["serve", "proxy", "--data-dir", "d"],
        vec!["serve", "proxy", "--config", "/no/such/file"],
        vec!["serve", "proxy", "--connections-max", "0"],
        vec!["recheck", "/no/such/bundle"],
        vec!["hash", "/no/such/file"],
        vec!["hash", "/"],
        vec!["diff", "/no/such/file", "/no/such/file"],
        vec!["plan", "no-such-scenario", "--seed", "1"],
    ] {
        let (code, out, err) = run(&args);
        assert_eq!((code, out.as_str()), (64, ""), "{args:?}: {err}");
        assert!(!err.is_empty() && !err.contains("panicked"), "{args:?}: {err}");
    }
}

#[test]
fn a_document_and_json_lines_are_hashed() {
    let (code, out, _) = run_with_input(&["hash", "--canonical"], "{\"b\": 1, \"a\": [1.0]}");
    assert_eq!(code, 0);
    let (hash, canonical) = out.split_once('\n').unwrap();
    assert_eq!((hash.len(), canonical), ("sha256:".len() + 64, "{\"a\":[1],\"b\":1}\n"));
    let (code, out, _) = run_with_input(&["hash"], "1\n2\n");
    assert_eq!((code, out.lines().count()), (0, 2));
}

#[test]
fn a_payload_that_can_not_be_canonical_exits_64_and_says_where() {
    let (code, out, err) = run_with_input(&["hash"], "{\"a\":1,\"a\":2}");
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(err.contains("line 1, column 8"), "{err}");
}

/// A vector file with one event.
fn vector(payload: &str) -> String {
    let (_, hash, _) = run_with_input(&["hash"], payload);
    let event = format!("{{\"client\":\"c\",\"stream\":\"run:a:events\",\"seq\":1,\"hash\":\"{}\"", hash.trim());
    format!(
        "{{\"schema\":\"{}\",\"entries\":1}}\n{event},\"payload\":{payload}}}\n",
        cutover_core::hash::vector::SCHEMA
    )
}

#[test]
fn equal_vectors_exit_0_and_others_1_with_the_first_divergence() {
    let dir = tempfile::tempdir().unwrap();
    let a = write(dir.path(), "a.jsonl", &vector("{\"x\":[1,2]}"));
    let b = write(dir.path(), "b.jsonl", &vector("{\"x\":[1,3]}"));
    let (a, b) = (a.to_str().unwrap(), b.to_str().unwrap());
    assert_eq!(run(&["diff", a, a]).0, 0);
    let (code, out, err) = run(&["diff", a, b]);
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("run:a:events") && out.contains("/x/1"), "{out}");
}

const SCENARIO: &str = r#"schema = 1
name = "two-events"
title = "Two events reach a client"
proves = ["replay-determinism"]
streams = [{ topic = "run:alpha:events" }]
clients = [{ name = "desk" }]
steps = [
  { do = "connect" },
  { do = "publish", stream = "run:alpha:events", count = 2 },
  { do = "await" },
]
at_least = { deliveries = 2 }
"#;

#[test]
fn a_scenario_is_listed_with_the_rows_that_it_proves() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "two-events.toml", SCENARIO);
    let scenarios = dir.path().to_str().unwrap();
    let (code, out, err) = run(&["list", "--scenarios", scenarios]);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!("list", out);
    let (_, out, _) = run(&["list", "--scenarios", scenarios, "--format", "json"]);
    assert!(out.contains("\"name\": \"two-events\"") && out.contains("\"schema\": \"cutover.list/1\""), "{out}");
}

#[test]
fn the_matrix_says_what_lanes_can_show_and_what_is_left_out() {
    let (code, out, err) = run(&["matrix"]);
    assert_eq!(code, 0, "{err}");
    assert!(wider_than_80(&out).is_empty(), "{:#?}", wider_than_80(&out));
    assert!(out.contains("presence-handshake         can show, required"), "{out}");
    let dir = tempfile::tempdir().unwrap();
    let profile = "kind = \"phoenix\"\nsocket_url = \"wss://sync.example/s\"\n";
    let profile = write(dir.path(), "lane.toml", profile);
    let outside = ["matrix", "--legacy", profile.to_str().unwrap()];
    let (_, out, _) = run(&outside);
    assert!(out.contains("presence-handshake         in part, required      0/4        4/4"), "{out}");
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("the profile of legacy names no count of its connections"), "{out}");
    assert!(words.contains("`[window]` of a profile says it"), "{out}");
    let (_, out, _) = run(&[&outside[..], &["--format", "markdown"]].concat());
    assert!(out.contains("| row | standing | legacy | candidate | scenarios | why it is not shown |"), "{out}");
    assert_eq!(run(&["matrix", dir.path().to_str().unwrap()]).0, 64);
}

#[test]
fn fields_are_listed_with_what_judges_them() {
    let (code, out, _) = run(&["list", "--fields"]);
    assert_eq!(code, 0);
    assert!(out.contains("legacy: sync:frame") && out.contains("seq: contradiction/frame-seq"), "{out}");
    let (_, out, _) = run(&["list", "--fields", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(json["fields"].as_array().unwrap().len() > 100);
}

#[test]
fn checkers_are_listed_with_their_rules_and_reasons() {
    let (code, out, err) = told(&cutover(&["list", "--checkers"]).env("COLUMNS", "80").output().unwrap());
    assert_eq!(code, 0, "{err}");
    assert!(wider_than_80(&out).is_empty(), "{:#?}", wider_than_80(&out));
    insta::assert_snapshot!("list-checkers", out);
    let (_, out, _) = run(&["list", "--checkers", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["schema"], "cutover.list/1");
    let names: Vec<_> = json["checkers"].as_array().unwrap().iter().map(|it| it["checker"].clone()).collect();
    assert_eq!(names, cutover_core::check::names());
}

#[test]
fn a_pipe_gets_titles_that_are_not_cut() {
    let (code, out, _) = run(&["list"]);
    assert_eq!(code, 0);
    let title =
        "A cursor below the retention floor is refused for that reason and bootstraps; one at the floor resumes";
    assert!(out.contains(title) && !out.contains('…'), "{out}");
}

#[test]
fn every_built_in_scenario_is_listed_within_80_columns() {
    let (code, out, err) = told(&cutover(&["list"]).env("COLUMNS", "80").output().unwrap());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("equal-streams"), "{out}");
    assert!(wider_than_80(&out).is_empty(), "{:#?}", wider_than_80(&out));
}

#[test]
fn a_plan_is_the_same_for_the_same_seed_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "two-events.toml", SCENARIO);
    let plan = |seed: &str| run(&["plan", path.to_str().unwrap(), "--seed", seed]);
    let (code, first, err) = plan("7");
    assert_eq!(code, 0, "{err}");
    assert_eq!(first, plan("0x7").1);
    assert_ne!(first, plan("8").1);
}

#[test]
fn every_mistake_of_a_scenario_is_told_with_line_and_column() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = SCENARIO
        .replace("schema = 1", "schema = 9")
        .replace("replay-determinism", "replay-determinsm")
        .replace("do = \"connect\"", "do = \"conect\"");
    write(dir.path(), "two-events.toml", &wrong);
    let (code, _, err) = run(&["gate", "--scenarios", dir.path().to_str().unwrap()]);
    assert_eq!(code, 64, "{err}");
    for place in ["two-events.toml:1:", "two-events.toml:4:", "two-events.toml:8:"] {
        assert!(err.contains(place), "{place} in {err}");
    }
}

#[test]
fn a_directory_that_holds_no_bundle_exits_64() {
    let dir = tempfile::tempdir().unwrap();
    let (code, _, err) = run(&["recheck", dir.path().to_str().unwrap()]);
    assert_eq!(code, 64);
    assert!(err.contains("there is no evidence.json"), "{err}");
}

#[test]
fn a_document_that_can_not_be_read_exits_1() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "evidence.json", "{\"schema\": \"cutover.evidence/2\", \"sta");
    let (code, out, _) = run(&["recheck", dir.path().to_str().unwrap()]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("DOES NOT HOLD") && out.contains("cut short"), "{out}");
}

#[test]
fn evidence_is_never_written_over_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = write(dir.path(), "scenarios/two-events.toml", SCENARIO);
    let mine = write(dir.path(), "out/mine.txt", "mine");
    let (scenarios, out) = (scenario.parent().unwrap(), mine.parent().unwrap());
    let (code, _, err) = run(&["gate", "--scenarios", scenarios.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(code, 64);
    assert!(err.contains("is not empty"), "{err}");
}

#[test]
fn a_candidate_that_can_not_be_started_exits_3_and_leaves_a_bundle_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = write(dir.path(), "scenarios/two-events.toml", SCENARIO);
    let out = dir.path().join("out");
    let (scenarios, out) = (scenario.parent().unwrap().to_str().unwrap(), out.to_str().unwrap());
    let (code, said, err) =
        run(&["gate", "--scenarios", scenarios, "--out", out, "--candidate-bin", "/no/such/spacetimedb-standalone"]);
    assert_eq!(code, 3, "{err}");
    assert!(said.starts_with("seed ") && said.contains("BLOCK"), "{said}");
    assert!(err.contains("/no/such/spacetimedb-standalone"), "{err}");
    let evidence = std::fs::read_to_string(dir.path().join("out/evidence.json")).unwrap();
    assert!(evidence.contains("\"is\": \"failed\""), "{evidence}");
    let (code, said, err) = run(&["recheck", out]);
    assert_eq!(code, 2, "{said}{err}");
}

/// A server that is killed when the test ends, however it ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server, and the first line that it prints.
fn serving(args: &[&str]) -> (Server, String) {
    let child = cutover(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut server = Server(child.unwrap());
    let mut line = String::new();
    let stdout = server.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    (server, line)
}

#[test]
fn a_served_lane_says_where_it_listens_and_a_taken_port_exits_3() {
    let dir = tempfile::tempdir().unwrap();
    let data = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let serve = ["serve", "legacy", "--data-dir", &data("a")];
    let (_server, line) = serving(&serve);
    let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    let (code, _, err) = run(&["serve", "legacy", "--listen", &address, "--data-dir", &data("b")]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains(&address), "{err}");
}

#[test]
fn the_served_proxy_says_where_it_listens_and_its_seed_and_ends_when_asked() {
    let child = cutover(&["serve", "proxy", "--listen", "127.0.0.1:0", "--seed", "7"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut server = Server(child);
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let address = first.strip_prefix("listening on ").unwrap().to_owned();
    assert_eq!(lines.next().unwrap().unwrap(), "seed 7");
    let (code, _, err) = run(&["serve", "proxy", "--listen", &address]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains(&address), "{err}");
    let pid = nix::unistd::Pid::from_raw(server.0.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
}

/// One request to an API, and the body of its answer.
fn asked(address: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[cfg(unix)]
#[test]
fn by_the_name_of_toxiproxy_server_it_takes_its_flags_and_its_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("toxiproxy-server");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_cutover"), &program).unwrap();
    let config = dir.path().join("toxiproxy.json");
    std::fs::write(&config, r#"[{"name":"redis","listen":"127.0.0.1:0","upstream":"localhost:1"}]"#).unwrap();
    let command = |args: &[&str]| {
        let mut command = std::process::Command::new(&program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    };
    let child = command(&["-host", "127.0.0.1", "-port=0", "-config", config.to_str().unwrap(), "--seed", "-5"])
        .args(["-proxy-metrics", "-runtime-metrics=false"])
        .spawn()
        .unwrap();
    let mut server = Server(child);
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap().strip_prefix("listening on ").unwrap().to_owned();
    assert_eq!(lines.next().unwrap().unwrap(), format!("seed {}", -5_i64 as u64));
    let proxies: serde_json::Value = serde_json::from_str(&asked(&address, "/proxies")).unwrap();
    assert_eq!((&proxies["redis"]["enabled"], &proxies["redis"]["upstream"]), (&true.into(), &"localhost:1".into()));
    assert_eq!(asked(&address, "/version"), "{\"version\": \"2.12.0\"}\n");
    let version = command(&["-version"]).output().unwrap();
    assert_eq!((version.status.code(), &version.stdout[..]), (Some(0), &b"toxiproxy-server version 2.12.0\n"[..]));
}

#[test]
fn the_proxys_address_may_be_a_name_a_port_or_every_interface() {
    for (listen, begins) in [
        (&["--listen", "localhost:0"][..], "listening on 127.0.0.1:"),
        (&["--listen", "0"], "listening on 127.0.0.1:"),
        (&["--listen", ":0"], "listening on "),
        (&["-port", "0"], "listening on 127.0.0.1:"),
        (&["--host", "0.0.0.0", "--port", "0"], "listening on "),
    ] {
        let (_server, line) = serving(&[&["serve", "proxy"], listen].concat());
        assert!(line.starts_with(begins), "{listen:?}: {line}");
    }
    let (code, _, err) = run(&["serve", "proxy", "--listen", "nowhere"]);
    assert!(code == 64 && err.contains("`nowhere`") && err.contains("127.0.0.1:8474"), "{err}");
    let (code, _, err) = run(&["serve", "proxy", "--listen", "127.0.0.1:0", "--port", "1"]);
    assert!(code == 64 && err.contains("cannot be used with"), "{err}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = cutover(&["list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
