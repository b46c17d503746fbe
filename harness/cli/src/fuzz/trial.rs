//! One trial: a plan that is driven over both lanes, and what the checkers find.

use std::sync::Arc;

use cutover_core::check::{CheckInput, Verdict};
use cutover_core::evidence::{Driven, JudgedScenario, judge_scenario};
use cutover_core::plan::Plan;
use cutover_core::shrink::Wanted;

use crate::driver::Driver;
use crate::exit::{Exit, Failure};

pub struct Trial {
    pub driven: Driven,
    pub judged: JudgedScenario,
}

impl Trial {
    /// Drives and judges a plan; nothing comes back where the driver is to stop.
    pub async fn of(driver: &Driver, plan: &Arc<Plan>, place: &str) -> Result<Option<Trial>, Failure> {
        let driven = match driver.drive(plan, place).await {
            // A long search meets a port that another program took in between, or a server that starts too late.
            Err(failure) if failure.exit == Exit::Environment => driver.drive(plan, &format!("{place}-again")).await?,
            driven => driven?,
        };
        driver.forget(place);
        let Some(driven) = driven else { return Ok(None) };
        let judge = move || {
            let input = CheckInput::new(&driven.plan, &driven.legacy.history, &driven.candidate.history);
            let judged = judge_scenario(&input);
            Trial { driven, judged }
        };
        let judged = tokio::task::spawn_blocking(judge).await;
        judged.map(Some).map_err(|error| Failure::fault(format!("a checker ended in a fault of its own: {error}")))
    }

    /// The worst principal finding; of several the most specific.
    pub fn worst(&self) -> Option<(Wanted, Verdict)> {
        let worst = self.judged.principal().map(|it| it.finding.verdict).max()?;
        let first = self.judged.principal().find(|it| it.finding.verdict == worst)?;
        Some((Wanted::of(&first.finding), worst))
    }

    pub fn gave(&self, wanted: &Wanted) -> bool {
        self.judged.principal().any(|it| Wanted::of(&it.finding) == *wanted)
    }
}

/// How often a finding came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    pub came: u32,
    pub of: u32,
}

impl Rate {
    pub fn add(&mut self, came: bool) {
        self.came += u32::from(came);
        self.of += 1;
    }

    /// Whether it comes in two of three runs, so that a smaller scenario can be compared.
    pub fn is_steady(self) -> bool {
        3 * self.came >= 2 * self.of
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.came, self.of)
    }
}
