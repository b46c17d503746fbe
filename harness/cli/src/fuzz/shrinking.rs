//! What is done with a scenario that failed: its evidence, how often it fails, and the smallest one that fails alike.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover_core::check::Verdict;
use cutover_core::ids::Seed;
use cutover_core::plan::Plan;
use cutover_core::scenario::{ScenarioErrors, compile};
use cutover_core::shrink::{Origin, Shrink, Wanted, steps_of};
use futures_util::future::try_join_all;

use super::report::FoundOne;
use super::search::{News, Search};
use super::trial::{Rate, Trial};
use crate::args::GateArgs;
use crate::exit::Failure;
use crate::gate::record::Recording;
use crate::policy;
use crate::scenarios::Source;

/// So long a scenario is made smaller at most, and with so many proposals.
const SHRINK_FOR: Duration = Duration::from_secs(240);
const PROPOSALS: usize = 400;
/// A finding that does not come in two of three runs is looked for in so many.
const RUNS_OF_FLAKY: u32 = 10;
/// A file has its own name and so its own random choices: the finding is looked for with so many seeds.
const SEEDS: u64 = 5;

impl Search<'_> {
    /// Drives a scenario of a file, and makes it smaller if it fails.
    pub async fn shrink_file(&mut self, source: &Source) -> Result<(), Failure> {
        let plan = Arc::new(compile(&source.scenario, self.seed));
        if let Some(reason) = self.driver.unfit(&plan) {
            return Err(Failure::usage(format!("these lanes can't run {}: {reason}", source.path)));
        }
        for _ in 0..RUNS_OF_FLAKY {
            let place = self.place(&plan.scenario);
            let Some(trial) = Trial::of(self.driver, &plan, &place).await? else { return Ok(()) };
            self.judged(trial.judged.outcome);
            if let Some((wanted, verdict)) = trial.worst() {
                self.status.line(&format!("{}: {wanted}", source.scenario.name));
                self.found.insert(wanted.clone(), FoundOne::new(wanted.clone(), verdict, steps_of(&source.text)));
                let (path, text) = (source.path.clone(), source.text.clone());
                return self.examine(News { path, text, wanted, verdict, trial }).await;
            }
        }
        Ok(())
    }

    pub(super) async fn examine(&mut self, news: News) -> Result<(), Failure> {
        let evidence = self.write_evidence(&news)?;
        if let Some(found) = self.found.get_mut(&news.wanted) {
            found.evidence = Some(evidence);
        }
        let plan = Arc::new(news.trial.driven.plan.clone());
        let mut rate = Rate { came: 1, of: 1 };
        self.again(&plan, &news.wanted, 2, &mut rate).await?;
        if !rate.is_steady() && news.verdict == Verdict::Invalid {
            self.again(&plan, &news.wanted, RUNS_OF_FLAKY - rate.of, &mut rate).await?;
        }
        // What only could not be shown is often a matter of the machine: it is reported, and not worth the time.
        if news.verdict < Verdict::Invalid && self.args.shrink.is_none() {
            if let Some(found) = self.found.get_mut(&news.wanted) {
                found.rate = rate;
            }
            return Ok(());
        }
        let name = self.places.free_name(&news.wanted.name());
        let mut shrink = self.shrink_with(&news, &name, self.seed)?;
        let mut shrunk = None;
        let mut failure = None;
        if rate.is_steady()
            && let Some(seed) = self.seed_of(&news, &name, &mut shrink).await?
        {
            let began = Instant::now();
            while began.elapsed() < SHRINK_FOR {
                match self.try_smaller(&mut shrink, seed, &news.wanted).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    // What was gained by then is kept.
                    Err(why) => {
                        failure = Some(why);
                        break;
                    }
                }
                let (steps, trials) = (steps_of(&shrink.best().text), shrink.trials);
                self.status.now(format!("shrinking {}: {steps} steps, {trials} smaller ones tried", news.wanted));
            }
            let plan = Arc::new(compile(&shrink.best().scenario, seed));
            if failure.is_none() {
                let mut smallest = Rate::default();
                self.again(&plan, &news.wanted, 3, &mut smallest).await?;
                // A run that was stopped gave nothing.
                rate = if self.stop.is_cancelled() { rate } else { smallest };
            }
            shrunk = Some((steps_of(&shrink.best().text), shrink.trials, began.elapsed()));
        } else if self.stop.is_cancelled() {
            return Ok(());
        }
        let text = shrink.file(&rate.to_string());
        let saved = self.places.save(&name, &text)?;
        if let Some(found) = self.found.get_mut(&news.wanted) {
            (found.rate, found.shrunk, found.saved, found.text) = (rate, shrunk, saved, Some(text));
        }
        failure.map_or(Ok(()), Err)
    }

    fn shrink_with(&self, news: &News, name: &str, seed: Seed) -> Result<Shrink, Failure> {
        let origin = Origin { name: name.to_owned(), seed, wanted: news.wanted.clone(), planted: self.planted.clone() };
        let unreadable =
            |errors: ScenarioErrors| Failure::fault(format!("a scenario that failed can't be read\n{errors}"));
        Shrink::new(&news.path, &news.text, &origin, PROPOSALS).map_err(unreadable)
    }

    /// The seed with which the renamed scenario gives the finding too, if one does.
    async fn seed_of(&mut self, news: &News, name: &str, shrink: &mut Shrink) -> Result<Option<Seed>, Failure> {
        for more in 0..SEEDS {
            let seed = Seed(self.seed.0.saturating_add(more));
            *shrink = self.shrink_with(news, name, seed)?;
            let plan = Arc::new(compile(&shrink.best().scenario, seed));
            if self.comes(vec![plan], &news.wanted).await? == [true] {
                return Ok(Some(seed));
            }
        }
        Ok(None)
    }

    /// Tries what is smaller; says whether there was anything to try.
    async fn try_smaller(&mut self, shrink: &mut Shrink, seed: Seed, wanted: &Wanted) -> Result<bool, Failure> {
        let at_once = (self.jobs / 2).max(1);
        let proposed = tokio::task::block_in_place(|| shrink.propose(at_once));
        if proposed.is_empty() {
            return Ok(false);
        }
        let plans = proposed.iter().map(|proposal| Arc::new(compile(&proposal.scenario, seed))).collect();
        shrink.answer(&self.comes(plans, wanted).await?);
        self.renew().await?;
        Ok(!self.stop.is_cancelled())
    }

    /// Which of the plans give the finding in two of three runs. The third run is for those that gave it once.
    async fn comes(&mut self, plans: Vec<Arc<Plan>>, wanted: &Wanted) -> Result<Vec<bool>, Failure> {
        let twice: Vec<_> = plans.iter().flat_map(|plan| [plan.clone(), plan.clone()]).collect();
        let first = self.gave(&twice, wanted).await?;
        let mut came: Vec<u32> = first.chunks(2).map(|runs| runs.iter().map(|came| u32::from(*came)).sum()).collect();
        let once: Vec<_> = (0..plans.len()).filter(|place| came[*place] == 1).collect();
        let third: Vec<_> = once.iter().map(|place| plans[*place].clone()).collect();
        for (place, gave) in once.into_iter().zip(self.gave(&third, wanted).await?) {
            came[place] += u32::from(gave);
        }
        Ok(came.into_iter().map(|came| came >= 2).collect())
    }

    async fn again(&mut self, plan: &Arc<Plan>, wanted: &Wanted, times: u32, rate: &mut Rate) -> Result<(), Failure> {
        let plans = vec![plan.clone(); times as usize];
        for gave in self.gave(&plans, wanted).await? {
            rate.add(gave);
        }
        Ok(())
    }

    /// Drives plans side by side, and says which of them gave the finding.
    async fn gave(&mut self, plans: &[Arc<Plan>], wanted: &Wanted) -> Result<Vec<bool>, Failure> {
        let mut all = Vec::with_capacity(plans.len());
        for some in plans.chunks(self.jobs.max(1)) {
            let placed: Vec<_> = some.iter().map(|plan| (plan, self.place(&plan.scenario))).collect();
            let driver = self.driver;
            let one = async |plan, place: String| Trial::of(driver, plan, &place).await;
            let trials = try_join_all(placed.into_iter().map(|(plan, place)| one(plan, place))).await?;
            all.extend(trials.iter().map(|trial| trial.as_ref().is_some_and(|trial| trial.gave(wanted))));
        }
        Ok(all)
    }

    /// Writes the bundle of a scenario that failed, as the gate does, and returns its path.
    fn write_evidence(&self, news: &News) -> Result<PathBuf, Failure> {
        let driven = &news.trial.driven;
        let name = &driven.plan.scenario;
        let out = self.places.evidence.join(name);
        let copy = out.join("scenarios").join(format!("{name}.toml"));
        let args = GateArgs::of_one(self.args.lanes.clone(), name, copy.clone(), out);
        let scenario = cutover_core::scenario::Scenario::parse(&format!("{name}.toml"), &news.text)
            .map_err(|errors| Failure::fault(format!("a scenario that failed can't be read\n{errors}")))?;
        let source = Source { scenario, text: news.text.clone(), path: copy.display().to_string() };
        let mut recording =
            Recording::begin(&args, driven.plan.seed, None, &[source], (&policy::given(&args.policy)?, None))?;
        recording.lanes(self.driver.means(), std::collections::BTreeMap::new());
        self.status.lanes().iter().for_each(|event| recording.event(event));
        recording.driven(driven)?;
        recording.complete();
        recording.close()?;
        Ok(recording.path().to_owned())
    }
}
