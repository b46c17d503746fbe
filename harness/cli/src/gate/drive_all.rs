//! Drives the plans of the gate, and reports what came of each.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use cutover_core::plan::Plan;
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::driver::{Driver, Message, Settings};
use crate::exit::Failure;

#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct DriveRequest {
    pub plans: Vec<Plan>,
    pub settings: Settings,
    pub jobs: usize,
    /// Where it is there and cancelled, no further plan is begun; those that are under way go on to their end.
    pub enough: Option<CancellationToken>,
}

/// Drives all plans, and returns once no process of ours is left. When `stop` is cancelled it ends early, without an
/// error.
pub async fn drive_all(
    request: DriveRequest,
    messages: Sender<Message>,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let driver = Driver::new(&request.settings, messages.clone(), stop.clone()).await?;
    let run = Run { driver, messages, stop, enough: request.enough };
    let outcome = run.of(request.plans, request.jobs).await;
    run.driver.end(outcome).await
}

struct Run {
    driver: Driver,
    messages: Sender<Message>,
    stop: CancellationToken,
    enough: Option<CancellationToken>,
}

impl Run {
    /// Drives the plans that can run on these lanes, and reports the others as left out.
    async fn of(&self, plans: Vec<Plan>, jobs: usize) -> Result<(), Failure> {
        let mut left_out = BTreeMap::new();
        let mut fit = Vec::with_capacity(plans.len());
        for plan in plans {
            match self.driver.unfit(&plan) {
                Some(reason) => drop(left_out.insert(plan.scenario, reason)),
                None => fit.push(plan),
            }
        }
        // The longest are begun first, so that none of them is waited for alone at the end.
        fit.sort_by_key(|plan| Reverse(plan.waits()));
        let means = self.driver.means();
        let _ = self.messages.send(Message::Lanes { means, left_out }).await;
        if fit.is_empty() {
            return Ok(());
        }
        let some = |by_turns: bool| fit.iter().filter(move |plan| plan.takes_turns() == by_turns);
        let all = async {
            // The first plan that can't be driven ends them all.
            let each: Vec<_> = some(false).map(|plan| self.drive_plan(plan)).collect();
            futures_util::stream::iter(each).buffer_unordered(jobs.max(1)).try_collect::<()>().await?;
            // Other plans would be noise in what these measure.
            for plan in some(true) {
                self.drive_plan(plan).await?;
            }
            Ok(())
        };
        self.driver.with_lanes(&fit, all).await
    }

    async fn drive_plan(&self, plan: &Plan) -> Result<(), Failure> {
        let enough = self.enough.as_ref().is_some_and(CancellationToken::is_cancelled);
        if self.stop.is_cancelled() || enough {
            return Ok(());
        }
        let Some(driven) = self.driver.drive(&Arc::new(plan.clone()), &plan.scenario).await? else {
            return Ok(());
        };
        // After a second signal nobody receives it.
        let (recorded, wait) = oneshot::channel();
        let _ = self.messages.send(Message::Driven(Box::new(driven), recorded)).await;
        // Once it is judged, `enough` says whether another plan is begun.
        if self.enough.is_some() {
            let _ = wait.await;
        }
        Ok(())
    }
}
