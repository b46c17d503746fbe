//! The whole path of `docs/OPERATING.md` by the real commands, on servers that the test starts: provision check,
//! deploy, handshake, gate, promotion, shadow, rollout from 1 to 100 % with one rollback in the middle, and retirement.
//!
//! The candidate is the built-in SpacetimeDB. With `CUTOVER_SPACETIMEDB_BIN` it is also that binary of version 2;
//! without it, that test is ignored. Production is a database of that server, and its users are one publisher for
//! both lanes.
#![allow(clippy::unwrap_used)]

#[path = "rehearsal/candidate.rs"]
mod candidate;
#[path = "hosted/runs.rs"]
mod runs;
mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use candidate::Candidate;
use cutover_live::clock::Moment;
use libtest_mimic::{Arguments, Failed, Trial};
use runs::{hosted, is, record};
use serde_json::{Value, json};
use support::{Ran, Server, cutover, ended, evidence, post, rechecked, text, write};

const TOPIC: &str = "run:a:events";
const STREAM: &str = "runtime.run.a.events";
const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

/// Times say nothing of a machine on which other tests run.
const POLICY: &str = r#"schema = 1
[warn]
rows = ["latency-parity", "recovery-time"]
[rollout]
soak = "1s"
needs = ["gate", "shadow"]
[rollout.slo.lag_p95_ms]
least_samples = 100
hold_above = 200
roll_back_above = 1000
"#;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let binary = std::env::var_os("CUTOVER_SPACETIMEDB_BIN").map(PathBuf::from);
    let has_none = binary.is_none();
    let trials = vec![
        #[cfg(feature = "engine")]
        Trial::test("a service is retired, from the provision check on, by the built-in server", || {
            rehearse(&Candidate::built_in())
        }),
        Trial::test("a service is retired, from the provision check on, by a server of version 2", move || {
            rehearse(&Candidate::of(&binary.unwrap()))
        })
        .with_ignored_flag(has_none),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Both lanes, the variables of all environments, and the directory with the record of each step.
struct Rehearsal<'a> {
    candidate: &'a Candidate,
    legacy: Server,
    dir: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Rehearsal<'_> {
    fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn place(&self, name: &str) -> String {
        text(&self.dir().join(name))
    }

    /// Runs a command with its record in `NAME`, and has the record rechecked.
    #[track_caller]
    fn step(&self, name: &str, code: i32, args: &[&str]) -> Ran {
        let variables: Vec<(&str, &str)> = self.variables.iter().map(|(key, value)| (&**key, &**value)).collect();
        let ran = hosted(self.dir(), name, args, &variables);
        assert_eq!(ran.code, code, "{name}: {}{}", ran.out, ran.err);
        assert_eq!(rechecked(self.dir(), name), code, "the record of {name} does not hold");
        ran
    }

    /// Publishes events of these numbers on both lanes, as the writer of production does.
    fn publish(&self, numbers: std::ops::RangeInclusive<u32>) {
        for number in numbers {
            let (key, payload) = (format!("k{number}"), json!({ "number": number }));
            let event = json!({ "topic": TOPIC, "idempotency_key": key, "payload": payload });
            post(self.legacy.address, "/internal/v1/sync/publish", None, &event.to_string());
            let row = json!([STREAM, key, payload.to_string(), "", { "none": [] }]);
            let path = "/v1/database/sync-prod/call/append_sync_event";
            post(self.candidate.address(), path, Some(self.candidate.token()), &row.to_string());
        }
    }

    /// A snapshot of a cohort, from the decision on that let it begin until now.
    fn snapshot(&self, previous: &str, cohort: u8, build: &str, lag_ms: u32) -> String {
        let snapshot = json!({
            "schema": "cutover.slo/1", "environment": "prod", "cohort": cohort, "build": build,
            "from": record(self.dir(), previous)["started"], "to": Moment::now().rfc3339(),
            "metrics": { "lag_p95_ms": { "value": lag_ms, "samples": 500 } },
        });
        text(&write(self.dir(), &format!("{previous}-{lag_ms}.json"), &snapshot.to_string()))
    }

    /// Decides a stage. The cohort before it is watched until its time is over.
    #[track_caller]
    fn rollout(&self, name: &str, to: &str, code: i32, build: &str, before: Option<(&str, u8, u32)>) -> Ran {
        let began = std::time::Instant::now();
        loop {
            let policy = self.place("policy.toml");
            let (gate, shadow) = (self.place("gate"), self.place("shadow"));
            let mut args: Vec<String> = ["rollout", "prod", "--to", to, "--policy", &policy, "--build", build]
                .into_iter()
                .chain(["--evidence", &gate, "--evidence", &shadow])
                .map(str::to_owned)
                .collect();
            if let Some((previous, cohort, lag_ms)) = before {
                let snapshot = self.snapshot(previous, cohort, build, lag_ms);
                args.extend(["--slo".to_owned(), snapshot, "--previous".to_owned(), self.place(previous)]);
            }
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let ran = hosted(self.dir(), name, &args, &[]);
            let soaks = ran.code == 2 && (ran.out.contains("is to be watched") || ran.out.contains("and must be of"));
            if soaks && began.elapsed().as_secs() < 60 {
                // The cohort has not been served for long enough: the decision must be to wait.
                std::fs::remove_dir_all(self.dir().join(name)).unwrap();
                continue;
            }
            assert_eq!(ran.code, code, "{name}: {}{}", ran.out, ran.err);
            assert_eq!(rechecked(self.dir(), name), code, "the record of {name} does not hold");
            return ran;
        }
    }
}

