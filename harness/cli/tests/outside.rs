//! Runs over lanes that are not the built-in ones, and of a lane against itself, through the built binary.
#![allow(clippy::unwrap_used)]

mod support;

use cutover_core::evidence::ScenarioOutcome;
use support::*;

/// Scenarios of every kind: honest, a server killed, a defect planted in our server, one planted on the wire.
const KINDS: [&str; 8] = [
    "--scenario",
    "equal-streams",
    "--scenario",
    "legacy-killed",
    "--scenario",
    "drop-event",
    "--scenario",
    "candidate-drops-event",
];

fn with<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.iter().chain(&KINDS).copied().collect()
}

/// Names and outcomes of what was driven.
fn outcomes(dir: &std::path::Path, name: &str) -> Vec<(String, ScenarioOutcome)> {
    let scenarios = evidence(dir, name).judged.scenarios;
    scenarios.into_iter().map(|scenario| (scenario.name, scenario.outcome)).collect()
}

fn left_out(dir: &std::path::Path, name: &str) -> Vec<String> {
    evidence(dir, name).scope.left_out.into_keys().collect()
}

#[test]
#[cfg(feature = "engine")]
fn lanes_of_others_are_driven_again_and_again_and_nothing_is_left_in_them() {
    let dir = tempfile::tempdir().unwrap();
    let legacy = Server::start("legacy", &dir.path().join("legacy"));
    let candidate = Server::start("candidate", &dir.path().join("candidate"));
    let witness = Witness::before(candidate.address);
    let profile = format!("kind = \"phoenix\"\nsocket_url = \"{}\"\n", legacy.url());
    let profile = text(&write(dir.path(), "legacy.toml", &profile));
    for (name, legacy) in [("by-url", legacy.url()), ("by-profile", profile)] {
        let ran = gate(dir.path(), name, &with(&["--legacy", &legacy, "--candidate", &witness.url]));
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let driven = [
            ("equal-streams".to_owned(), ScenarioOutcome::Passed),
            ("candidate-drops-event".to_owned(), ScenarioOutcome::Caught),
        ];
        assert_eq!(outcomes(dir.path(), name), driven);
        assert_eq!(left_out(dir.path(), name), ["drop-event", "legacy-killed"]);
        assert!(ran.out.contains("Left out: 2 scenarios") && ran.out.contains("2 left out"), "{}", ran.out);
        assert_eq!(rechecked(dir.path(), name), 0);
    }
    // One for each scenario, and one for the trial before them.
    let created = witness.databases("PUT");
    assert_eq!(created.len(), 6, "{created:?}");
    assert_eq!(witness.databases("DELETE"), created);
    let args = ["--aa", "candidate", "--candidate", &witness.url, "--keep-databases"];
    let ran = gate(dir.path(), "kept", &[&args[..], &["--scenario", "equal-streams"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(ran.err.matches("kept the database `cutover-").count(), 3, "{}", ran.err);
    assert_eq!(witness.databases("DELETE"), created);
}

#[test]
#[cfg(feature = "engine")]
fn a_binary_of_somebody_elses_is_started_as_the_candidate() {
    let dir = tempfile::tempdir().unwrap();
    let body = format!(
        "[ \"$1 $2 $4 $6 $8\" = \"start --listen-addr --data-dir --jwt-priv-key-path --jwt-pub-key-path\" ] || exit 9\n\
         exec {} serve candidate --listen \"$3\" --data-dir \"$5\"",
        env!("CARGO_BIN_EXE_cutover")
    );
    let binary = program(dir.path(), "spacetimedb-standalone", &body);
    let args = ["--candidate-bin", &binary, "--scenario", "equal-streams"];
    let ran = gate(dir.path(), "out", &args);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(evidence(dir.path(), "out").lanes[&cutover_core::ids::LaneId::Candidate].what, binary);
}

#[test]
fn a_run_of_which_everything_is_left_out_shows_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // Nobody is there, and nobody is asked.
    let args = ["--legacy", "http://127.0.0.1:1", "--scenario", "legacy-killed"];
    let ran = gate(dir.path(), "out", &args);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("BLOCK") && ran.out.contains("which this tool did not start"), "{}", ran.out);
    assert_eq!(left_out(dir.path(), "out"), ["legacy-killed"]);
    for page in ["summary.md", "index.html", "junit.xml"] {
        let page = std::fs::read_to_string(dir.path().join("out").join(page)).unwrap();
        assert!(page.contains("which this tool did not start"), "{page}");
    }
    assert_eq!(rechecked(dir.path(), "out"), 2);
}

#[test]
fn the_legacy_lane_against_itself_gives_no_finding_and_planted_defects_are_caught() {
    let dir = tempfile::tempdir().unwrap();
    let ran = gate(dir.path(), "out", &with(&["--aa", "legacy"]));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let good = outcomes(dir.path(), "out");
    assert!(good.len() == 4 && good.iter().all(|(_, outcome)| outcome.is_good()), "{good:?}");
    assert_eq!(rechecked(dir.path(), "out"), 0);
}

#[test]
#[cfg(feature = "engine")]
fn the_candidate_against_itself_gives_no_finding_and_a_planted_defect_is_caught() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--aa", "candidate", "--scenario", "equal-streams", "--scenario", "*drop*-event"];
    let ran = gate(dir.path(), "out", &args);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(outcomes(dir.path(), "out").len(), 2);
    assert_eq!(left_out(dir.path(), "out"), ["drop-event"]);
    assert_eq!(rechecked(dir.path(), "out"), 0);
}

