//! `cutover gate`: runs scenarios over both lanes, decides, and writes the evidence.

mod conduct;
mod drive_all;
pub mod record;
mod repeat;
#[cfg(test)]
mod tests;

use std::io::Write;

use cutover_core::evidence::report::{Format, report};
use cutover_core::evidence::{Evidence, NthRun, Times};
use cutover_core::gate::Decision;
use cutover_core::gate::fit::unfit;
use cutover_core::ids::{LaneId, Seed};
use cutover_core::plan::Plan;
use cutover_core::scenario::compile;

use crate::args::GateArgs;
use crate::baseline::{self, Baselines};
use crate::drawn;
use crate::driver::Settings;
use crate::exit::{Exit, Failure};
use crate::lanes;
use crate::out::{Audience, Stdout, note};
use crate::policy::{self, Given};
use crate::scenarios::{self, Source};
use crate::signals::runtime;
use crate::surroundings;
use conduct::conduct;
use drive_all::{DriveRequest, drive_all};
use record::Recording;

pub fn run(args: &GateArgs) -> Result<Exit, Failure> {
    let policy = policy::given(&args.policy)?;
    let settings = settings(args)?;
    let sources = sources(args)?;
    surroundings::enough_files()?;
    let seed = match (args.seed, &args.policy.baseline) {
        (Some(seed), _) => seed,
        (None, Some(dir)) => baseline::seed_of(dir)?,
        (None, None) => Seed(surroundings::random()),
    };
    let mut out = Stdout::new();
    announce(seed, args.format, &mut out)?;
    if args.repeat > 1 {
        return repeat::run(args, (&settings, &policy), seed, &sources, &mut out);
    }
    let ran = once(args, (&settings, &policy), seed, None, &sources)?;
    print(&ran, args.format, &mut out)?;
    let decided = &ran.evidence.judged.decision;
    say_if_not_allow(args, decided.decision, decided.exit_code);
    ran.exit
}

fn say_if_not_allow(args: &GateArgs, decision: Decision, exit_code: u8) {
    if exit_code == 0 && decision.blocks() && !args.require_allow {
        note(&format!("exit code 0: the policy is advisory; the decision is {decision}"));
    }
    if args.require_allow && decision.exit_code() == 0 && decision != Decision::Allow {
        note(&format!("exit code 2: the decision is {decision}, and --require-allow takes none but allow"));
    }
}

pub struct Ran {
    pub evidence: Evidence,
    times: Times,
    pub bundle: String,
    pub exit: Result<Exit, Failure>,
}

/// Runs the gate once, and prints nothing of what came out.
pub fn run_once(args: &GateArgs) -> Result<Ran, Failure> {
    let policy = policy::given(&args.policy)?;
    let settings = settings(args)?;
    surroundings::enough_files()?;
    let seed = args.seed.unwrap_or_else(|| Seed(surroundings::random()));
    once(args, (&settings, &policy), seed, None, &sources(args)?)
}

fn sources(args: &GateArgs) -> Result<Vec<Source>, Failure> {
    let drawn = drawn::chosen(&args.scenarios, drawn::count(args));
    let sources = plain(args, scenarios::select_beside(&args.scenarios, &drawn)?)?;
    if sources.is_empty() && drawn.is_empty() {
        return Err(Failure::usage("no scenario is left to run without faults")
            .hint("known-bad scenarios plant a defect, and are left out"));
    }
    Ok(sources)
}

/// The scenarios as the run drives them.
fn plain(args: &GateArgs, sources: Vec<Source>) -> Result<Vec<Source>, Failure> {
    match args.no_faults {
        true => scenarios::without_faults(sources),
        false => Ok(sources),
    }
}

/// With the scenarios that the seed gives for these lanes.
fn with_drawn(args: &GateArgs, settings: &Settings, seed: Seed, sources: &[Source]) -> Result<Vec<Source>, Failure> {
    let names = drawn::chosen(&args.scenarios, drawn::count(args));
    let [legacy, candidate] = &settings.lanes;
    let means = [(LaneId::Legacy, legacy), (LaneId::Candidate, candidate)];
    let means = means.map(|(lane, source)| (lane, source.means(lane))).into_iter();
    let means = means.filter(|(lane, _)| !settings.alone || *lane == LaneId::Candidate).collect();
    let drawn = plain(args, drawn::sources(seed, &names, &means, settings.aa))?;
    Ok([sources, &drawn].concat())
}

fn settings(args: &GateArgs) -> Result<Settings, Failure> {
    let alone = args.policy.baseline.is_some();
    Ok(Settings { toxiproxy: args.toxiproxy.clone(), alone, ..lanes::settings(&args.lanes, args.rate)? })
}

fn once(
    args: &GateArgs,
    (settings, policy): (&Settings, &Given),
    seed: Seed,
    repeat: Option<NthRun>,
    sources: &[Source],
) -> Result<Ran, Failure> {
    let sources = &with_drawn(args, settings, seed, sources)?;
    let terms = policy.terms("");
    let plans: Vec<_> = sources.iter().map(|source| terms.plan(compile(&source.scenario, seed))).collect();
    let baselines = match &args.policy.baseline {
        Some(dir) => Some(Baselines::of(dir, &compared(&plans, sources, settings), seed)?),
        None => None,
    };
    let recording = Recording::begin(args, seed, repeat, sources, (policy, baselines))?;
    let request = DriveRequest {
        plans,
        settings: settings.clone(),
        jobs: args.jobs.unwrap_or_else(default_jobs),
        enough: recording.enough(),
    };
    let runtime = runtime()?;
    let mut recording = runtime.block_on(conduct(request, recording, drive_all))?;
    // What hangs in a thread of the runtime must not hang the gate.
    runtime.shutdown_background();
    recording = recording.unless_never_begun()?;
    if let Some(covered) = recording.covered() {
        note(&covered);
    }
    if let Some(differ) = recording.differ() {
        note(&differ);
    }
    let (evidence, times) = recording.close()?;
    let bundle = recording.path().display().to_string();
    let exit = recording.exit(&evidence, args.require_allow);
    Ok(Ran { evidence, times, bundle, exit })
}

/// The plans that are compared with a baseline: those that plant no defect, are not drawn, and fit the candidate.
fn compared<'p>(plans: &'p [Plan], sources: &[Source], settings: &Settings) -> Vec<&'p Plan> {
    let lanes = [(LaneId::Candidate, settings.lanes[1].means(LaneId::Candidate))].into();
    let with_baseline = |(plan, source): &(&Plan, &Source)| {
        !source.known_bad() && drawn::index(&plan.scenario).is_none() && unfit(plan, &lanes, None).is_none()
    };
    plans.iter().zip(sources).filter(with_baseline).map(|(plan, _)| plan).collect()
}

/// The seed is the first thing printed, so that the run can be repeated whatever happens next.
fn announce(seed: Seed, format: &Format, out: &mut Stdout) -> Result<(), Failure> {
    let line = format!("seed {seed}");
    match format.at_terminal {
        true => out.say(&line),
        // Standard output holds the document alone.
        false => {
            note(&line);
            Ok(())
        }
    }
}

/// Prints the report of a run, after a blank line where people read it.
fn print(ran: &Ran, format: &Format, out: &mut Stdout) -> Result<(), Failure> {
    let report = report(&ran.evidence, &ran.times).at(Audience::of_stdout().terminal(&ran.bundle));
    out.print(|out| {
        if format.at_terminal {
            writeln!(out)?;
        }
        (format.print)(&report, out)
    })
}

/// Four scenarios a core: most of a scenario's time is waiting.
pub fn default_jobs() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (4 * cores).clamp(1, 16)
}
