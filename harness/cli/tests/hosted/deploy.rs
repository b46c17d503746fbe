//! `deploy` against a real server of version 1.2.0, which makes no plans.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::lane::Lane;
use super::runs::*;
use super::{fronts, support::*};

fn module(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../spacetime/module", name].iter().collect();
    text(&path.canonicalize().unwrap())
}

/// Deploys with the token of an owner.
trait Deploys {
    fn deploy(&self, name: &str, env: &str, args: &[&str]) -> Ran;

    /// Deploys to the database `sync-ENV` at a URL.
    fn deploy_at(&self, url: &str, name: &str, env: &str, args: &[&str]) -> Ran;

    fn deploys(&self, name: &str, env: &str, args: &[&str]) -> String;
}

impl Deploys for Lane {
    fn deploy(&self, name: &str, env: &str, args: &[&str]) -> Ran {
        self.deploy_at(&self.server.url(), name, env, args)
    }

    fn deploy_at(&self, url: &str, name: &str, env: &str, args: &[&str]) -> Ran {
        let mut variables = Vec::new();
        for (env, disposable) in [("dev", "true"), ("staging", "false"), ("prod", "false")] {
            let prefix = format!("OA_SPACETIME_{}", env.to_uppercase());
            variables.push((format!("{prefix}_HTTP_BASE_URL"), url.to_owned()));
            variables.push((format!("{prefix}_DATABASE"), format!("sync-{env}")));
            variables.push((format!("{prefix}_TOKEN"), self.token.clone()));
            variables.push((format!("{prefix}_DISPOSABLE"), disposable.to_owned()));
        }
        let variables: Vec<(&str, &str)> = variables.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        hosted(self.path(), name, &[&["deploy", env], args].concat(), &variables)
    }

    #[track_caller]
    fn deploys(&self, name: &str, env: &str, args: &[&str]) -> String {
        let ran = self.deploy(name, env, args);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert_eq!(rechecked(self.path(), name), 0);
        text(&self.path().join(name))
    }
}

