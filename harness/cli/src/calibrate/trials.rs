//! Drives honest scenarios with a defect in one lane, until the gate blocks it.
//!
//! Only the lane with the defect is driven anew; of the other one, the history of the clean run is judged.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cutover_core::calibration::{Calibration, Caught, Tried, checkers_of};
use cutover_core::check::Verdict;
use cutover_core::evidence::{Driven, JudgedScenario, ScenarioOutcome};
use cutover_core::history::{History, Record};
use cutover_core::ids::LaneId;
use cutover_core::plan::defect::{Kind, Place, Planted, all, survivor, wire};
use cutover_core::plan::{Bridge, Plan};
use cutover_core::plant::{FAULT, Whole, on_wire};
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt};

use crate::driver::Driver;
use crate::exit::Failure;
use crate::out::note;

/// So many defects leave their databases on one server.
const RENEW_AFTER: usize = 16;

/// So many scenarios look for a defect one after the other: mostly, one of them finds it.
const ALONE: usize = 4;
/// So many look for it together then.
const TOGETHER: usize = 6;

/// The defects that are tried between two servers of the candidate. The legacy server is a new one for each trial.
fn in_parts<'p>(planted: &'p [&'static Planted]) -> std::slice::Chunks<'p, &'static Planted> {
    let is_legacy = planted.first().is_some_and(|planted| planted.place == Place::Reference);
    planted.chunks(if is_legacy { planted.len() } else { RENEW_AFTER })
}

pub struct Trials<'a> {
    driver: &'a Driver,
    jobs: usize,
    /// What the clean run drove, and how long each scenario took.
    honest: Vec<(Whole, u64)>,
    known_bad: Vec<Whole>,
    /// What caught each defect the last time.
    before: BTreeMap<&'static str, String>,
    order: Mutex<Order>,
}

/// Which scenarios are tried first.
#[derive(Default)]
struct Order {
    /// How many defects of a kind a scenario has caught.
    caught: BTreeMap<(Kind, String), u64>,
    /// The scenarios that caught the last defects of a place, the last one first: defects that stand beside each other
    /// in the list are mostly caught by the same ones.
    recent: BTreeMap<Place, VecDeque<String>>,
}

impl Order {
    fn note(&mut self, planted: &Planted, scenario: &str) {
        *self.caught.entry((planted.kind, scenario.to_owned())).or_default() += 1;
        let recent = self.recent.entry(planted.place).or_default();
        recent.retain(|known| known != scenario);
        recent.push_front(scenario.to_owned());
    }
}