#[test]
fn the_legacy_lane_of_others_against_itself_shares_no_stream() {
    let dir = tempfile::tempdir().unwrap();
    let legacy = Server::start("legacy", &dir.path().join("legacy"));
    let args = ["--aa", "legacy", "--legacy", &legacy.url(), "--scenario", "equal-streams"];
    for name in ["once", "twice"] {
        let ran = gate(dir.path(), name, &args);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    }
}

#[test]
fn a_phoenix_service_can_be_the_candidate() {
    let dir = tempfile::tempdir().unwrap();
    let [legacy, candidate] = ["old", "new"].map(|name| Server::start("legacy", &dir.path().join(name)));
    let profile = format!("kind = \"phoenix\"\nsocket_url = \"{}\"\n", candidate.url());
    let profile = text(&write(dir.path(), "candidate.toml", &profile));
    let args = ["--legacy", &legacy.url(), "--candidate", &profile, "--scenario", "candidate-drops-event"];
    let ran = gate(dir.path(), "out", &[&args[..], &["--scenario", "equal-streams"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let driven = [
        ("equal-streams".to_owned(), ScenarioOutcome::Passed),
        ("candidate-drops-event".to_owned(), ScenarioOutcome::Caught),
    ];
    assert_eq!(outcomes(dir.path(), "out"), driven);
    assert_eq!(rechecked(dir.path(), "out"), 0);
}

/// Runs the gate over a lane that is unavailable: one error with these words, and a bundle that says so.
fn is_told(args: &[&str], code: i32, words: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let args: Vec<&str> = args.iter().chain(&["--scenario", "equal-streams"]).copied().collect();
    let ran = gate(dir.path(), "out", &args);
    assert_eq!(ran.code, code, "{args:?}: {}{}", ran.out, ran.err);
    assert_eq!(ran.err.matches("error: ").count(), 1, "{}", ran.err);
    for word in words {
        assert!(ran.err.contains(word), "`{word}` in {}", ran.err);
    }
    match code {
        // Nothing stands in the way of the corrected run.
        64 => assert!(!dir.path().join("out").exists()),
        _ => {
            assert!(says_failed(dir.path(), "out"));
            assert_eq!(rechecked(dir.path(), "out"), 2);
        }
    }
}

#[test]
fn a_lane_where_nobody_listens_is_told() {
    for lane in ["--legacy", "--candidate"] {
        is_told(&[lane, "http://127.0.0.1:1"], 3, &["127.0.0.1:1", "refused", "is it running"]);
    }
}

#[test]
fn a_web_server_in_a_lanes_place_is_told() {
    let url = answering(|_| (200, "text/html", "<!doctype html><title>Welcome</title>"));
    is_told(&["--legacy", &url], 3, &["legacy", &url, "HTML", "check URL and path"]);
    is_told(&["--candidate", &url], 3, &["candidate", &url, "HTML", "check host and port"]);
}

#[test]
fn a_lane_that_takes_no_token_of_ours_is_told() {
    let url = answering(|_| (403, "text/plain", ""));
    is_told(&["--legacy", &url], 3, &["legacy", &url, "403", "the lane may want a token"]);
    is_told(&["--legacy", &url, "--legacy-token", "x"], 3, &["403", "does not take this token"]);
    is_told(&["--candidate", &url], 3, &["candidate", &url, "403", "token"]);
}

#[test]
fn lanes_given_in_each_others_place_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let legacy = Server::start("legacy", dir.path());
    is_told(&["--candidate", &legacy.url()], 64, &["is a Phoenix service", "`--legacy` takes it"]);
    let spacetime = answering(|path| match path {
        "/v1/ping" => (200, "text/plain", ""),
        _ => (404, "text/plain", "not found"),
    });
    is_told(&["--legacy", &spacetime], 64, &["is a SpacetimeDB server", "`--candidate` takes it"]);
}

#[test]
fn a_lane_without_such_a_socket_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let legacy = Server::start("legacy", dir.path());
    let url = format!("{}/other/websocket", legacy.url());
    is_told(&["--legacy", &url], 64, &["there is no socket at `/other/websocket`"]);
}

#[test]
fn a_first_visit_that_is_put_off_is_asked_again() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let url = answering(move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 | 1 => (503, "text/plain", "later"),
        _ => (403, "text/plain", ""),
    });
    is_told(&["--legacy", &url], 3, &["403", "the lane may want a token"]);
}

