//! `cutover gate`: scenarios, through both lanes, to a decision and its evidence.

mod conduct;
mod drive_all;
mod record;
mod repeat;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use cutover_core::evidence::render::{JsonRenderer, JunitRenderer, MarkdownRenderer, Renderer, TextRenderer};
use cutover_core::evidence::{Evidence, NthRun, Times};
use cutover_core::gate::Decision;
use cutover_core::ids::{LaneId, Seed};
use cutover_core::text::masked;
use cutover_live::plain_file;

use crate::args::{Format, GateArgs};
use crate::compare::cannot_print;
use crate::exit::{Exit, Failure};
use crate::out::{Audience, Stdout, note};
use crate::scenarios::{self, Source};
use crate::surroundings;
use conduct::conduct;
use drive_all::{DriveRequest, LaneChoice, drive_all};
use record::Recording;

/// Runs the command.
pub fn run(args: &GateArgs) -> Result<Exit, Failure> {
    if let (Some(at), Some(_)) = (&args.candidate, &args.candidate_bin)
        && at.contains("://")
    {
        let what = format!("`{}` is a server that runs, and --candidate-bin starts one", masked(at));
        return Err(Failure::usage(what).hint("give one of them, or a lane profile (a file) with --candidate-bin"));
    }
    let sources = sources(args)?;
    surroundings::allow_many_files()?;
    let seed = args.seed.unwrap_or_else(fresh_seed);
    let mut out = Stdout::new();
    announce(seed, args.format, &mut out)?;
    if args.repeat > 1 {
        return repeat::run(args, seed, &sources, &mut out);
    }
    let ran = once(args, seed, None, &sources)?;
    print(&ran.evidence, &ran.times, &ran.bundle, args.format, &mut out).map_err(|error| cannot_print(&error))?;
    say_if_not_allow(args, ran.evidence.judged.decision.decision);
    ran.exit
}

/// Says why a run that passed ends with 2 under `--require-allow`.
fn say_if_not_allow(args: &GateArgs, decision: Decision) {
    if args.require_allow && decision.exit_code() == 0 && decision != Decision::Allow {
        note(&format!("exit code 2: the decision is {decision}, and --require-allow takes none but allow"));
    }
}

/// A run that came to an end.
struct Ran {
    evidence: Evidence,
    times: Times,
    bundle: String,
    exit: Result<Exit, Failure>,
}

/// The scenarios that are asked for.
fn sources(args: &GateArgs) -> Result<Vec<Source>, Failure> {
    let sources = scenarios::select(&args.scenarios)?;
    match args.no_faults {
        true => scenarios::without_faults(sources),
        false => Ok(sources),
    }
}

/// Runs all scenarios once, on its own or as one of several runs.
fn once(args: &GateArgs, seed: Seed, repeat: Option<NthRun>, sources: &[Source]) -> Result<Ran, Failure> {
    let plans: Vec<_> = sources.iter().map(|source| scenarios::compile(&source.scenario, seed)).collect();
    let module = args.module.as_deref().map(read_module).transpose()?;
    let recording = Recording::begin(args, seed, repeat, sources)?;
    let request = DriveRequest {
        plans,
        lanes: lanes(args),
        module,
        aa: args.aa.map(LaneId::from),
        toxiproxy: args.toxiproxy.clone(),
        jobs: args.jobs.unwrap_or_else(default_jobs),
        keep_databases: args.keep_databases,
        rate: args.rate,
        enough: recording.enough(),
    };
    let runtime = crate::serve::runtime()?;
    let mut recording = runtime.block_on(conduct(request, recording, drive_all))?;
    // What hangs in a thread of the runtime must not hang the gate.
    runtime.shutdown_background();
    recording = recording.unless_never_begun()?;
    let (evidence, times) = recording.close()?;
    let bundle = recording.path().display().to_string();
    let exit = recording.exit(&evidence, args.require_allow);
    Ok(Ran { evidence, times, bundle, exit })
}

/// The seed is the first thing printed: whatever happens next can be run again.
fn announce(seed: Seed, format: Format, out: &mut Stdout) -> Result<(), Failure> {
    match format {
        Format::Text => out.say(&format!("seed {seed}")).map_err(|error| cannot_print(&error)),
        _ => {
            // stdout holds the document alone.
            note(&format!("seed {seed}"));
            Ok(())
        }
    }
}

fn print(evidence: &Evidence, times: &Times, bundle: &str, format: Format, out: &mut Stdout) -> std::io::Result<()> {
    let audience = Audience::of_stdout();
    let times = Some(times);
    let (width, color) = (audience.width, audience.color);
    match format {
        Format::Text => {
            out.write_all(b"\n")?;
            TextRenderer { width, color, times, bundle: Some(bundle) }.render(evidence, out)?;
        }
        Format::Json => JsonRenderer.render(evidence, out)?,
        Format::Junit => JunitRenderer { times }.render(evidence, out)?,
        Format::Markdown => MarkdownRenderer { times }.render(evidence, out)?,
    }
    out.flush()
}

fn lanes(args: &GateArgs) -> BTreeMap<LaneId, LaneChoice> {
    let legacy = match &args.legacy {
        Some(at) => LaneChoice::Outside { at: at.clone(), token: args.legacy_token.clone() },
        None => LaneChoice::BuiltIn,
    };
    let candidate = match (&args.candidate, &args.candidate_bin) {
        (profile, Some(path)) => {
            LaneChoice::Binary { path: path.clone(), profile: profile.clone(), token: args.candidate_token.clone() }
        }
        (Some(at), None) => LaneChoice::Outside { at: at.clone(), token: args.candidate_token.clone() },
        (None, None) => LaneChoice::BuiltIn,
    };
    BTreeMap::from([(LaneId::Legacy, legacy), (LaneId::Candidate, candidate)])
}

/// The largest module that is read, in bytes.
const MAX_MODULE_BYTES: u64 = 256 << 20;

/// Reads a module, and makes sure that it is one before a server is asked to take it.
fn read_module(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = plain_file::read(path, MAX_MODULE_BYTES).map_err(|error| Failure::unreadable(path, &error))?;
    if !bytes.starts_with(b"\0asm") {
        return Err(Failure::usage(format!("{} is no wasm module", path.display()))
            .hint("spacetime/module/build.sh says how one is built"));
    }
    Ok(bytes)
}

/// A seed that is short enough to be typed. The system's randomness comes by way of the standard library's hasher.
pub fn fresh_seed() -> Seed {
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    Seed(random & u64::from(u32::MAX))
}

/// Four scenarios a core: most of a scenario's time is waiting.
fn default_jobs() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (4 * cores).clamp(1, 16)
}
