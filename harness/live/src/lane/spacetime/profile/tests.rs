#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn a_candidate_may_lie_below_a_path() {
    let at = |url: &str| SpacetimeProfile::of_url(url).unwrap();
    assert_eq!((at("http://h").base(), at("http://h/").base()), (String::new(), String::new()));
    assert_eq!(at("http://h/a/stdb/").base(), "/a/stdb");
    let there = at("http://h/stdb/v1/database/sync");
    assert_eq!((there.base().as_str(), there.database.as_deref()), ("/stdb", Some("sync")));
    let text = "kind = \"spacetime\"\nurl = \"http://h/stdb\"";
    let profile = SpacetimeProfile::of_toml(text, "lane.toml").unwrap();
    assert_eq!((profile.base().as_str(), profile.socket_origin().port), ("/stdb", 80));
}

#[test]
fn a_url_may_name_a_database_that_is_there_already() {
    let profile = SpacetimeProfile::of_url("http://h:3000").unwrap();
    assert!(profile.publishes_module());
    let there = SpacetimeProfile::of_url("http://h:3000/v1/database/sync").unwrap();
    assert_eq!(there.database.as_deref(), Some("sync"));
    assert!(!there.publishes_module());
    for wrong in ["http://h:3000/v1", "http://h:3000/v1/database/a/subscribe", "http://h/x/v1/database/"] {
        assert!(SpacetimeProfile::of_url(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_profile_in_the_documentation_shows_the_defaults() {
    let page = include_str!("../../../../../../docs/LANES.md");
    let mut blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.starts_with("kind = \"spacetime\"")).unwrap();
    let profile = SpacetimeProfile::of_toml(block, "docs/LANES.md").unwrap();
    let default = SpacetimeProfile::of_url("https://maincloud.spacetimedb.com").unwrap();
    assert_eq!(profile.socket_origin(), default.socket_origin());
    assert_eq!(SpacetimeProfile { url: default.url.clone(), ..profile }, default);
}

#[test]
fn a_server_that_is_started_for_the_run_needs_no_url() {
    let of = |text: &str| SpacetimeProfile::of_toml(text, "p.toml").unwrap();
    assert!(of("kind = \"spacetime\"\nconfirmed = true").is_without_url());
    assert!(!of("kind = \"spacetime\"\nurl = \"http://127.0.0.1:1\"").is_without_url());
}

#[test]
fn the_description_of_a_module_in_the_documentation_shows_the_module_of_this_project() {
    let page = include_str!("../../../../../../docs/LANES.md");
    let page = page.split("## A module of your own").nth(1).unwrap();
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let profile = SpacetimeProfile::of_toml(block, "docs/LANES.md").unwrap();
    assert_eq!(profile, SpacetimeProfile::default());
}

#[test]
fn the_profiles_of_other_modules_are_read() {
    for (text, global) in [
        (include_str!("../../../../../../lanes/append-only.example.toml"), true),
        (include_str!("../../../../../../spacetime/fixtures/renamed/lane.toml"), false),
    ] {
        let profile = SpacetimeProfile::of_toml(text, "lane.toml").unwrap();
        let means = profile.means();
        assert!(means.other_module && !means.sets_policies);
        assert_eq!(profile.shape().keys.scope == super::super::shape::KeyScope::Global, global);
        assert!(profile.is_without_url() && profile.of_managed_server().is_some());
    }
}

#[test]
fn every_mistake_in_the_description_of_a_module_is_told_with_its_place() {
    let text = "kind = \"spacetime\"\nurl = \"http://h\"\n[events]\nseq = \"\"\n\
                [append]\narguments = [\"{stream}\", \"{sum}\"]\n";
    let error = SpacetimeProfile::of_toml(text, "lane.toml").unwrap_err().to_string();
    for words in ["lane.toml:4:7: `events.seq` is empty", "lane.toml:6:13: `{sum}` stands for nothing", "\"{payload}\""]
    {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert!(SpacetimeProfile::of_toml("kind = \"spacetime\"\n[event]\ntable = \"x\"", "lane.toml").is_err());
}
