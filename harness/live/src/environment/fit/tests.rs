#![allow(clippy::unwrap_used)]
use std::path::Path;

use cutover_core::ids::Seed;
use cutover_core::scenario::{Scenario, compile};

use super::*;
use crate::lane::protocols::profile_of_toml;
use crate::lane::spacetime::SpacetimeProfile;

/// The plan of a stock scenario.
fn plan(name: &str) -> Plan {
    let stock = cutover_core::scenario::stock();
    let (path, text) = stock.iter().find(|(path, _)| path.ends_with(&format!("/{name}.toml"))).unwrap();
    compile(&Scenario::parse(path, text).unwrap(), Seed(7))
}

fn legacy(more: &str) -> Source {
    let text = format!("kind = \"phoenix\"\nsocket_url = \"ws://127.0.0.1:4000\"\n{more}");
    Source::Outside(profile_of_toml(&text, "lane.toml").unwrap())
}

fn candidate(more: &str) -> Source {
    let text = format!("kind = \"spacetime\"\nurl = \"http://127.0.0.1:3000\"\n{more}");
    Source::Outside(profile_of_toml(&text, "lane.toml").unwrap())
}

fn environment(legacy: Source, candidate: Source) -> Environment {
    Environment::new(Path::new("cutover"), Path::new("work"), "x1", legacy, candidate)
}

/// Whether each of these scenarios can run in the environment.
fn fit<const N: usize>(environment: &Environment, aa: Option<LaneId>, names: [&str; N]) -> [bool; N] {
    names.map(|name| environment.unfit(&plan(name), aa).is_none())
}

const KINDS: [&str; 5] = ["equal-streams", "legacy-killed", "candidate-killed", "drop-event", "candidate-drops-event"];

#[test]
fn lanes_of_our_own_can_be_put_through_anything() {
    let ours = environment(Source::Bundled, Source::Bundled);
    assert_eq!(fit(&ours, None, KINDS), [true; 5]);
    let binary = environment(
        Source::Bundled,
        Source::Binary { path: "spacetimedb-standalone".into(), profile: Arc::new(SpacetimeProfile::default()) },
    );
    assert_eq!(fit(&binary, None, KINDS), [true; 5]);
}

#[test]
fn a_server_that_is_not_ours_is_not_killed_and_nothing_is_planted_in_it() {
    let outside = environment(legacy(""), Source::Bundled);
    assert_eq!(fit(&outside, None, KINDS), [true, false, true, false, true]);
    let outside = environment(Source::Bundled, candidate(""));
    assert_eq!(fit(&outside, None, KINDS), [true, true, false, true, true]);
}

#[test]
fn a_lane_against_itself_is_asked_of_that_lane_only() {
    let outside = environment(legacy(""), Source::Bundled);
    assert_eq!(fit(&outside, Some(LaneId::Candidate), KINDS), [true, true, true, false, true]);
    assert_eq!(fit(&outside, Some(LaneId::Legacy), KINDS), [true, false, false, false, true]);
    let ours = environment(Source::Bundled, candidate(""));
    assert_eq!(fit(&ours, Some(LaneId::Legacy), KINDS), [true; 5]);
}

#[test]
fn a_lane_that_sets_no_policies_is_not_asked_to() {
    let fixed = environment(legacy("[policy]\npath = \"\""), Source::Bundled);
    assert_eq!(fit(&fixed, None, ["equal-streams", "stale-below-floor"]), [true, false]);
    let why = fixed.unfit(&plan("stale-below-floor"), None).unwrap();
    assert!(why.contains("retention"), "{why}");
}

#[test]
fn a_lane_that_keeps_the_watermark_is_not_asked_to_forget_it() {
    let keeps = environment(legacy("unsubscribe_forgets = false"), Source::Bundled);
    assert_eq!(fit(&keeps, None, ["equal-streams", "unsubscribed"]), [true, false]);
    assert_eq!(fit(&environment(legacy(""), Source::Bundled), None, ["unsubscribed"]), [true]);
    let why = keeps.unfit(&plan("unsubscribed"), None).unwrap();
    assert!(why.contains("watermark"), "{why}");
}

#[test]
fn without_its_owners_token_a_database_is_not_asked_for_the_seq_of_what_was_pruned() {
    let names = ["repeat-after-pruning", "publishes-repeated"];
    let stranger = environment(Source::Bundled, candidate("database = \"mine\""));
    assert_eq!(fit(&stranger, None, names), [false, true]);
    let owner = environment(Source::Bundled, candidate("database = \"mine\"\ntoken = \"the-owners\""));
    assert_eq!(fit(&owner, None, names), [true, true]);
    assert_eq!(fit(&environment(Source::Bundled, candidate("")), None, names), [true, true]);
    let why = stranger.unfit(&plan("repeat-after-pruning"), None).unwrap();
    assert!(why.contains("owner's token"), "{why}");
}

#[test]
fn two_roles_on_one_server_share_no_stream() {
    let shared = environment(legacy(""), candidate("database = \"mine\""));
    let plan = plan("equal-streams");
    let stream = &plan.cases[0].streams[0].id;
    for lane in LaneId::BOTH {
        let [one, other] = LaneId::BOTH.map(|role| shared.names(role, lane, &plan, "place").unwrap());
        assert_ne!(one.topic(stream), other.topic(stream));
    }
    let unscoped = environment(legacy("scoped = false"), Source::Bundled);
    assert_eq!(fit(&unscoped, None, ["equal-streams"]), [true]);
    assert_eq!(fit(&unscoped, Some(LaneId::Legacy), ["equal-streams"]), [false]);
}