#[test]
fn every_mistake_of_a_lane_profile_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let profile = "kind = \"phoenix\"\nsocket_url = \"ws://127.0.0.1:1\"\nchanel = \"x\"\n[publish]\nmetod = \"PUT\"\n";
    let path = text(&write(dir.path(), "lane.toml", profile));
    is_told(&["--legacy", &path], 64, &["lane.toml:3:1", "`chanel`", "lane.toml:5:1", "`metod`"]);
}

#[test]
fn a_service_that_sets_no_policies_is_told_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let legacy = Server::start("legacy", &dir.path().join("legacy"));
    let profile = |policy: &str| {
        let url = legacy.url();
        format!("kind = \"phoenix\"\nsocket_url = \"{url}\"\n[policy]\npath = \"{policy}\"\n")
    };
    let wrong = text(&write(dir.path(), "wrong.toml", &profile("/elsewhere/{topic}")));
    is_told(
        &["--aa", "legacy", "--legacy", &wrong],
        64,
        &["`policy.path = \"/elsewhere/{topic}\"`", "HTTP 404", "`path` and `method` of [policy]"],
    );
    let without = text(&write(dir.path(), "without.toml", &profile("")));
    let args =
        ["--aa", "legacy", "--legacy", &without, "--scenario", "equal-streams", "--scenario", "stale-one-of-two"];
    let ran = gate(dir.path(), "out", &args);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(left_out(dir.path(), "out"), ["stale-one-of-two"]);
}

#[test]
fn a_name_of_a_profile_that_the_service_does_not_have_ends_the_run_before_it_begins() {
    let dir = tempfile::tempdir().unwrap();
    let legacy = Server::start("legacy", &dir.path().join("legacy"));
    for (at, lines, words) in [
        ("a", "[fields]\nwatermark = \"seqno\"", ["`fields.watermark = \"seqno\"`", "watermark (a number)"]),
        ("b", "[publish]\nseq = \"number\"", ["`publish.seq = \"number\"`", "payload_hash (text), seq (a number)"]),
        ("c", "[events]\nupdate_batch = \"sync:batch\"", ["`events.update_batch", "events seen: sync:update_batch"]),
        ("d", "[events]\nsubscribe = \"sync:sub\"", ["`events.subscribe", "the channel ended with phx_error"]),
        ("e", "[publish]\npath = \"/publish\"", ["`publish.path", "HTTP 404"]),
        (
            "f",
            "[publish]\npayload = \"body\"",
            ["`publish.payload = \"body\"`", "it has the fields `topic`, `idempotency_key`, `body`"],
        ),
        ("g", "channel = \"sync:v2\"", ["unmatched topic", "`channel` of the lane profile"]),
    ] {
        let profile = format!("kind = \"phoenix\"\nsocket_url = \"{}\"\n{lines}\n", legacy.url());
        let path = text(&write(dir.path(), &format!("{at}.toml"), &profile));
        is_told(&["--aa", "legacy", "--legacy", &path], 64, &words);
    }
}

