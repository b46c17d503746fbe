//! Every scenario is a test of its own: it runs through both lanes on real servers, and the gate must make of it what
//! the scenario says. `CUTOVER_SEED` runs them with another seed.

use std::path::Path;
use std::process::{Command, ExitCode};

use cutover_core::evidence::Evidence;
use cutover_core::scenario::stock;
use libtest_mimic::{Arguments, Failed, Trial};

/// The seed of a run that is given none, so that a test that failed once fails again.
const SEED: &str = "20260225";
/// The scenario passed. One alone is never the whole gate, so this is `passed-in-part`.
const PASSED: i32 = 0;
/// Nothing was driven, so that nothing was shown.
const NOTHING_SHOWN: i32 = 2;
/// Scenarios that ask for what the built-in lanes do not have, and what the gate says of each.
const LEFT_OUT: [(&str, &str); 4] = [
    ("killed-at-once", "confirmed = true"),
    ("module-updated-breaking", "asks for a migration by hand"),
    ("signals-once", "through an event table"),
    ("known-bad/update-not-live", "asks for a migration by hand"),
];
/// A planted defect was caught, and no honest scenario ran: nothing was shown of the lanes.
const CAUGHT_ALONE: i32 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = stock().iter().map(|(path, _)| {
        let name = Path::new(path).with_extension("").display().to_string();
        let name = name.trim_start_matches("scenarios/").to_owned();
        let stem = name.trim_start_matches("known-bad/").to_owned();
        match LEFT_OUT.iter().find(|(left_out, _)| *left_out == name) {
            Some((_, why)) => Trial::test(format!("{name} is left out"), move || the_gate_leaves_out(&stem, why)),
            None if stem == name => Trial::test(format!("{name} is allowed"), move || the_gate_agrees(&stem, PASSED)),
            None => Trial::test(format!("{name} is caught"), move || the_gate_agrees(&stem, CAUGHT_ALONE)),
        }
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// Runs one scenario, and rechecks the evidence that it leaves.
fn the_gate_agrees(name: &str, exit_code: i32) -> Result<(), Failed> {
    let bundle = tempfile::tempdir()?;
    let out = bundle.path().join("bundle");
    let seed = std::env::var("CUTOVER_SEED").unwrap_or_else(|_| SEED.to_owned());
    let gate = cutover(&["gate", "--seed", &seed, "--scenario", name, "--out"], &out, exit_code)?;
    let evidence: Evidence = serde_json::from_slice(&std::fs::read(out.join("evidence.json"))?)?;
    let driven = evidence.judged.scenarios.len();
    if driven != 1 {
        return Err(format!("`--scenario {name}` drove {driven} scenarios:\n{gate}").into());
    }
    if !evidence.judged.scenarios.iter().all(|scenario| scenario.outcome.is_good()) {
        return Err(gate.into());
    }
    cutover(&["recheck"], &out, exit_code).map(drop)
}

/// Runs a scenario that these lanes can't be put through: the gate says why, and shows nothing.
fn the_gate_leaves_out(name: &str, why: &str) -> Result<(), Failed> {
    let bundle = tempfile::tempdir()?;
    let out = bundle.path().join("bundle");
    let gate = cutover(&["gate", "--seed", SEED, "--scenario", name, "--out"], &out, NOTHING_SHOWN)?;
    // The reason may be broken into lines.
    let told = gate.split_whitespace().collect::<Vec<_>>().join(" ");
    if told.contains(why) { Ok(()) } else { Err(gate.into()) }
}

/// Runs the tool; what it printed comes back, as an error where it did not end as expected.
fn cutover(arguments: &[&str], path: &Path, exit_code: i32) -> Result<String, Failed> {
    let output = Command::new(env!("CARGO_BIN_EXE_cutover")).args(arguments).arg(path).output()?;
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(exit_code) {
        Ok(printed)
    } else {
        Err(format!("{}\n{printed}", output.status).into())
    }
}
