//! The package `toxiproxy-node-client`, unmodified, against a server of ours.
//!
//! It has no dependencies and weighs 6 KB, so it lies here as published (`node/*.tgz`, ISC licence) and is installed
//! from there, without a network, by npm and its lock file. Where there is no npm the test is ignored, except in CI
//! (`CI` is set), which has to have one.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::{Command, ExitCode, Output};

use libtest_mimic::{Arguments, Failed, Trial};
use support::server::Server;

const FILES: [&str; 4] = ["package.json", "package-lock.json", "toxiproxy-node-client-4.1.0.tgz", "session.mjs"];

fn run(dir: &Path, program: &str, args: &[&str]) -> Output {
    let output = Command::new(program).args(args).current_dir(dir).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {args:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let has_npm = Command::new("npm").arg("--version").output().is_ok();
    let ignored = !has_npm && std::env::var_os("CI").is_none();
    let trial = Trial::test("a session of the Node client goes as against a real server", session);
    libtest_mimic::run(&arguments, vec![trial.with_ignored_flag(ignored)]).exit_code()
}

fn session() -> Result<(), Failed> {
    let dir = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    for file in FILES {
        std::fs::copy(source.join(file), dir.path().join(file)).unwrap();
    }
    let cache = dir.path().join("cache");
    run(dir.path(), "npm", &["ci", "--offline", "--no-audit", "--no-fund", "--cache", cache.to_str().unwrap()]);

    let server = Server::start();
    let output = run(dir.path(), "node", &["session.mjs", &format!("http://{}", server.addr())]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ok 20\n");
    Ok(())
}
