#![allow(clippy::unwrap_used)]

use super::*;

fn phoenix(text: &str) -> PhoenixProfile {
    match LaneTarget::of_toml(text, "lane.toml").unwrap() {
        LaneTarget::Phoenix(profile) => *profile,
        other => panic!("{other:?}"),
    }
}

fn error(text: &str) -> ProfileError {
    LaneTarget::of_toml(text, "lane.toml").err().unwrap()
}

#[test]
fn a_url_without_a_path_leads_to_the_contracts_socket() {
    let LaneTarget::Phoenix(profile) = LaneTarget::parse(LaneId::Legacy, "https://sync.example").unwrap() else {
        panic!()
    };
    assert_eq!(profile.socket_path(), "/sync/socket/websocket");
    assert_eq!(profile.socket_origin(), Origin { tls: true, host: "sync.example".to_owned(), port: 443 });
    assert_eq!(profile.socket_origin().authority(), "sync.example");
    assert_eq!(profile.writer_path(&profile.publish.path), "/internal/v1/sync/publish");
}

#[test]
fn a_token_in_the_url_is_a_token_and_is_never_shown() {
    let profile =
        PhoenixProfile::of_url("ws://127.0.0.1:4000/socket/websocket?token=s3cret&vsn=2.0.0&tenant=a").unwrap();
    assert_eq!(profile.token.as_ref().map(Secret::reveal), Some("s3cret"));
    assert_eq!(profile.query.get("tenant").map(String::as_str), Some("a"));
    assert!(!format!("{profile:?}").contains("s3cret"));
}

#[test]
fn a_profile_renames_what_differs_and_keeps_the_rest() {
    let profile = phoenix(
        "kind = \"phoenix\"\nsocket_url = \"ws://h:1/s\"\nhttp_url = \"http://h:2/api\"\nserializer = \"v2\"\n\
         payload_hash = \"none\"\n[publish]\npath = \"/p\"\nseq = \"n\"\n[policy]\npath = \"\"\n[events]\nsubscribe = \"sub\"\n",
    );
    assert_eq!(profile.writer_path(&profile.publish.path), "/api/p");
    assert_eq!(profile.writer_origin().port, 2);
    assert_eq!(profile.publish.seq, "n");
    assert_eq!(profile.publish.payload, "payload");
    assert_eq!(profile.events.subscribe, "sub");
    assert_eq!(profile.events.frame, "sync:frame");
    assert_eq!(profile.policy.path, None);
}

#[test]
fn an_unknown_key_is_refused_with_line_and_column() {
    let error = error("kind = \"phoenix\"\nsocket_url = \"ws://h:1/s\"\ntokn = \"x\"\n");
    assert_eq!(error.at, "lane.toml:3:1");
    assert!(error.what.contains("tokn"), "{error}");
}

