//! `cutover gate --repeat N`: the same scenarios several times, each run a bundle of its own, and what they have in
//! common.

use std::io::Write;
use std::path::Path;

use cutover_core::evidence::layout::{self, Files};
use cutover_core::evidence::repeat::{Repeated, bundle, repeated, seed_of};
use cutover_core::evidence::report::{Format, report};
use cutover_core::evidence::{Evidence, NthRun, State};
use cutover_core::ids::Seed;
use cutover_live::clock::Moment;

use super::{Ran, once, print, say_if_not_allow};
use crate::args::GateArgs;
use crate::bundle_dir::{BundleDir, in_reports};
use crate::driver::Settings;
use crate::exit::{Exit, Failure};
use crate::out::{Audience, Stdout, note};
use crate::policy::Given;
use crate::scenarios::Source;

/// Runs it all as often as is asked. A run that could not go on, or that was interrupted, is the last one.
pub fn run(
    args: &GateArgs,
    (settings, policy): (&Settings, &Given),
    seed: Seed,
    sources: &[Source],
    out: &mut Stdout,
) -> Result<Exit, Failure> {
    let path = args.out.clone().unwrap_or_else(|| {
        let run = format!("{}-{seed}-repeated", Moment::now().compact());
        in_reports(&run)
    });
    let dir = BundleDir::create(path)?;
    let mut ran: Vec<Ran> = Vec::new();
    for nth in 1..=args.repeat {
        note(&format!("run {nth} of {}, seed {}", args.repeat, seed_of(seed, nth)));
        let this = GateArgs { out: Some(dir.path().join(bundle(nth))), repeat: 1, ..args.clone() };
        let place = NthRun { nth, of: args.repeat, seed };
        let one = once(&this, (settings, policy), seed_of(seed, nth), Some(place), sources)?;
        let goes_on = one.exit.is_ok() && !is_interrupted(&one.evidence.state);
        ran.push(one);
        if !goes_on {
            break;
        }
    }
    let documents: Vec<Evidence> = ran.iter().map(|ran| ran.evidence.clone()).collect();
    let repeated = repeated(seed, args.repeat, &documents);
    dir.write(&Files::from([(layout::REPEAT.to_owned(), repeated.to_bytes())]))?;
    let worst =
        (0..ran.len()).max_by_key(|place| (documents[*place].judged.decision.decision, std::cmp::Reverse(*place)));
    if let Some(worst) = worst.and_then(|place| ran.get(place)) {
        print_all(&repeated, worst, dir.path(), args.format, out)?;
    }
    // What could not go on says why.
    for ran in ran {
        ran.exit?;
    }
    say_if_not_allow(args, repeated.decision, repeated.exit_code);
    Ok(Exit::of(repeated.decision, repeated.exit_code, args.require_allow))
}

/// Whether somebody ended the run; one that ended itself after a failure is followed by the next.
fn is_interrupted(state: &State) -> bool {
    matches!(state, State::Interrupted { by } if !by.starts_with("--fail-fast"))
}

/// The report of the worst run, and what all runs have in common. A format that can't say the latter is that of the
/// worst run.
fn print_all(repeated: &Repeated, worst: &Ran, dir: &Path, format: &Format, out: &mut Stdout) -> Result<(), Failure> {
    if format.at_terminal || format.repeated.is_none() {
        print(worst, format, out)?;
    }
    let Some(print) = format.repeated else {
        return Ok(());
    };
    let all = dir.display().to_string();
    let report = report(&worst.evidence, &worst.times).at(Audience::of_stdout().terminal(&all));
    out.print(|out| {
        if format.at_terminal {
            writeln!(out)?;
        }
        print(repeated, &report, out)
    })
}