#[test]
fn what_a_lane_can_do_follows_from_its_protocol_and_not_from_its_role() {
    let swapped = environment(candidate("database = \"mine\""), legacy(""));
    let means = swapped.means();
    assert_eq!(means[&LaneId::Legacy].protocol, Some(Protocol::Spacetime));
    assert_eq!(means[&LaneId::Candidate].protocol, Some(Protocol::Phoenix));
    assert_eq!(fit(&swapped, None, ["equal-streams", "repeat-after-pruning"]), [true, false]);
    // A fault that changes an argument of a SpacetimeDB call can't fire on a Phoenix service.
    let of_an_argument = ["candidate-ack-without-write"];
    assert_eq!(fit(&swapped, None, of_an_argument), [false]);
    let usual = environment(legacy(""), candidate(""));
    assert_eq!(fit(&usual, None, of_an_argument), [true]);
    assert!(usual.means().values().all(|means| means.protocol.is_none()));
}

#[test]
fn another_module_is_asked_for_nothing_that_its_profile_says_is_not_there() {
    let other = environment(Source::Bundled, candidate("[policy]\nreducer = \"\"\n[presence]\ntable = \"\""));
    let names =
        ["equal-streams", "stale-below-floor", "module-shares-keys", "candidate-ack-without-write", "drop-event"];
    assert_eq!(fit(&other, None, names), [true, false, false, false, true]);
    let profile = profile_of_toml("kind = \"spacetime\"\n[policy]\nreducer = \"\"", "lane.toml").unwrap();
    let started = environment(Source::Bundled, Source::BundledWith(profile));
    assert_eq!(fit(&started, None, names), [true, false, false, false, true]);
    assert_eq!(fit(&started, None, ["candidate-killed"]), [true]);
}

#[test]
fn a_publish_that_names_no_hash_or_seq_is_not_asked_to_name_a_wrong_one() {
    let append = |more: &str| {
        candidate(&format!(
            "[append]\nreducer = \"post\"\narguments = [\"{{stream}}\", \"{{key}}\", \"{{payload}}\"{more}]"
        ))
    };
    for (more, word) in [("", "hash"), (", \"{hash}\"", "seq"), (", \"{expected_next_seq}\"", "hash")] {
        let why = environment(Source::Bundled, append(more)).unfit(&plan("claims-checked"), None).unwrap();
        assert!(why.contains(&format!("a wrong {word}")), "{why}");
    }
    let all = environment(Source::Bundled, append(", \"{hash}\", \"{expected_next_seq}\""));
    assert_eq!(all.unfit(&plan("claims-checked"), None), None);
}

#[test]
fn only_this_tools_module_is_updated_and_only_on_a_server_of_the_run() {
    let updates = ["module-updated", "module-updated-breaking", "update-loses-event"];
    let ours = || environment(Source::Bundled, Source::Bundled);
    // What a binary can do, only it can say.
    assert_eq!(fit(&ours(), None, updates), [true, false, true]);
    assert_eq!(fit(&ours().with_module(&b"\0asm"[..]), None, updates), [false; 3]);
    assert_eq!(fit(&environment(Source::Bundled, candidate("")), None, updates), [false; 3]);
    // A lane without a module against itself has nothing to update.
    assert_eq!(fit(&ours(), Some(LaneId::Legacy), updates), [false; 3]);
    assert_eq!(fit(&ours(), Some(LaneId::Candidate), updates), [true, false, true]);
}

#[test]
fn a_service_that_takes_no_seq_or_resumes_one_stream_after_the_other_is_spared_what_needs_it() {
    let names = ["claims-checked", "seqs-checked", "hashes-checked", "cursor-rewritten-foreign"];
    assert_eq!(fit(&environment(legacy(""), Source::Bundled), None, names), [true; 4]);
    let no_seq = environment(legacy("[publish]\nexpected_next_seq = \"\"\n"), Source::Bundled);
    assert_eq!(fit(&no_seq, None, names), [false, false, true, true]);
    let why = no_seq.unfit(&plan("seqs-checked"), None).unwrap();
    assert!(why.contains("a wrong seq, and a publish of the legacy lane names none"), "{why}");
    let rooms = environment(legacy("channel = \"room:{topic}\"\n[events]\nsubscribe = \"\"\n"), Source::Bundled);
    assert_eq!(fit(&rooms, None, names), [true, true, true, false]);
}

#[test]
fn a_module_without_a_call_for_a_resume_is_asked_for_stale_cursors_once_and_spared_all_other_policies() {
    let names = ["stale-beyond-budget", "stale-below-floor", "policy-changed", "accept-stale"];
    let append_only = environment(Source::Bundled, candidate("[resume]\nreducer = \"\"\n[policy]\nreducer = \"\"\n"));
    assert_eq!(fit(&append_only, None, names), [true, false, false, false]);
    // One that judges cursors by a policy of its own says nothing by accepting them.
    let own_policy = environment(Source::Bundled, candidate("[policy]\nreducer = \"\"\n"));
    assert_eq!(fit(&own_policy, None, names), [false; 4]);
}
