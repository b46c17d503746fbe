//! `provision-check` and `handshake` against a real server, and fronts before it.

use super::lane::Lane;
use super::runs::*;
use super::tokens::Issuer;
use super::{fronts, support::*};

trait Checks {
    fn check(&self, name: &str, url: &str, more: &[(&str, &str)]) -> Ran;
}

impl Checks for Lane {
    /// Runs `provision-check dev` at a URL with the owner's token.
    fn check(&self, name: &str, url: &str, more: &[(&str, &str)]) -> Ran {
        let mut variables = dev(url, &[("OA_SPACETIME_DEV_TOKEN", &self.token)]);
        variables.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        variables.extend(more);
        hosted(self.path(), name, &["provision-check", "dev"], &variables)
    }
}

#[test]
fn a_lane_that_is_provisioned_passes_and_its_token_is_seen_nowhere() {
    let lane = Lane::start("sync");
    let issuer = [("OA_SPACETIME_DEV_TOKEN_ISSUER", "localhost")];
    let ran = lane.check("out", &lane.server.url(), &issuer);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for of in ["variables", "dns", "connect", "health", "version", "clock", "token", "token-issuer", "schema"] {
        is(lane.path(), "out", of, "passed", &[]);
    }
    is(lane.path(), "out", "subprotocols", "passed", &["v1.bsatn.spacetimedb at /v1/database/{database}/subscribe"]);
    is(lane.path(), "out", "database", "passed", &["owned by this token's identity"]);
    is(lane.path(), "out", "fingerprint", "skipped", &["sha256:", "OA_SPACETIME_DEV_FINGERPRINT=sha256:"]);
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80 || line.contains('/')), "{}", ran.out);
    assert_eq!(rechecked(lane.path(), "out"), 0);
    let written = std::fs::read_to_string(lane.path().join("out/stage.json")).unwrap();
    assert!(!written.contains(&lane.token) && !ran.out.contains(&lane.token) && !ran.err.contains(&lane.token));
    let ran = lane.check("version", &lane.server.url(), &[("OA_SPACETIME_DEV_VERSION", "2")]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "version", "version", "failed", &["SpacetimeDB 1.2.0, and 2 is expected"]);
    // The fingerprint that was seen is then pinned.
    let seen = record(lane.path(), "out")["facts"]["fingerprint"]["seen"].as_str().unwrap().to_owned();
    let ran = lane.check("pinned", &lane.server.url(), &[("OA_SPACETIME_DEV_FINGERPRINT", &seen)]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    is(lane.path(), "pinned", "fingerprint", "passed", &["as pinned"]);
    let other = format!("sha256:{}", "0".repeat(64));
    let ran = lane.check("other", &lane.server.url(), &[("OA_SPACETIME_DEV_FINGERPRINT", &other)]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "other", "fingerprint", "failed", &["right server"]);
}

#[test]
fn an_edited_record_does_not_hold() {
    let lane = Lane::start("sync");
    lane.check("out", &lane.server.url(), &[("OA_SPACETIME_DEV_DATABASE", "none")]);
    assert_eq!(rechecked(lane.path(), "out"), 1);
    let path = lane.path().join("out/stage.json");
    let edited = std::fs::read_to_string(&path).unwrap().replace("\"failed\"", "\"passed\"");
    std::fs::write(&path, edited).unwrap();
    let ran = run(&["recheck", &text(&lane.path().join("out"))]);
    assert!(ran.code == 1 && ran.out.contains("DOES NOT HOLD"), "{}", ran.out);
}