impl<'a> Trials<'a> {
    /// Drives the honest scenarios without a defect. One that does not pass can't show a defect.
    /// `last` is a calibration whose scenarios are tried first.
    pub async fn new(
        driver: &'a Driver,
        plans: &[Plan],
        jobs: usize,
        last: Option<&Calibration>,
    ) -> Result<Trials<'a>, Failure> {
        let mut honest = Vec::new();
        for driven in drive(driver, plans, jobs).await? {
            let elapsed = driven.elapsed_ms;
            let whole = Whole::from_driven(driven);
            let judged = whole.judged();
            if judged.outcome == ScenarioOutcome::Passed {
                honest.push((whole, elapsed));
            } else {
                note(&format!("{} does not pass without a defect, and is left out", judged.name));
            }
        }
        let mut order = Order::default();
        let mut before = BTreeMap::new();
        for tried in last.iter().flat_map(|last| &last.defects) {
            let planted = all().find(|planted| planted.name == tried.name);
            if let Some((planted, caught)) = planted.zip(tried.caught.as_ref()) {
                *order.caught.entry((planted.kind, caught.scenario.clone())).or_default() += 1;
                before.insert(planted.name, caught.scenario.clone());
            }
        }
        Ok(Trials { driver, jobs, honest, known_bad: Vec::new(), before, order: Mutex::new(order) })
    }

    pub fn count(&self) -> u64 {
        self.honest.len() as u64
    }

    pub fn honest(&self) -> impl Iterator<Item = &Whole> + Clone {
        self.honest.iter().map(|(whole, _)| whole)
    }

    pub fn known_bad(&self) -> &[Whole] {
        &self.known_bad
    }

    pub async fn drive_known_bad(&mut self, plans: &[Plan]) -> Result<(), Failure> {
        self.known_bad = drive(self.driver, plans, self.jobs).await?.into_iter().map(Whole::from_driven).collect();
        Ok(())
    }

    /// Tries each defect. After `until` no further one is begun.
    pub async fn run(
        &mut self,
        planted: &[&'static Planted],
        began: Instant,
        until: Option<Duration>,
        mut keep: impl FnMut(&[Tried]) -> Result<(), Failure>,
    ) -> Result<Vec<Tried>, Failure> {
        let mut tried = Vec::new();
        let mut planted = planted.to_vec();
        // Those that are known to survive take longest. Together at the end, they keep no others waiting.
        planted.sort_by_key(|planted| (planted.place, survivor(planted.name).is_some()));
        for some in planted.chunk_by(|one, next| one.place == next.place).flat_map(in_parts) {
            let this = &*self;
            let each = futures_util::stream::iter(some.iter().enumerate().map(|(nth, planted)| async move {
                match until.is_some_and(|until| began.elapsed() > until) {
                    true => Ok(None),
                    false => this.one(planted).await.map(|tried| Some((nth, tried))),
                }
            }));
            // One that takes long does not keep others from their turn.
            let some: Vec<Option<(usize, Tried)>> = each.buffer_unordered(self.jobs.max(1)).try_collect().await?;
            let mut some: Vec<(usize, Tried)> = some.into_iter().flatten().collect();
            some.sort_by_key(|(nth, _)| *nth);
            tried.extend(some.into_iter().map(|(_, tried)| tried));
            keep(&tried)?;
            self.driver.renew().await?;
        }
        Ok(tried)
    }

    async fn one(&self, planted: &'static Planted) -> Result<Tried, Failure> {
        let began = Instant::now();
        let mut tried = Tried::of(planted);
        let order = self.in_order(planted);
        let (first, rest) = order.split_at(order.len().min(ALONE));
        for group in first.chunks(1).chain(rest.chunks(TOGETHER)) {
            let trials = group.iter().map(|whole| self.trial(planted, whole));
            for trial in try_join_all(trials).await?.into_iter().flatten() {
                tried.scenarios += 1;
                let Some(caught) = trial else { continue };
                if tried.caught.as_ref().is_none_or(|before| caught.named && !before.named) {
                    tried.caught = Some(caught);
                }
            }
            if let Some(caught) = tried.caught.as_ref().filter(|caught| caught.named) {
                self.order.lock().unwrap_or_else(PoisonError::into_inner).note(planted, &caught.scenario);
                break;
            }
        }
        tried.ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        note(&match &tried.caught {
            Some(caught) => {
                format!("{}: {} in {} ({} tried)", tried.name, caught.by.join(", "), caught.scenario, tried.scenarios)
            }
            None => format!("{}: SURVIVED {} scenarios", tried.name, tried.scenarios),
        });
        Ok(tried)
    }

    /// Drives one scenario with a defect. `None` where it can't be planted there, or the run is to stop.
    async fn trial(&self, planted: &'static Planted, whole: &Whole) -> Result<Option<Option<Caught>>, Failure> {
        let Some((plan, lane)) = with_defect(planted, &whole.plan) else { return Ok(None) };
        if self.driver.unfit(&plan).is_some() {
            return Ok(None);
        }
        let plan = Arc::new(plan);
        let place = format!("{}-{}", planted.name, plan.scenario);
        let driven = self.driver.drive_one(lane, &plan, &place).await;
        self.driver.forget(&place);
        let Some(history) = driven? else { return Ok(None) };
        if planted.place == Place::Wire && !has_fired(&history) {
            return Ok(None);
        }
        let judged = whole.with(Plan::clone(&plan), lane, history).judged();
        Ok(Some(caught(planted.kind, lane, &judged)))
    }

    /// The scenario that caught it last comes first, then the one that caught the defect before it, then those that
    /// caught most of its kind, then those that caught others of the place, then the quickest.
    fn in_order(&self, planted: &Planted) -> Vec<&Whole> {
        let before = self.before.get(planted.name);
        let known = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |name: &String| {
            let recent = known.recent.get(&planted.place)?;
            recent.iter().position(|caught| caught == name)
        };
        let mut order: Vec<_> = self.honest.iter().collect();
        order.sort_by_key(|(whole, elapsed)| {
            let name = &whole.plan.scenario;
            let count = known.caught.get(&(planted.kind, name.clone())).copied().unwrap_or(0);
            let recent = recent(name);
            let late = recent.unwrap_or(usize::MAX);
            (before != Some(name), late > 1, std::cmp::Reverse(count), late, *elapsed)
        });
        order.into_iter().map(|(whole, _)| whole).collect()
    }
}