fn rehearse(candidate: &Candidate) -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let legacy = Server::start("legacy", &dir.path().join("legacy"));
    write(dir.path(), "policy.toml", POLICY);
    let mut variables = Vec::new();
    for env in ENVIRONMENTS {
        let prefix = format!("OA_SPACETIME_{}", env.to_uppercase());
        variables.push((format!("{prefix}_HTTP_BASE_URL"), candidate.url()));
        variables.push((format!("{prefix}_DATABASE"), format!("sync-{env}")));
        variables.push((format!("{prefix}_TOKEN"), candidate.token().to_owned()));
    }
    let mut on = Rehearsal { candidate, legacy, dir, variables };
    let build = provisioned(&mut on);
    gated(&on, &build);
    shadowed(&on, &build);
    rolled_out(&on, &build);
    retired(&on);
    Ok(())
}

/// Nothing is there, then dev has the module, counts its clients, and passes the check. Returns the module's digest.
fn provisioned(on: &mut Rehearsal<'_>) -> String {
    on.step("nothing-yet", 1, &["provision-check", "dev"]);
    is(on.dir(), "nothing-yet", "database", "failed", &["no database `sync-dev`", "cutover deploy"]);
    on.step("dev", 0, &["deploy", "dev"]);
    let like = on.place("dev");
    on.step("provisioned", 0, &["provision-check", "dev", "--like", &like]);
    on.step("handshake", 0, &["handshake", "dev", "--repeat", "1"]);
    on.step("staging", 0, &["deploy", "staging", "--promote-from", &on.place("dev")]);
    let pin = record(on.dir(), "provisioned")["facts"]["fingerprint"]["seen"].as_str().unwrap().to_owned();
    on.variables.push(("OA_SPACETIME_PROD_FINGERPRINT".to_owned(), pin));
    on.step("prod", 0, &["deploy", "prod", "--promote-from", &on.place("staging")]);
    is(on.dir(), "prod", "source-drift", "passed", &[]);
    let build = record(on.dir(), "prod")["facts"]["module"]["sha256"].as_str().unwrap().to_owned();
    assert_eq!(record(on.dir(), "handshake")["facts"]["module"]["sha256"], Value::from(build.clone()));
    build
}

/// The gate over the lanes of staging decides *allow*, and its bundle names environment and module.
fn gated(on: &Rehearsal<'_>, build: &str) {
    let (legacy, policy) = (on.legacy.url(), on.place("policy.toml"));
    let gate = ["gate", "--seed", "7", "--env", "staging", "--legacy", &legacy, "--policy", &policy];
    on.step("gate", 0, &[&gate[..], &["--require-allow"]].concat());
    let bundle = evidence(on.dir(), "gate");
    assert_eq!(bundle.environment.as_deref(), Some("staging"));
    assert_eq!(bundle.module_digest.as_deref(), Some(build), "the module that serves is not named");
}

