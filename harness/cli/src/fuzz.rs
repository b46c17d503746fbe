//! `cutover fuzz`: draws scenarios, drives them over both lanes, judges them, and makes those that fail smaller.

mod report;
mod search;
mod shrinking;
mod status;
#[cfg(test)]
mod tests;
mod trial;

use std::path::{Path, PathBuf};

use cutover_core::check::Verdict;
use cutover_core::ids::{LaneId, Seed};
use cutover_core::plan::Plan;
use cutover_core::plan::defect::{module, reference};
use cutover_core::scenario::{compile, load, stock};
use cutover_live::clock::Moment;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::args::FuzzArgs;
use crate::bundle_dir::in_reports;
use crate::driver::{Driver, Settings};
use crate::exit::{Exit, Failure};
use crate::gate::default_jobs;
use crate::lanes;
use crate::out::{Audience, Stdout, note};
use crate::scenarios::{self, Source};
use crate::signals::{StopSignals, runtime};
use crate::surroundings;
use report::{Summary, report};
use search::Search;
use status::{Status, listen, watch};

/// Messages that may wait to be shown.
const QUEUE: usize = 256;

pub fn run(args: &FuzzArgs) -> Result<Exit, Failure> {
    let [legacy_defects, candidate_defects] = defects(args)?;
    let settings = Settings { legacy_defects, candidate_defects, ..lanes::settings(&args.lanes, args.rate)? };
    let file = args.shrink.as_deref().map(to_shrink).transpose()?;
    surroundings::enough_files()?;
    let of_the_file = file.as_ref().and_then(|source| source.scenario.seed);
    let seed = args.seed.or(of_the_file).unwrap_or_else(|| Seed(surroundings::random()));
    let places = Places::new(args, seed)?;
    let mut out = Stdout::new();
    out.say(&format!("seed {seed}"))?;
    let runtime = runtime()?;
    let summary = runtime.block_on(search(args, settings, file, seed, places))?;
    // What hangs in a thread of the runtime must not hang the search.
    runtime.shutdown_background();
    out.say(&report(&summary, Audience::of_stdout().width))?;
    if let Some(failure) = summary.failure {
        return Err(failure);
    }
    Ok(match summary.found.iter().map(|found| found.verdict).max() {
        Some(Verdict::Invalid) => Exit::Invalid,
        None if summary.driven > 0 => Exit::Allow,
        _ => Exit::Unknown,
    })
}

async fn search(
    args: &FuzzArgs,
    settings: Settings,
    file: Option<Source>,
    seed: Seed,
    places: Places,
) -> Result<Summary, Failure> {
    let (stop, now) = (CancellationToken::new(), CancellationToken::new());
    let time = if file.is_some() { None } else { Some(args.time) };
    let status = Status::new(Audience::of_stderr(), time);
    let watching = tokio::spawn(watch(StopSignals::listen()?, status.clone(), stop.clone(), now.clone()));
    let (tell, told) = mpsc::channel(QUEUE);
    let listening = tokio::spawn(listen(told, status.clone()));
    let defects = [settings.legacy_defects.clone(), settings.candidate_defects.clone()];
    let driver = Driver::new(&settings, tell, stop.clone()).await?;
    let jobs = args.jobs.unwrap_or_else(default_jobs);
    let mut search = Search::new(args, &driver, seed, jobs, (defects, places), (status.clone(), stop));
    let outcome = {
        let plans: Vec<Plan> = stock_plans(seed).into_iter().filter(|plan| driver.unfit(plan).is_none()).collect();
        let work = async {
            match file {
                Some(source) => search.shrink_file(&source).await,
                None => search.run().await,
            }
        };
        tokio::select! {
            biased;
            () = now.cancelled() => Ok(()),
            outcome = driver.with_lanes(&plans, work) => outcome,
        }
    };
    let mut summary = search.summary();
    let ended = tokio::select! {
        biased;
        () = now.cancelled() => Ok(()),
        ended = driver.end(outcome) => ended,
    };
    listening.abort();
    watching.abort();
    status.clear();
    summary.failure = ended.err();
    Ok(summary)
}

/// Plans with all that a scenario may use, by which outside lanes are tried before anything is driven.
fn stock_plans(seed: Seed) -> Vec<Plan> {
    let honest: Vec<_> = stock().iter().copied().filter(|(path, _)| !path.contains("known-bad")).collect();
    load(&honest).map_or_else(|_| Vec::new(), |all| all.iter().map(|scenario| compile(scenario, seed)).collect())
}

/// The defects to plant in each lane: a name is one of the reference legacy server, or else of the module.
fn defects(args: &FuzzArgs) -> Result<[Vec<String>; 2], Failure> {
    let names = args.defects.iter().flat_map(|names| names.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let (mut legacy, mut candidate) = (Vec::new(), Vec::new());
    for name in names {
        if reference::Defect::NAMES.contains(&name) {
            legacy.push(name.to_owned());
        } else if module::NAMES.contains(&name) {
            candidate.push(name.to_owned());
        } else {
            let what = format!("there is no planted defect `{name}`");
            return Err(Failure::usage(what).hint("docs/SCENARIOS.md lists those of both servers"));
        }
    }
    let lanes = &args.lanes;
    let is_ours = [lanes.legacy.is_none(), lanes.candidate.is_none() || lanes.candidate_bin.is_some()];
    for (lane, (planted, is_ours)) in LaneId::BOTH.into_iter().zip([&legacy, &candidate].into_iter().zip(is_ours)) {
        if let Some(name) = planted.first().filter(|_| !is_ours) {
            let what =
                format!("--defect {name} plants a defect in a server of this tool, and --{lane} names another one");
            return Err(Failure::usage(what).hint("leave one of them out"));
        }
    }
    Ok([legacy, candidate])
}

fn to_shrink(path: &Path) -> Result<Source, Failure> {
    let source = scenarios::one(&path.display().to_string(), None)?;
    if source.known_bad() {
        let what = format!("{} is a known-bad scenario, which plants its defect itself", path.display());
        return Err(Failure::usage(what).hint("give an honest scenario that fails"));
    }
    Ok(source)
}

/// Where a search writes.
struct Places {
    /// The folder for the bundles, made with the first of them.
    evidence: PathBuf,
    save: Option<PathBuf>,
}

impl Places {
    fn new(args: &FuzzArgs, seed: Seed) -> Result<Places, Failure> {
        let evidence = args.out.clone();
        if let Some(out) = &evidence
            && std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some())
        {
            return Err(Failure::usage(format!("{} is not empty", out.display()))
                .hint("give --out a directory that is empty or not there yet"));
        }
        for path in [&evidence, &args.save].into_iter().flatten() {
            if path.exists() && !path.is_dir() {
                return Err(Failure::usage(format!("{} is no directory", path.display())));
            }
        }
        let evidence = evidence.unwrap_or_else(|| {
            let name = format!("fuzz-{}-{seed}", Moment::now().compact());
            in_reports(&name)
        });
        Ok(Places { evidence, save: args.save.clone() })
    }

    /// A name that no file of this directory has.
    fn free_name(&self, name: &str) -> String {
        let taken = |name: &str| self.save.as_ref().is_some_and(|dir| dir.join(format!("{name}.toml")).exists());
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
    }

    /// Saves the file of a found scenario, and returns its path.
    fn save(&self, name: &str, text: &str) -> Result<Option<PathBuf>, Failure> {
        let Some(dir) = &self.save else { return Ok(None) };
        let path = dir.join(format!("{name}.toml"));
        let written = std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| Failure::unwritable(&path, &error))?;
        note(&format!("saved {}", path.display()));
        Ok(Some(path))
    }
}
