//! What is told before a server is asked, or where none answers.

use super::runs::*;
use super::{fronts, support::*};

#[test]
fn what_is_missing_or_malformed_is_told_for_each_variable() {
    let dir = tempfile::tempdir().unwrap();
    let variables = [("OA_SPACETIME_DEV_HTTP_BASE_URL", "example.com"), ("OA_SPACETIME_DEV_HEALTH_PATH", "health")];
    let ran = hosted(dir.path(), "out", &["provision-check", "dev"], &variables);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    for word in ["HTTP_BASE_URL", "DEV_DATABASE", "HEALTH_PATH", "is not set", "not checked, because of `variables`"] {
        assert!(ran.out.contains(word), "`{word}` in {}", ran.out);
    }
    assert_eq!(rechecked(dir.path(), "out"), 1);
    // Commands that need the whole environment do not begin.
    for command in [["handshake", "dev"], ["deploy", "dev"]] {
        let ran = hosted(dir.path(), command[0], &command, &variables);
        assert_eq!(ran.code, 64, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("DEV_DATABASE: is not set") && !dir.path().join(command[0]).exists(), "{}", ran.err);
    }
}

#[test]
fn a_server_that_is_down_or_another_one_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let page = answering(|_| (200, "text/html", "<!doctype html><title>Welcome</title>"));
    let unwell = answering(|_| (503, "text/plain", "starting"));
    for (name, url, of, outcome, words) in [
        ("down", "http://127.0.0.1:1", "connect", "failed", ["refused", "is the server running"]),
        ("page", &page, "health", "failed", ["HTML", "another port"]),
        ("unwell", &unwell, "health", "unknown", ["503", "not well"]),
        ("nowhere", "http://no-such-host.invalid", "dns", "failed", ["can't be resolved", "DNS"]),
    ] {
        let ran = hosted(dir.path(), name, &["provision-check", "dev"], &dev(url, &[]));
        assert_eq!(ran.code, if outcome == "failed" { 1 } else { 2 }, "{name}: {}{}", ran.out, ran.err);
        is(dir.path(), name, of, outcome, &words);
        is(dir.path(), name, "schema", "unknown", &["not checked", of]);
    }
    let ran = hosted(dir.path(), "handshake", &["handshake", "dev"], &dev("http://127.0.0.1:1", &[]));
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let ran = hosted(dir.path(), "deploy", &["deploy", "dev"], &dev("http://127.0.0.1:1", &[]));
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
}

#[test]
fn a_server_that_says_nothing_is_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let ran = hosted(dir.path(), "out", &["provision-check", "dev"], &dev(&fronts::silent(), &[]));
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    is(dir.path(), "out", "health", "unknown", &["did not answer", "operation"]);
}

#[test]
fn arguments_that_can_not_be_meant_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut variables = dev("http://127.0.0.1:1", &[]);
    variables
        .extend([("OA_SPACETIME_PROD_HTTP_BASE_URL", "http://127.0.0.1:1"), ("OA_SPACETIME_PROD_DATABASE", "sync")]);
    variables.push(("OA_SPACETIME_PROD_DISPOSABLE", "true"));
    for (args, words) in [
        (&["deploy", "prod"][..], ["promotes what staging has", "--promote-from"]),
        (&["deploy", "prod", "--plan", "--pr", "12"], ["no database for a pull request", "dev or staging"]),
        (&["deploy", "dev", "--reset", "sync"], ["is not disposable", "OA_SPACETIME_DEV_DISPOSABLE"]),
        (&["deploy", "dev", "--reset", "other"], ["the database is `sync`", "type the name"]),
        (&["deploy", "dev", "--fingerprint", "12"], ["no fingerprint", "sha256:"]),
        (&["deploy", "dev", "--pr", "///"], ["no letter", "number or a branch"]),
        (&["handshake", "dev", "--table", "a b"], ["no name of a table", "letters"]),
        (&["deploy", "dev", "--promote-from", "/no/such"], ["/no/such", "`cutover deploy` wrote"]),
    ] {
        let ran = hosted(dir.path(), "out", args, &variables);
        assert_eq!(ran.code, 64, "{args:?}: {}{}", ran.out, ran.err);
        for word in words {
            assert!(ran.err.contains(word), "`{word}` in {}", ran.err);
        }
    }
    let ran = hosted(dir.path(), "out", &["deploy", "prod", "--promote-from", "x", "--reset", "sync"], &variables);
    assert!(ran.code == 64 && ran.err.contains("not disposable"), "{}", ran.err);
}