#[test]
fn each_mistake_says_how_to_mend_it() {
    let cases = [
        ("x", "docs/LANES.md"),
        ("socket_url = \"ws://h\"", "kind"),
        ("kind = \"mqtt\"", "phoenix"),
        ("kind = \"phoenix\"", "docs/LANES.md"),
        ("kind = \"phoenix\"\nsocket_url = \"h:1\"", "http"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://u:p@h\"", "token"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[policy]\npath = \"/x\"", "{topic}"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\nmethod = \"NO WAY\"", "POST"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\ntoken_env = \"CUTOVER_NO_SUCH_VARIABLE\"", "set it"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\ntopic = \"\"", "put `{topic}` into the path"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\nidempotency_key = \"\"", "the header of the key"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\nidempotency_header = \"a b\"", "Idempotency-Key"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\npayload = \"\"", "the key into a header"),
        ("kind = \"phoenix\"\nsocket_url = \"ws://h\"\n[publish]\nanswer = \"data\"", "`/data`"),
        ("kind = \"spacetime\"\nurl = \"http://h/v1/database/db\"", "database"),
        ("kind = \"spacetime\"\nurl = \"http://h\"\nsubprotocols = [\"v9\"]", "v3.bsatn.spacetimedb"),
        ("kind = \"spacetime\"\nurl = \"http://h\"\nwebsocket_path = \"/x\"", "{database}"),
    ];
    for (text, hint) in cases {
        let error = error(text).to_string();
        assert!(error.contains("lane.toml") && error.contains(hint), "{text}: {error}");
    }
}

#[test]
fn a_candidates_url_may_name_a_database_that_is_there_already() {
    let LaneTarget::Spacetime(profile) = LaneTarget::parse(LaneId::Candidate, "http://h:3000").unwrap() else {
        panic!()
    };
    assert!(profile.publishes_module());
    let there = SpacetimeProfile::of_url("http://h:3000/v1/database/sync").unwrap();
    assert_eq!(there.database.as_deref(), Some("sync"));
    assert!(!there.publishes_module());
    for wrong in ["http://h:3000/v1", "http://h:3000/v1/database/a/subscribe", "http://h/x/v1/database/"] {
        assert!(SpacetimeProfile::of_url(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_candidate_may_lie_below_a_path() {
    let at = |url: &str| SpacetimeProfile::of_url(url).unwrap();
    assert_eq!((at("http://h").base(), at("http://h/").base()), (String::new(), String::new()));
    assert_eq!(at("http://h/a/stdb/").base(), "/a/stdb");
    let there = at("http://h/stdb/v1/database/sync");
    assert_eq!((there.base().as_str(), there.database.as_deref()), ("/stdb", Some("sync")));
    let text = "kind = \"spacetime\"\nurl = \"http://h/stdb\"";
    let LaneTarget::Spacetime(profile) = LaneTarget::of_toml(text, "lane.toml").unwrap() else { panic!() };
    assert_eq!((profile.base().as_str(), profile.origin().port), ("/stdb", 80));
}

#[test]
fn a_path_that_is_no_file_says_so() {
    let error = LaneTarget::parse(LaneId::Legacy, "no/such/profile.toml").err().unwrap();
    assert!(error.to_string().contains("TOML file"), "{error}");
}

#[test]
fn the_profiles_in_the_documentation_are_read_and_show_the_defaults() {
    let page = include_str!("../../../../../docs/LANES.md");
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let shown = |text: &str| LaneTarget::of_toml(text, "docs/LANES.md").unwrap_or_else(|error| panic!("{error}"));
    let phoenix = PhoenixProfile::of_url("wss://sync.example.com/sync/socket/websocket").unwrap();
    assert_eq!(shown(blocks[0]), LaneTarget::Phoenix(Box::new(phoenix)));
    let spacetime = SpacetimeProfile::of_url("https://maincloud.spacetimedb.com").unwrap();
    let LaneTarget::Spacetime(profile) = shown(blocks[1]) else { panic!() };
    assert_eq!(profile.origin(), spacetime.origin());
    assert_eq!(SpacetimeProfile { url: spacetime.url.clone(), ..*profile }, spacetime);
    // What is commented out is read as well.
    for block in blocks {
        let uncommented: Vec<String> = block
            .lines()
            .filter(|line| !line.starts_with("# ") && !line.starts_with("#token_env"))
            .map(|line| line.trim_start_matches('#').to_owned())
            .collect();
        shown(&uncommented.join("\n"));
    }
}

#[test]
fn every_mistake_of_a_profile_is_told_with_its_place() {
    let text =
        "kind = \"phoenix\"\nsocket_url = 5\nchanel = \"x\"\n[pubish]\npath = \"/p\"\n[publish]\nmetod = \"PUT\"\n";
    let error = LaneTarget::of_toml(text, "lane.toml").unwrap_err().to_string();
    let mut places: Vec<_> = error.lines().filter_map(|line| line.split(": ").next()).collect();
    places.sort_unstable();
    assert_eq!(places, ["lane.toml:2:14", "lane.toml:3:1", "lane.toml:4:2", "lane.toml:7:1"], "{error}");
}

#[test]
fn a_server_that_is_started_for_the_run_needs_no_url() {
    let of = |text: &str| LaneTarget::of_toml(text, "p.toml").unwrap();
    let without = |target| matches!(target, LaneTarget::Spacetime(profile) if profile.is_without_url());
    assert!(without(of("kind = \"spacetime\"\nconfirmed = true")));
    assert!(!without(of("kind = \"spacetime\"\nurl = \"http://127.0.0.1:1\"")));
}