#[test]
#[cfg(feature = "engine")]
fn a_binary_is_spoken_to_as_a_profile_says() {
    let dir = tempfile::tempdir().unwrap();
    let cutover = env!("CARGO_BIN_EXE_cutover");
    let body = format!("exec {cutover} serve candidate --listen \"$3\" --data-dir \"$5\"");
    let binary = program(dir.path(), "spacetimedb-standalone", &body);
    let profile = |subprotocol: &str| {
        let lines = format!("kind = \"spacetime\"\nurl = \"http://127.0.0.1:1\"\nsubprotocols = [\"{subprotocol}\"]\n");
        text(&write(dir.path(), &format!("{subprotocol}.toml"), &lines))
    };
    let v1 = profile("v1.bsatn.spacetimedb");
    let args = ["--aa", "candidate", "--candidate-bin", &binary, "--candidate", &v1];
    let ran = gate(dir.path(), "out", &[&args[..], &["--scenario", "equal-streams"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    // A 1.2.0 server speaks no v2.
    let v2 = profile("v2.bsatn.spacetimedb");
    is_told(
        &["--aa", "candidate", "--candidate-bin", &binary, "--candidate", &v2],
        3,
        &["was tried before the run", "offers v2.bsatn.spacetimedb"],
    );
    let ran = gate(dir.path(), "both", &["--candidate-bin", &binary, "--candidate", "http://127.0.0.1:1"]);
    assert_eq!(ran.code, 64, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("--candidate-bin starts one"), "{}", ran.err);
}

#[test]
#[cfg(feature = "engine")]
fn a_server_of_ours_that_ends_by_itself_is_told_with_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let cutover = env!("CARGO_BIN_EXE_cutover");
    // It ends once the first database is there.
    let body = format!(
        "{cutover} serve candidate --listen \"$3\" --data-dir \"$5\" & server=$!\n\
         until [ -d \"$5/replicas\" ] && [ -n \"$(ls \"$5/replicas\")\" ]; do sleep 0.02; done\n\
         echo 'no space left on device' >&2; kill -9 $server; exit 101"
    );
    let binary = program(dir.path(), "spacetimedb-standalone", &body);
    is_told(
        &["--candidate-bin", &binary],
        3,
        &[&binary, "ended by itself", "exit code 101", "no space left on device"],
    );
}

#[test]
fn a_redirect_is_told_with_its_target() {
    let url = redirecting("https://sync.example.com/elsewhere");
    for lane in ["--legacy", "--candidate"] {
        is_told(&[lane, &url], 3, &["HTTP 301", "https://sync.example.com/elsewhere", "redirects are not followed"]);
    }
}

#[test]
fn a_lane_without_tls_behind_https_is_told() {
    let url = answering(|_| (404, "text/plain", "")).replace("http://", "https://");
    for lane in ["--legacy", "--candidate"] {
        is_told(&[lane, &url], 3, &["speak TLS"]);
    }
}

#[test]
fn a_binary_that_can_not_serve_is_told_with_its_own_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let ends = program(dir.path(), "spacetimedb-standalone", "echo no such option >&2; exit 7");
    is_told(&["--candidate-bin", &ends], 3, &[&ends, "exit code 7", "no such option", "start --listen-addr"]);
    let plain = text(&write(dir.path(), "spacetime", "no program"));
    is_told(&["--candidate-bin", &plain], 3, &[&plain, "chmod +x"]);
    is_told(&["--candidate-bin", "/no/such/spacetime"], 3, &["/no/such/spacetime"]);
}