/// Both lanes of production deliver the same. What was published before, and what comes meanwhile.
fn shadowed(on: &Rehearsal<'_>, build: &str) {
    on.publish(1..=20);
    let legacy = on.legacy.url();
    std::thread::scope(|scope| {
        scope.spawn(|| on.publish(21..=40));
        on.step("shadow", 0, &["shadow", "--env", "prod", "--legacy", &legacy, "--stream", TOPIC, "--for", "3s"]);
    });
    is(on.dir(), "shadow", "compared", "passed", &["40 events of 1 streams"]);
    is(on.dir(), "shadow", "module", "passed", &[build]);
}

/// The cohorts, with one that is served badly: its users are taken back, and the rollout begins again.
fn rolled_out(on: &Rehearsal<'_>, build: &str) {
    on.rollout("canary", "1", 0, build, None);
    on.rollout("five", "5", 0, build, Some(("canary", 1, 50)));
    // A bundle that was edited is none.
    let bundle = on.dir().join("gate/evidence.json");
    let original = std::fs::read_to_string(&bundle).unwrap();
    std::fs::write(&bundle, original.replace("\"staging\"", "\"prod\"")).unwrap();
    let ran = on.rollout("edited", "5", 2, build, Some(("canary", 1, 50)));
    assert!(ran.out.contains("it does not hold"), "{}", ran.out);
    std::fs::write(&bundle, original).unwrap();
    // A build that was not gated goes nowhere.
    let other = format!("sha256:{}", "0".repeat(64));
    on.rollout("other-build", "5", 2, &other, Some(("canary", 1, 50)));
    let ran = on.rollout("back", "10", 1, build, Some(("five", 5, 4000)));
    assert!(ran.out.contains("4000 is above 1000"), "{}", ran.out);
    let policy = on.place("policy.toml");
    let args = ["rollout", "prod", "--to", "10", "--policy", &policy, "--build", build];
    on.step("by-hand", 1, &[&args[..], &["--roll-back", "the canaries lag by 4 s"]].concat());
    on.rollout("after-back", "25", 2, build, Some(("back", 10, 50)));
    // The users are on the legacy lane, which still delivers the same.
    on.publish(41..=50);
    let legacy = on.legacy.url();
    std::fs::remove_dir_all(on.dir().join("shadow")).unwrap();
    on.step("shadow", 0, &["shadow", "--env", "prod", "--legacy", &legacy, "--stream", TOPIC, "--for", "1s"]);
    let mut before = None;
    for to in [1, 5, 10, 25, 50, 100] {
        let name = format!("cohort-{to}");
        let previous = before.map(|cohort| (format!("cohort-{cohort}"), cohort));
        let previous = previous.as_ref().map(|(name, cohort)| (name.as_str(), *cohort, 50));
        on.rollout(&name, &to.to_string(), 0, build, previous);
        before = Some(to);
    }
    on.rollout("retirement", "retirement", 0, build, Some(("cohort-100", 100, 50)));
    let chain = |name: &str, key: &str| record(on.dir(), name)["facts"]["previous"][key].clone();
    assert_eq!(chain("retirement", "digest"), record(on.dir(), "cohort-100")["digest"], "the records are no chain");
}

/// What the legacy service delivered is recorded, and stands for it once it is gone.
fn retired(on: &Rehearsal<'_>) {
    let scenario = ["--seed", "7", "--scenario", "equal-streams"];
    let (legacy, baselines) = (on.legacy.url(), on.place("baselines"));
    let record = ["record", "--env", "staging", "--legacy", &legacy, "--out", &baselines];
    let mut command = cutover(&[&record[..], &scenario].concat());
    // A CI records no baselines.
    let ran = ended(
        command.env_remove("CI").current_dir(on.dir()).envs(on.variables.iter().map(|(key, value)| (key, value))),
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let alone = ["gate", "--env", "staging", "--baseline", &baselines, "--no-known-bad"];
    on.step("alone", 0, &[&alone[..], &scenario].concat());
}
