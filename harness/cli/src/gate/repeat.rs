//! `cutover gate --repeat N`: the same scenarios several times, each run a bundle of its own, and what they have in common.

use std::io::Write;
use std::path::{Path, PathBuf};

use cutover_core::evidence::layout::{self, Files};
use cutover_core::evidence::render::{JunitRenderer, MarkdownRenderer, Renderer, TextRenderer};
use cutover_core::evidence::repeat::{Repeated, bundle, repeated, seed_of};
use cutover_core::evidence::{Evidence, NthRun, State};
use cutover_core::ids::Seed;
use cutover_live::clock::Moment;

use super::{Ran, once, say_if_not_allow};
use crate::args::{Format, GateArgs};
use crate::bundle_dir::BundleDir;
use crate::compare::cannot_print;
use crate::exit::{Exit, Failure};
use crate::out::{Audience, Stdout, note};
use crate::scenarios::Source;

/// Runs it all as often as is asked. A run that could not go on, or that was interrupted, is the last one.
pub fn run(args: &GateArgs, seed: Seed, sources: &[Source], out: &mut Stdout) -> Result<Exit, Failure> {
    let path = args.out.clone().unwrap_or_else(|| {
        let run = format!("{}-{seed}-repeated", Moment::now().compact());
        PathBuf::from("reports").join(run)
    });
    let dir = BundleDir::create(path)?;
    let mut ran: Vec<Ran> = Vec::new();
    for nth in 1..=args.repeat {
        note(&format!("run {nth} of {}, seed {}", args.repeat, seed_of(seed, nth)));
        let this = GateArgs { out: Some(dir.path().join(bundle(nth))), repeat: 1, ..args.clone() };
        let place = NthRun { nth, of: args.repeat, seed };
        let one = once(&this, seed_of(seed, nth), Some(place), sources)?;
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
        print(&repeated, worst, dir.path(), args.format, out).map_err(|error| cannot_print(&error))?;
    }
    // What could not go on says why.
    for ran in ran {
        ran.exit?;
    }
    say_if_not_allow(args, repeated.decision);
    Ok(Exit::of(repeated.decision, args.require_allow))
}

/// Whether somebody ended the run; one that ended itself after a failure is followed by the next.
fn is_interrupted(state: &State) -> bool {
    matches!(state, State::Interrupted { by } if !by.starts_with("--fail-fast"))
}

/// The worst run, and what all have in common. A test report and a summary are those of the worst run.
fn print(repeated: &Repeated, worst: &Ran, dir: &Path, format: Format, out: &mut Stdout) -> std::io::Result<()> {
    let audience = Audience::of_stdout();
    let times = Some(&worst.times);
    let text = |bundle| TextRenderer { width: audience.width, color: audience.color, times, bundle };
    match format {
        Format::Text => {
            out.write_all(b"\n")?;
            text(Some(&worst.bundle)).render(&worst.evidence, out)?;
            out.write_all(b"\n")?;
            let all = dir.display().to_string();
            text(Some(&all)).repeated(repeated, out)?;
        }
        Format::Json => out.write_all(&repeated.to_bytes())?,
        Format::Junit => JunitRenderer { times }.render(&worst.evidence, out)?,
        Format::Markdown => MarkdownRenderer { times }.render(&worst.evidence, out)?,
    }
    out.flush()
}