#[test]
fn a_private_authority_is_trusted_only_where_it_is_named() {
    let lane = Lane::start("sync");
    let front = fronts::tls(lane.server.address, lane.path());
    let ran = lane.check("unknown", &front.url, &[]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "unknown", "tls", "failed", &["unknown issuer", "OA_SPACETIME_DEV_CA_FILE"]);
    is(lane.path(), "unknown", "token", "unknown", &["not checked, because of `tls`"]);
    let authority = text(&front.authority);
    let ran = lane.check("named", &front.url, &[("SSL_CERT_FILE", &authority)]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    is(lane.path(), "named", "tls", "passed", &[]);
    is(lane.path(), "named", "subprotocols", "passed", &["v1.bsatn"]);
    // The variable of the environment does the same, and no other authority is trusted then.
    let file = [("OA_SPACETIME_DEV_CA_FILE", authority.as_str())];
    let ran = lane.check("variable", &front.url, &file);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    is(lane.path(), "variable", "tls", "passed", &[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let other = text(&fronts::tls(lane.server.address, elsewhere.path()).authority);
    let ran = lane.check("wrong", &front.url, &[("OA_SPACETIME_DEV_CA_FILE", &other), ("SSL_CERT_FILE", &authority)]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "wrong", "tls", "failed", &["is of no issuer in", &other]);
    let none = text(&write(lane.path(), "empty.pem", "no certificate\n"));
    for (name, file, words) in
        [("empty", none.as_str(), "has no certificate"), ("gone", "/no/such.pem", "/no/such.pem")]
    {
        lane.check(name, &front.url, &[("OA_SPACETIME_DEV_CA_FILE", file)]);
        is(lane.path(), name, "variables", "failed", &[words]);
    }
    let plain = front.url.replace("https://localhost", "https://127.0.0.1");
    let ran = lane.check("name", &plain, &[("SSL_CERT_FILE", &authority)]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "name", "tls", "failed", &["of another name"]);
}

#[test]
fn a_clock_that_is_off_is_told() {
    let lane = Lane::start("sync");
    let ran = lane.check("out", &fronts::of_another_time(lane.server.address), &[]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "out", "clock", "failed", &["s behind this machine", "NTP"]);
}

#[test]
fn a_token_is_judged_by_the_server_and_by_its_claims() {
    let lane = Lane::start("sync");
    let issuer = Issuer::start();
    let url = lane.server.url();
    let stranger = Lane::start("sync");
    let good =
        [("OA_SPACETIME_DEV_TOKEN_ISSUER", issuer.name()), ("OA_SPACETIME_DEV_TOKEN_AUDIENCE", issuer.audience())];
    let with =
        |name: &str, token: &str| lane.check(name, &url, &[&[("OA_SPACETIME_DEV_TOKEN", token)], &good[..]].concat());
    let ran = with("good", &issuer.token(3600));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    is(lane.path(), "good", "database", "passed", &["another identity than this token's"]);
    is(lane.path(), "good", "token-audience", "passed", &["takes any audience"]);
    for (name, token, of, outcome, words) in [
        ("expiring", issuer.token(120), "token-life", "failed", "within the run"),
        ("expired", issuer.token(-600), "token-life", "failed", "expired"),
        ("refused", issuer.token(-600), "token", "failed", "401"),
        ("garbage", "not-to-be-seen".to_owned(), "token", "failed", "no JWT"),
        ("stranger", stranger.token.clone(), "token", "failed", "401"),
        ("of-another", lane.token.clone(), "token-issuer", "failed", "is expected"),
    ] {
        let ran = with(name, &token);
        assert_eq!(ran.code, 1, "{name}: {}{}", ran.out, ran.err);
        is(lane.path(), name, of, outcome, &[words]);
        assert!(!ran.out.contains(&token) && !ran.err.contains(&token), "{name}");
    }
}

#[test]
fn what_is_not_there_of_a_database_is_told() {
    let lane = Lane::start("sync");
    let url = lane.server.url();
    let ran = lane.check("none", &url, &[("OA_SPACETIME_DEV_DATABASE", "none")]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "none", "database", "failed", &["no database `none`", "cutover deploy"]);
    let socket = [("OA_SPACETIME_DEV_WEBSOCKET_PATH", "/elsewhere/{database}")];
    let ran = lane.check("path", &url, &socket);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "path", "subprotocols", "failed", &["404", "OA_SPACETIME_DEV_WEBSOCKET_PATH"]);
}

#[test]
fn two_clients_are_counted_as_they_come_and_go() {
    let lane = Lane::start("sync");
    let variables =
        dev(&lane.server.url(), &[]).into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect::<Vec<_>>();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let ran = hosted(lane.path(), "out", &["handshake", "dev", "--repeat", "2"], &variables);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    is(lane.path(), "out", "count-during", "passed", &["2 of ours in each of 2 rounds, and 0 others"]);
    is(lane.path(), "out", "told-of-kill", "passed", &["p50"]);
    assert_eq!(rechecked(lane.path(), "out"), 0);
    // The server notices such a client only after a minute or two.
    let half = ["handshake", "dev", "--repeat", "1", "--half-open", "1", "--format", "json"];
    let ran = hosted(lane.path(), "half", &half, &variables);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "half", "told-of-half-open", "failed", &["not within"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&ran.out).unwrap(), record(lane.path(), "half"));
    let ran = hosted(lane.path(), "table", &["handshake", "dev", "--table", "no_such_table"], &variables);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    is(lane.path(), "table", "rounds", "unknown", &["no_such_table"]);
}

#[test]
fn a_handshake_through_tls_passes() {
    let lane = Lane::start("sync");
    let front = fronts::tls(lane.server.address, lane.path());
    let authority = text(&front.authority);
    let variables = dev(&front.url, &[("OA_SPACETIME_DEV_CA_FILE", &authority)]);
    let ran = hosted(lane.path(), "out", &["handshake", "dev", "--repeat", "1"], &variables);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let variables = dev(&front.url, &[]);
    let ran = hosted(lane.path(), "untrusted", &["handshake", "dev", "--repeat", "1"], &variables);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
}

#[test]
fn lanes_of_profiles_trust_the_authority_that_they_name() {
    let lane = Lane::start("sync");
    let legacy = Server::start("legacy", &lane.path().join("legacy"));
    let fronts = [legacy.address, lane.server.address].map(|at| {
        let dir = tempfile::tempdir().unwrap();
        (fronts::tls(at, dir.path()), dir)
    });
    let [(phoenix, _legacy_dir), (spacetime, _candidate_dir)] = &fronts;
    let of = |url: &str, kind: &str, front: &fronts::TlsFront, more: &str| {
        let profile = format!("kind = \"{kind}\"\n{url} = \"{}\"\nca_file = {:?}\n{more}", front.url, front.authority);
        text(&write(lane.path(), &format!("{kind}.toml"), &profile))
    };
    let legacy = of("socket_url", "phoenix", phoenix, "");
    let candidate = of("url", "spacetime", spacetime, "");
    let args = ["--legacy", &legacy, "--candidate", &candidate, "--scenario", "equal-streams"];
    let ran = gate(lane.path(), "gate", &args);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    // The other one's authority is not its own.
    let wrong =
        of("url", "spacetime", &fronts::TlsFront { authority: phoenix.authority.clone(), ..spacetime.clone() }, "");
    let args = ["--legacy", &legacy, "--candidate", &wrong, "--scenario", "equal-streams"];
    let ran = gate(lane.path(), "wrong", &args);
    assert!(ran.code == 3 && ran.err.contains("is of no issuer in"), "{}{}", ran.out, ran.err);
}
