//! The search: draws, drives, judges, and hands what fails to the shrinking.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use cutover_core::check::Verdict;
use cutover_core::draw::{Coverage, DrawnScenario, draw, path_of};
use cutover_core::evidence::ScenarioOutcome;
use cutover_core::ids::Seed;
use cutover_core::scenario::compile;
use cutover_core::shrink::{Wanted, steps_of};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::Places;
use super::report::{FoundOne, Summary};
use super::status::Status;
use super::trial::Trial;
use crate::args::FuzzArgs;
use crate::driver::Driver;
use crate::exit::Failure;

/// After so many trials, servers of ours are replaced by new ones: each trial leaves a database on them.
const RENEW_AFTER: u32 = 200;

pub struct Search<'a> {
    pub(super) args: &'a FuzzArgs,
    pub(super) driver: &'a Driver,
    pub(super) seed: Seed,
    pub(super) jobs: usize,
    pub(super) planted: [Vec<String>; 2],
    pub(super) places: Places,
    pub(super) status: Status,
    pub(super) stop: CancellationToken,
    began: Instant,
    /// What was drawn. It steers the next draw, so that a seed always draws the same.
    drawn: Coverage,
    /// What was driven, and what the lanes showed then.
    covered: Coverage,
    draws: u32,
    driven: u32,
    outcomes: BTreeMap<ScenarioOutcome, u32>,
    pub(super) found: BTreeMap<Wanted, FoundOne>,
    trials: u32,
    since_new: u32,
}

/// A scenario that failed in a new way.
pub(super) struct News {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) wanted: Wanted,
    pub(super) verdict: Verdict,
    pub(super) trial: Trial,
}

impl<'a> Search<'a> {
    pub fn new(
        args: &'a FuzzArgs,
        driver: &'a Driver,
        seed: Seed,
        jobs: usize,
        (planted, places): ([Vec<String>; 2], Places),
        (status, stop): (Status, CancellationToken),
    ) -> Search<'a> {
        Search {
            args,
            driver,
            seed,
            jobs,
            planted,
            places,
            status,
            stop,
            began: Instant::now(),
            drawn: Coverage::of_stock(),
            covered: Coverage::default(),
            draws: 0,
            driven: 0,
            outcomes: BTreeMap::new(),
            found: BTreeMap::new(),
            trials: 0,
            since_new: 0,
        }
    }

    pub async fn run(&mut self) -> Result<(), Failure> {
        while self.goes_on() {
            for news in self.until_news().await? {
                self.examine(news).await?;
            }
            self.renew().await?;
        }
        Ok(())
    }

    pub fn summary(self) -> Summary {
        Summary {
            took: self.began.elapsed(),
            draws: self.draws,
            driven: self.driven,
            outcomes: self.outcomes,
            found: self.found.into_values().collect(),
            covered: self.covered,
            failure: None,
        }
    }

    fn goes_on(&self) -> bool {
        let is_over = self.began.elapsed() >= self.args.time || self.args.runs.is_some_and(|runs| self.draws >= runs);
        let is_wrong = |found: &FoundOne| found.verdict == Verdict::Invalid;
        let is_enough = self.args.fail_fast && self.found.values().any(is_wrong);
        !(is_over || is_enough || self.stop.is_cancelled())
    }

    /// Draws and drives until a scenario fails in a new way, and those that are under way have ended too.
    async fn until_news(&mut self) -> Result<Vec<News>, Failure> {
        let driver = self.driver;
        let mut under_way = FuturesUnordered::new();
        let mut news: Vec<News> = Vec::new();
        loop {
            while news.is_empty() && under_way.len() < self.jobs && self.since_new < RENEW_AFTER && self.goes_on() {
                let drawn = self.draw();
                let plan = Arc::new(compile(&drawn.scenario, self.seed));
                if driver.unfit(&plan).is_none() {
                    let place = self.place(&plan.scenario);
                    under_way.push(async move { (drawn, Trial::of(driver, &plan, &place).await) });
                }
            }
            let Some((drawn, trial)) = under_way.next().await else { return Ok(news) };
            let Some(trial) = trial?.filter(|_| !self.stop.is_cancelled()) else { continue };
            self.note(&drawn, &trial);
            let Some((wanted, verdict)) = trial.worst() else { continue };
            if let Some(known) = self.found.get_mut(&wanted) {
                known.scenarios += 1;
            } else {
                self.status.line(&format!("{}: {wanted}", drawn.name));
                let steps = steps_of(&drawn.text);
                self.found.insert(wanted.clone(), FoundOne::new(wanted.clone(), verdict, steps));
                let path = path_of(&drawn.name);
                news.push(News { path, text: drawn.text, wanted, verdict, trial });
            }
        }
    }

    fn draw(&mut self) -> DrawnScenario {
        self.draws += 1;
        let means = self.driver.means();
        // Its work would keep other tasks of this thread waiting.
        let drawn = tokio::task::block_in_place(|| draw(self.seed, self.draws, &self.drawn, &means));
        self.drawn.note_text(&drawn.text);
        drawn
    }

    fn note(&mut self, drawn: &DrawnScenario, trial: &Trial) {
        self.judged(trial.judged.outcome);
        let histories = [&trial.driven.legacy.history, &trial.driven.candidate.history];
        self.covered.note(&drawn.text, &trial.driven.plan, &histories);
        let (draws, driven, found) = (self.draws, self.driven, self.found.len());
        self.status.now(format!("{draws} drawn, {driven} driven, {found} different findings"));
    }

    pub(super) fn judged(&mut self, outcome: ScenarioOutcome) {
        self.driven += 1;
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    /// A place for a trial that no other trial had.
    pub(super) fn place(&mut self, scenario: &str) -> String {
        self.trials += 1;
        self.since_new += 1;
        format!("{scenario}-t{}", self.trials)
    }

    /// Replaces servers of ours that hold too much. No plan may be under way.
    pub(super) async fn renew(&mut self) -> Result<(), Failure> {
        if self.since_new >= RENEW_AFTER && !self.stop.is_cancelled() {
            self.driver.renew().await?;
            self.since_new = 0;
        }
        Ok(())
    }
}
