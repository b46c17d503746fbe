//! Defects of this tool that show in one scenario: a checker is off, or the histories are not what happened.

use super::bundle::Whole;
use crate::history::{History, Phase, Record};
use crate::ids::{LaneId, Seed};
use crate::plan::Expectation;
use crate::plan::defect::harness::Defect;

/// The checker that a defect switches off.
pub fn switched_off(defect: Defect) -> Option<&'static str> {
    defect.name().strip_prefix("off-")
}

/// Whether a defect is planted in the histories of one scenario.
pub fn is_of_histories(defect: Defect) -> bool {
    use Defect::*;
    matches!(
        defect,
        NothingPlanted
            | FaultSilent
            | FaultUnrecorded
            | CutHistory
            | CutAtHeal
            | RestoreShort
            | RestoreUntold
            | DeliveryDropped
            | AnswerDropped
            | OpenDropped
            | RecordDoubled
            | RecordsSwapped
            | LanesSwapped
            | OneLaneTwice
            | OtherScenario
            | OtherSeed
    )
}

/// What was driven, with a defect; `other` is another scenario. Nothing where the histories have no records for it.
pub fn in_harness(defect: Defect, driven: &Whole, other: &Whole) -> Option<Whole> {
    use Defect::*;
    let mut made = driven.clone();
    let candidate = &mut made.candidate.records;
    let faults = |history: &History| history.records.iter().any(|record| matches!(record, Record::Fault { .. }));
    match defect {
        NothingPlanted => {
            let (findings, lane) = (vec!["gap".to_owned()], LaneId::Legacy);
            made.plan.expect = Expectation::Block { findings, lane };
        }
        FaultSilent => {
            for history in [&mut made.legacy, &mut made.candidate] {
                history.records.retain(|record| !matches!(record, Record::Fault { .. }));
            }
        }
        FaultUnrecorded if faults(&made.legacy) => {
            candidate.retain(|record| !matches!(record, Record::Fault { .. }));
        }
        CutHistory => drop(candidate.pop()),
        CutAtHeal => {
            let heal = candidate.iter().position(|record| matches!(record, Record::Phase { phase: Phase::Heal }))?;
            candidate.truncate(heal);
        }
        RestoreShort => {
            let replayed = candidate.iter_mut().find_map(|record| match record {
                Record::Restored(restored) => restored.streams.iter_mut().find(|stream| !stream.events.is_empty()),
                _ => None,
            });
            replayed?.events.pop()?;
        }
        RestoreUntold => {
            let told = candidate.iter_mut().find_map(|record| match record {
                Record::Rejoined(rejoined) => rejoined.clients.iter_mut().find(|client| client.told),
                _ => None,
            });
            told?.told = false;
        }
        DeliveryDropped => {
            // The last event that came before the proof of life, in the one kind of message that brought it.
            let at = candidate.iter().rposition(|record| matches!(record, Record::Delivered { .. }))?;
            candidate.remove(at);
        }
        AnswerDropped => {
            let at = candidate.iter().position(|record| matches!(record, Record::Complete { .. }))?;
            candidate.remove(at);
        }
        OpenDropped => {
            let at = candidate.iter().position(|record| matches!(record, Record::Opened { .. }))?;
            candidate.remove(at);
        }
        RecordDoubled => {
            let at = candidate.iter().position(|record| matches!(record, Record::Complete { .. }))?;
            candidate.insert(at, candidate[at].clone());
        }
        RecordsSwapped => {
            let delivered = candidate.iter().position(|record| matches!(record, Record::Delivered { .. }))?;
            let opened = candidate[..delivered].iter().rposition(|record| matches!(record, Record::Opened { .. }))?;
            candidate.swap(opened, delivered);
        }
        LanesSwapped => std::mem::swap(&mut made.legacy, &mut made.candidate),
        OneLaneTwice => made.candidate = made.legacy.clone(),
        OtherScenario => made.candidate = other.candidate.clone(),
        OtherSeed => made.candidate.header.seed = Seed(made.candidate.header.seed.0 ^ 1),
        _ => return None,
    }
    (made != *driven).then_some(made)
}
