//! Right lanes, seed by seed: whatever blocks one is a false alarm.

use std::sync::Arc;

use cutover_core::calibration::Clean;
use cutover_core::evidence::ScenarioOutcome;
use cutover_core::ids::{LaneId, Seed};
use cutover_core::plan::Plan;
use cutover_core::plant::Whole;
use cutover_core::scenario::compile;
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::QUEUE;
use crate::driver::{Driver, Settings};
use crate::exit::Failure;
use crate::out::note;
use crate::scenarios::Source;

/// Runs so many seeds of the two lanes, and of each lane against itself.
pub async fn run(
    settings: &Settings,
    sources: &[Source],
    seed: Seed,
    seeds: u32,
    jobs: usize,
) -> Result<Vec<Clean>, Failure> {
    let mut all = Vec::new();
    for aa in [None, Some(LaneId::Legacy), Some(LaneId::Candidate)].into_iter().filter(|_| seeds > 0) {
        let mut clean = Clean { aa, seeds: 0, scenarios: 0, alarms: Vec::new() };
        for more in 1..=u64::from(seeds) {
            let seed = Seed(seed.0.wrapping_add(more));
            one(&Settings { aa, ..settings.clone() }, sources, seed, jobs, &mut clean).await?;
            clean.seeds += 1;
        }
        let of = aa.map_or("both lanes".to_owned(), |lane| format!("the {lane} lane against itself"));
        note(&format!("{of}: {} seeds, {} false alarms", clean.seeds, clean.alarms.len()));
        all.push(clean);
    }
    Ok(all)
}

async fn one(
    settings: &Settings,
    sources: &[Source],
    seed: Seed,
    jobs: usize,
    clean: &mut Clean,
) -> Result<(), Failure> {
    let (tell, mut told) = mpsc::channel(QUEUE);
    let listening = tokio::spawn(async move { while told.recv().await.is_some() {} });
    let driver = Driver::new(settings, tell, CancellationToken::new()).await?;
    let honest = sources.iter().filter(|source| !source.known_bad());
    let plans: Vec<Plan> = honest.map(|source| compile(&source.scenario, seed)).collect();
    let plans: Vec<Plan> = plans.into_iter().filter(|plan| driver.unfit(plan).is_none()).collect();
    let outcome = driver
        .with_lanes(&plans, async {
            let driver = &driver;
            let each =
                plans.iter().map(|plan| async move { driver.drive(&Arc::new(plan.clone()), &plan.scenario).await });
            let driven: Vec<_> = futures_util::stream::iter(each).buffer_unordered(jobs).try_collect().await?;
            for driven in driven.into_iter().flatten() {
                let judged = Whole::from_driven(driven).judged();
                clean.scenarios += 1;
                if judged.outcome != ScenarioOutcome::Passed {
                    let found = judged
                        .principal()
                        .map(|found| format!("{}/{}", found.finding.checker, found.finding.reason.word));
                    let found = found.collect::<Vec<_>>().join(", ");
                    let alarm = format!("seed {seed}, {}: {found}", judged.name);
                    note(&format!("false alarm: {alarm}"));
                    clean.alarms.push(alarm);
                }
            }
            Ok(())
        })
        .await;
    let ended = driver.end(outcome).await;
    listening.abort();
    ended
}
