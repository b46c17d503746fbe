//! `deploy` against a real server of version 1.2.0, which makes no plans.

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
    let pin = record(lane.path(), "staging")["facts"]["fingerprint"].as_str().unwrap().to_owned();
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