#[test]
fn a_module_is_published_once_and_a_change_that_breaks_clients_is_asked_for() {
    let lane = Lane::start("other");
    let first = lane.deploys("first", "dev", &[]);
    is(lane.path(), "first", "plan", "passed", &["new"]);
    is(lane.path(), "first", "module", "passed", &["the database runs"]);
    is(lane.path(), "first", "data", "skipped", &["new"]);
    lane.deploys("again", "dev", &["--after", &first]);
    is(lane.path(), "again", "publish", "passed", &["nothing to publish"]);
    is(lane.path(), "again", "drift", "passed", &["as the deploy of"]);

    let planted = module("cutover_module_planted.wasm");
    let more = ["--module", &planted];
    let ran = lane.deploy("no-plan", "dev", &more);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    is(lane.path(), "no-plan", "plan", "unknown", &["makes no plans", "--without-plan"]);
    is(lane.path(), "no-plan", "clients", "passed", &["`arm_defect` is new"]);
    is(lane.path(), "no-plan", "publish", "skipped", &["not published"]);
    lane.deploys("more", "dev", &[&more[..], &["--without-plan"]].concat());
    is(lane.path(), "more", "schema", "passed", &[]);

    // Somebody published since the first deploy.
    let ran = lane.deploy("drift", "dev", &["--without-plan", "--break-clients", "--after", &first]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "drift", "drift", "failed", &["who published what"]);
    let ran = lane.deploy("breaks", "dev", &["--without-plan"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "breaks", "clients", "failed", &["`arm_defect` is gone", "--break-clients"]);
    // This version of the server removes no table. Nothing is lost.
    let ran = lane.deploy("refused", "dev", &["--without-plan", "--break-clients"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "refused", "clients", "passed", &["as --break-clients allows"]);
    is(lane.path(), "refused", "publish", "failed", &["refused: HTTP 400", "planted_note"]);
    is(lane.path(), "refused", "unchanged", "passed", &["still runs"]);
    let ran = lane.deploy("plan", "dev", &["--plan", "--module", &planted]);
    assert!(ran.code == 0 && !ran.out.contains("publish"), "{}{}", ran.out, ran.err);
}

/// Ends a deploy by a signal as soon as it asks to make a database. Returns what it made, what it deleted, and its end.
fn interrupted(signal: &str, name: &str, args: &[&str]) -> (Vec<String>, Vec<String>, Option<i32>, Lane) {
    let lane = Lane::start("other");
    let witness = Witness::before(lane.server.address);
    let out = text(&lane.path().join(name));
    let mut command = cutover(&[&["deploy", "dev", "--out", &out], args].concat());
    command.env("OA_SPACETIME_DEV_HTTP_BASE_URL", &witness.url).env("OA_SPACETIME_DEV_DATABASE", "cutover-dev");
    let mut child = command.env("OA_SPACETIME_DEV_TOKEN", &lane.token).spawn().unwrap();
    let began = std::time::Instant::now();
    while witness.databases("PUT").is_empty() {
        assert!(began.elapsed().as_secs() < 60, "no database was made");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    let code = child.wait().unwrap().code();
    (witness.databases("PUT"), witness.databases("DELETE"), code, lane)
}

#[test]
fn a_command_that_a_signal_ends_leaves_no_database_that_it_made() {
    let planted = module("cutover_module_planted.wasm");
    for (signal, name, args) in [
        ("-INT", "scratch", &["--module", &planted][..]),
        ("-TERM", "pr", &["--pr", "12"]),
        ("-INT", "pr", &["--pr", "x"]),
    ] {
        let (made, deleted, code, lane) = interrupted(signal, name, args);
        assert_eq!(code, Some(2), "{name}");
        // A request that is sent again makes no second database.
        let [mut made, deleted] = [made, deleted].map(BTreeSet::from_iter);
        // A signal that comes late finds the publish to the database of the environment, which stays.
        made.remove("dev");
        assert_eq!(made, deleted, "{name} left a database");
        assert_eq!(made.len(), 1, "{name}: {made:?}");
        is(lane.path(), name, "interrupted", "unknown", &["SIG"]);
        assert_eq!(rechecked(lane.path(), name), 2);
    }
}

/// What a publish does to rows is a front's doing here: no server loses any.
#[test]
fn a_row_that_is_gone_after_a_publish_is_a_loss() {
    let lane = Lane::start("other");
    lane.deploys("first", "dev", &[]);
    let path = "/v1/database/sync-dev/call/append_sync_event";
    for number in 1..=3 {
        let row = format!(r#"["runtime.run.a.events","k{number}","{{\"n\":{number}}}","",{{"none":[]}}]"#);
        post(lane.server.address, path, Some(&lane.token), &row);
    }
    let planted = module("cutover_module_planted.wasm");
    let publish = ["--module", &planted, "--without-plan"];
    let front = fronts::losing_rows_after_a_publish(lane.server.address, "k2");
    let ran = lane.deploy_at(&front, "lost", "dev", &publish);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "lost", "publish", "passed", &[]);
    is(lane.path(), "lost", "data", "failed", &["`sync_event` had 3 rows and has 2: 1 are gone", "restore the backup"]);
    assert_eq!(rechecked(lane.path(), "lost"), 1);
    let lane = Lane::start("other");
    lane.deploys("first", "dev", &[]);
    post(lane.server.address, path, Some(&lane.token), r#"["runtime.run.a.events","k","{}","",{"none":[]}]"#);
    lane.deploys("kept", "dev", &publish);
    is(lane.path(), "kept", "data", "passed", &["each row is there"]);
    let data = record(lane.path(), "kept")["facts"]["data"]["sync_event"].clone();
    assert_eq!((&data["before"], &data["after"]), (&1.into(), &1.into()), "{data}");
    assert_eq!(data["digests"][0], data["digests"][1], "{data}");
}

#[test]
fn facts_that_are_edited_with_their_digest_do_not_hold() {
    let lane = Lane::start("other");
    lane.deploys("first", "dev", &[]);
    let path = lane.path().join("first/stage.json");
    let mut record: cutover_core::stage::StageRecord = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    record.facts["after"]["seen"]["module_hash"] = "another".into();
    record.seal();
    std::fs::write(&path, record.to_bytes()).unwrap();
    let ran = run(&["recheck", &text(&lane.path().join("first"))]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("the facts give that `module` failed: the database runs another"), "{}", ran.out);
}

#[test]
fn an_environment_is_promoted_and_what_drifted_is_not() {
    let lane = Lane::start("other");
    let dev = lane.deploys("dev", "dev", &[]);
    let staging = lane.deploys("staging", "staging", &["--promote-from", &dev]);
    is(lane.path(), "staging", "promotion", "passed", &["dev has this module"]);
    is(lane.path(), "staging", "source-drift", "passed", &[]);
    let planted = module("cutover_module_planted.wasm");
    let ran = lane.deploy("other", "staging", &["--promote-from", &dev, "--module", &planted]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "other", "promotion", "failed", &["another module"]);
    let ran = lane.deploy("skipping", "prod", &["--promote-from", &dev]);
    assert!(ran.code == 64 && ran.err.contains("prod takes what staging has"), "{}", ran.err);
    // A deploy to production says which server it means.
    let ran = lane.deploy("unpinned", "prod", &["--promote-from", &staging]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    is(lane.path(), "unpinned", "fingerprint", "unknown", &["none is pinned"]);
    let pin = record(lane.path(), "staging")["facts"]["fingerprint"]["seen"].as_str().unwrap().to_owned();
    lane.deploys("prod", "prod", &["--promote-from", &staging, "--fingerprint", &pin]);
    // Staging gets another module in between.
    lane.deploys("hotfix", "staging", &["--module", &planted, "--without-plan"]);
    let ran = lane.deploy("drifted", "prod", &["--promote-from", &staging, "--fingerprint", &pin]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "drifted", "source-drift", "failed", &["it runs"]);
}

#[test]
fn a_publish_whose_answer_is_a_time_out_is_decided_by_what_runs() {
    let lane = Lane::start("other");
    let front = fronts::giving_up_on_publishes(lane.server.address);
    let ran = lane.deploy_at(&front, "out", "dev", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    is(lane.path(), "out", "publish", "passed", &["although the answer was", "504"]);
}

#[test]
fn only_disposable_data_is_deleted_and_only_by_its_name() {
    let lane = Lane::start("other");
    lane.deploys("dev", "dev", &[]);
    lane.deploys("staging", "staging", &[]);
    let ran = lane.deploy("no", "staging", &["--reset", "sync-staging"]);
    assert!(ran.code == 64 && ran.err.contains("not disposable"), "{}", ran.err);
    lane.deploys("reset", "dev", &["--reset", "sync-dev"]);
    is(lane.path(), "reset", "data", "passed", &["as --reset asked"]);
}

#[test]
fn a_pull_request_has_a_database_of_its_own_which_is_deleted_again() {
    let lane = Lane::start("other");
    lane.deploys("made", "dev", &["--pr", "12"]);
    assert_eq!(record(lane.path(), "made")["facts"]["database"], "sync-dev-pr-12");
    let stranger = Lane::start("other");
    let variables =
        [("OA_SPACETIME_DEV_HTTP_BASE_URL", lane.server.url()), ("OA_SPACETIME_DEV_DATABASE", "sync-dev".to_owned())];
    let mut variables: Vec<(&str, &str)> = variables.iter().map(|(a, b)| (*a, b.as_str())).collect();
    variables.push(("OA_SPACETIME_DEV_TOKEN", &stranger.token));
    let delete = ["deploy", "dev", "--pr", "12", "--delete"];
    let ran = hosted(lane.path(), "stranger", &delete, &variables);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let ran = hosted(lane.path(), "nobody", &delete, &variables[..2]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    is(lane.path(), "nobody", "identity", "failed", &["without a token"]);
    lane.deploys("deleted", "dev", &["--pr", "12", "--delete"]);
    is(lane.path(), "deleted", "delete", "passed", &["is gone"]);
    lane.deploys("again", "dev", &["--pr", "12", "--delete"]);
    is(lane.path(), "again", "delete", "passed", &["there is no database"]);
}
