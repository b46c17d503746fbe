//! Which faults of a plan strike whom in a case, and what the case publishes.

use cutover_core::ids::LaneId;
use cutover_core::plan::{self, Plan, PlannedFault, PublishExpect, Step};

use super::inbox::PlannedHashes;

/// A fault on the writer names an operation; it belongs to the case that has it. One that picks messages belongs to the
/// case that its name is of.
pub(super) fn strikes_case(fault: &PlannedFault, case: &plan::Case) -> bool {
    let plan::Position::Ack { op } = &fault.at else {
        return of_case(fault.id.as_str(), case);
    };
    case.steps.iter().any(|step| matches!(step, Step::Publish { op: published, .. } if published == op))
}

/// Whether what is called this is a case's own: cases of a scenario that is expanded have `@` and their name at the end.
pub(super) fn of_case(id: &str, case: &plan::Case) -> bool {
    id.split_once('@').is_none_or(|(_, name)| name == case.name)
}

/// The faults of a plan on one lane that fit.
pub(super) fn faults_of(plan: &Plan, lane: LaneId, of: impl Fn(&PlannedFault) -> bool) -> Vec<PlannedFault> {
    plan.faults.iter().filter(|fault| fault.applies_to(lane) && of(fault)).cloned().collect()
}

/// The planned hash of every event that a case publishes.
pub(super) fn planned_hashes(case: &plan::Case) -> PlannedHashes {
    let published = case.all_steps().filter_map(|step| match step {
        Step::Publish { stream, hash, expect: PublishExpect::Accepted { seq }, .. } => {
            Some(((stream.clone(), *seq), *hash))
        }
        _ => None,
    });
    published.collect()
}