/// An honest plan with a defect, and the lane that has it.
fn with_defect(planted: &Planted, plan: &Plan) -> Option<(Plan, LaneId)> {
    match planted.place {
        Place::Reference => {
            let legacy_defects = vec![planted.name.to_owned()];
            Some((Plan { legacy_defects, ..plan.clone() }, LaneId::Legacy))
        }
        Place::Wire => {
            let defect = wire::Defect::ALL.iter().copied().find(|defect| defect.name() == planted.name)?;
            let plan = on_wire(defect, plan)?;
            let lane = plan.faults.last()?.lane?;
            Some((plan, lane))
        }
        Place::Module => {
            let candidate_defects = vec![planted.name.to_owned()];
            Some((Plan { candidate_defects, ..plan.clone() }, LaneId::Candidate))
        }
        Place::Bridge => {
            let defects = vec![planted.name.to_owned()];
            plan.bridge.as_ref()?;
            Some((Plan { bridge: Some(Bridge { defects }), ..plan.clone() }, LaneId::Candidate))
        }
        Place::Client | Place::Harness => None,
    }
}

fn has_fired(history: &History) -> bool {
    history.records.iter().any(|record| matches!(record, Record::Fault { fault, .. } if fault.as_str() == FAULT))
}

/// What blocked, if anything did.
pub fn caught(kind: Kind, lane: LaneId, judged: &JudgedScenario) -> Option<Caught> {
    if matches!(judged.outcome, ScenarioOutcome::Passed | ScenarioOutcome::Caught) {
        return None;
    }
    let names = |found: &cutover_core::evidence::JudgedFinding| {
        found.finding.lane == Some(lane) && checkers_of(kind).contains(&found.finding.checker)
    };
    let mut by: Vec<String> = judged
        .principal()
        .filter(|found| found.finding.verdict > Verdict::Valid)
        .map(|found| format!("{}/{}", found.finding.checker, found.finding.reason.word))
        .collect();
    by.dedup();
    by.truncate(3);
    Some(Caught { scenario: judged.name.clone(), by, named: judged.principal().any(names) })
}

async fn drive(driver: &Driver, plans: &[Plan], jobs: usize) -> Result<Vec<Driven>, Failure> {
    let each = plans.iter().map(|plan| async move {
        let driven = driver.drive(&Arc::new(plan.clone()), &format!("clean-{}", plan.scenario)).await;
        driver.forget(&format!("clean-{}", plan.scenario));
        driven
    });
    let driven: Vec<_> = futures_util::stream::iter(each).buffered(jobs.max(1)).try_collect().await?;
    Ok(driven.into_iter().flatten().collect())
}
