//! Defects of the client and of this tool: planted in what was driven, and judged again.

use std::time::Instant;

use cutover_core::calibration::{Caught, Tried};
use cutover_core::check::CheckInput;
use cutover_core::evidence::{ScenarioOutcome, judge_without};
use cutover_core::ids::LaneId;
use cutover_core::plan::defect::{Place, Planted, client, harness};
use cutover_core::plant::{Whole, holds_with, in_client, in_harness, is_of_histories, switched_off};

use super::trials::caught;

pub fn run<'a>(
    planted: &[&'static Planted],
    honest: impl Iterator<Item = &'a Whole> + Clone,
    known_bad: &'a [Whole],
) -> Vec<Tried> {
    let each = planted.iter().map(|planted| {
        let began = Instant::now();
        let mut tried = Tried::of(planted);
        match planted.place {
            Place::Client => of_client(planted, honest.clone(), &mut tried),
            _ => of_harness(planted, honest.clone(), known_bad, &mut tried),
        }
        tried.ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tried
    });
    each.collect()
}

fn of_client<'a>(planted: &Planted, honest: impl Iterator<Item = &'a Whole>, tried: &mut Tried) {
    let Some(defect) = client::Defect::ALL.iter().copied().find(|defect| defect.name() == planted.name) else { return };
    for whole in honest {
        for lane in LaneId::BOTH {
            let Some(history) = in_client(defect, whole.history(lane)) else { continue };
            tried.scenarios += 1;
            let judged = whole.with(whole.plan.clone(), lane, history).judged();
            note(tried, caught(planted.kind, lane, &judged));
            if tried.caught.as_ref().is_some_and(|caught| caught.named) {
                return;
            }
        }
    }
}

fn of_harness<'a>(
    planted: &Planted,
    honest: impl Iterator<Item = &'a Whole> + Clone,
    known_bad: &'a [Whole],
    tried: &mut Tried,
) {
    let Some(defect) = harness::Defect::ALL.iter().copied().find(|defect| defect.name() == planted.name) else {
        return;
    };
    let blocked =
        |scenario: &str, by: &str| Some(Caught { scenario: scenario.to_owned(), by: vec![by.to_owned()], named: true });
    if let Some(checker) = switched_off(defect) {
        // The known-bad scenarios are what tells.
        let missed = known_bad.iter().find(|whole| {
            let judged = judge_without(&CheckInput::new(&whole.plan, &whole.legacy, &whole.candidate), checker);
            judged.outcome == ScenarioOutcome::Missed
        });
        tried.scenarios = known_bad.len() as u64;
        tried.caught = missed.and_then(|whole| blocked(&whole.plan.scenario, "known-bad-not-caught"));
    } else if is_of_histories(defect) {
        let mut before = honest.clone().last();
        for whole in honest {
            if let Some(other) = before.replace(whole)
                && let Some(planted) = in_harness(defect, whole, other)
            {
                tried.scenarios += 1;
                let judged = planted.judged();
                if !judged.outcome.is_good() {
                    let by = match judged.principal().next() {
                        Some(found) => format!("{}/{}", found.finding.checker, found.finding.reason.word),
                        None => "known-bad-not-caught".to_owned(),
                    };
                    tried.caught = blocked(&judged.name, &by);
                    return;
                }
            }
        }
    } else {
        let all: Vec<Whole> = honest.chain(known_bad).cloned().collect();
        tried.scenarios = all.len() as u64;
        if !holds_with(defect, &all) {
            tried.caught = blocked("all", "the decision or the recheck");
        }
    }
}

fn note(tried: &mut Tried, caught: Option<Caught>) {
    let better = |caught: &Caught| tried.caught.as_ref().is_none_or(|before| caught.named && !before.named);
    if let Some(caught) = caught.filter(better) {
        tried.caught = Some(caught);
    }
}
