//! `cutover calibrate`: plants defects one at a time, and counts what the gate makes of them.

mod clean;
mod pure;
mod show;
mod trials;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cutover_core::calibration::{CALIBRATION_SCHEMA, Calibration, MAX_FILE_BYTES, Tried, saved};
use cutover_core::plan::defect::{Place, Planted, all};
use cutover_core::scenario::compile;
use cutover_live::plain_file;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::args::{CalibrateArgs, ScenarioArgs, TextOrJson};
use crate::driver::{Driver, Settings};
use crate::exit::{Exit, Failure};
use crate::gate::default_jobs;
use crate::lanes;
use crate::out::{Audience, Stdout, note};
use crate::scenarios;
use crate::signals::runtime;
use crate::surroundings;
use trials::Trials;

/// Messages that may wait; nothing shows them.
const QUEUE: usize = 256;

/// What a calibration does, by its arguments.
struct Work {
    settings: Settings,
    planted: Vec<&'static Planted>,
    plans: Vec<cutover_core::plan::Plan>,
    known_bad: Vec<cutover_core::plan::Plan>,
    jobs: usize,
    until: Option<Duration>,
    /// Where to keep what was found, also while it goes on.
    save: Option<PathBuf>,
    /// What an earlier calibration found: of the file that is to be saved, or else of this version of the tool.
    last: Option<Calibration>,
}

pub fn run(args: &CalibrateArgs) -> Result<Exit, Failure> {
    let planted = chosen(args)?;
    let settings = lanes::settings(&args.lanes, None)?;
    surroundings::enough_files()?;
    let sources = scenarios::select(&ScenarioArgs::default())?;
    let compiled = |known_bad: bool| {
        let of_kind = sources.iter().filter(|source| source.known_bad() == known_bad);
        of_kind.map(|source| compile(&source.scenario, args.seed)).collect::<Vec<_>>()
    };
    let work = Work {
        settings,
        planted,
        plans: compiled(false),
        known_bad: compiled(true),
        jobs: args.jobs.unwrap_or_else(default_jobs),
        until: args.time,
        save: args.save.clone(),
        last: args.save.as_deref().map_or_else(|| Ok(saved()), earlier)?,
    };
    let mut result = Calibration {
        schema: CALIBRATION_SCHEMA.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        seed: args.seed,
        scenarios: 0,
        clean: Vec::new(),
        defects: Vec::new(),
    };
    let runtime = runtime()?;
    runtime.block_on(async {
        plant(&work, &mut result).await?;
        result.defects.sort_by_key(|tried| all().position(|planted| planted.name == tried.name));
        result.clean = clean::run(&work.settings, &sources, args.seed, args.clean, work.jobs).await?;
        Ok(())
    })?;
    runtime.shutdown_background();
    if let Some(path) = &args.save {
        // Defects that were not chosen stand there as they did.
        let mut kept = result.clone().followed_by(work.last.as_ref(), &result.defects);
        kept.defects.sort_by_key(|tried| all().position(|planted| planted.name == tried.name));
        save(path, &kept)?;
    }
    let mut out = Stdout::new();
    match args.format {
        TextOrJson::Text => out.say(&show::text(&result, Audience::of_stdout().width))?,
        TextOrJson::Json => out.say(result.to_text().trim_end())?,
    }
    let alarms = result.clean.iter().any(|clean| !clean.alarms.is_empty());
    Ok(if alarms || result.defects.iter().any(Tried::is_news) { Exit::Invalid } else { Exit::Allow })
}

fn chosen(args: &CalibrateArgs) -> Result<Vec<&'static Planted>, Failure> {
    if let Some(unknown) = args.defects.iter().find(|name| all().all(|planted| planted.name != **name)) {
        return Err(Failure::usage(format!("there is no defect `{unknown}`")).hint("docs/CALIBRATION.md lists them"));
    }
    let planted = all().filter(|planted| {
        args.place.is_none_or(|place| place == planted.place)
            && args.kind.is_none_or(|kind| kind == planted.kind)
            && (args.defects.is_empty() || args.defects.iter().any(|name| name == planted.name))
    });
    Ok(planted.collect())
}

async fn plant(work: &Work, result: &mut Calibration) -> Result<(), Failure> {
    let (tell, mut told) = mpsc::channel(QUEUE);
    let listening = tokio::spawn(async move { while told.recv().await.is_some() {} });
    let driver = Driver::new(&work.settings, tell, CancellationToken::new()).await?;
    let fit = |plans: &[cutover_core::plan::Plan]| {
        plans.iter().filter(|plan| driver.unfit(plan).is_none()).cloned().collect::<Vec<_>>()
    };
    let (plans, known_bad) = (fit(&work.plans), fit(&work.known_bad));
    let began = Instant::now();
    let outcome = driver
        .with_lanes(&plans, async {
            let mut trials = Trials::new(&driver, &plans, work.jobs, work.last.as_ref()).await?;
            result.scenarios = trials.count();
            let (pure, driven): (Vec<_>, Vec<_>) =
                work.planted.iter().partition(|planted| matches!(planted.place, Place::Client | Place::Harness));
            let begun = result.clone();
            // What was found so far is kept, so that a run that is broken off was not in vain.
            let keep = |tried: &[Tried]| match &work.save {
                Some(path) => write(path, &begun.clone().followed_by(work.last.as_ref(), tried)),
                None => Ok(()),
            };
            result.defects = trials.run(&driven, began, work.until, keep).await?;
            if pure.iter().any(|planted| planted.place == Place::Harness) {
                trials.drive_known_bad(&known_bad).await?;
            }
            result
                .defects
                .extend(tokio::task::block_in_place(|| pure::run(&pure, trials.honest(), trials.known_bad())));
            Ok(())
        })
        .await;
    let ended = driver.end(outcome).await;
    listening.abort();
    ended
}

/// The calibration of a file, where there is one.
fn earlier(path: &Path) -> Result<Option<Calibration>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let text = plain_file::read_text(path, MAX_FILE_BYTES).map_err(|error| Failure::unreadable(path, &error))?;
    let read = Calibration::read(&text).map_err(|error| {
        Failure::usage(format!("{} is no calibration: {error}", path.display())).hint("give another file by --save")
    });
    read.map(Some)
}

fn write(path: &Path, result: &Calibration) -> Result<(), Failure> {
    std::fs::write(path, result.to_text()).map_err(|error| Failure::unwritable(path, &error))
}

fn save(path: &Path, result: &Calibration) -> Result<(), Failure> {
    write(path, result)?;
    note(&format!("saved {}", path.display()));
    Ok(())
}
