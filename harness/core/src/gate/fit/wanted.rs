//! What a plan wants of a lane that not every lane has.

use crate::ids::LaneId;
use crate::plan::{
    Case, Expectation, FaultKind, Plan, PlannedClient, PlannedFault, PlannedStream, PublishExpect, Step,
};

/// Whether a fault on this lane waits for the nth resume of a client with several streams, to rewrite one's cursor.
pub(super) fn rewrites_one_of_several(plan: &Plan, role: LaneId) -> bool {
    let has_several = |client: &PlannedClient| client.streams.len() > 1;
    let rewrites =
        |fault: &PlannedFault| matches!(fault.kind, FaultKind::RewriteCursor { .. }) && fault.applies_to(role);
    plan.faults.iter().any(rewrites) && plan.cases.iter().flat_map(|case| &case.clients).any(has_several)
}

/// Whether a publish on this lane must be refused with this code.
pub(super) fn publishes_wrongly(plan: &Plan, role: LaneId, code: &str) -> bool {
    plan.cases.iter().flat_map(|case| &case.steps).any(|step| match step {
        Step::Publish { lane, expect: PublishExpect::Refused { code: refused }, .. } => {
            refused == code && lane.is_none_or(|only| only == role)
        }
        _ => false,
    })
}

/// Whether a plan repeats a publish in a case that limits retention.
pub(super) fn repeats_what_may_be_pruned(plan: &Plan) -> bool {
    plan.cases.iter().any(|case| {
        let prunes = case.streams.iter().any(|stream| stream.retention.is_some());
        let repeats = |step: &Step| matches!(step, Step::Publish { expect: PublishExpect::Repeated { .. }, .. });
        prunes && case.steps.iter().any(repeats)
    })
}

/// Whether a plan has stale cursors without anything that is pruned: all that it asks of a lane is to judge them. A
/// lane that judges none accepts them, and that is a finding.
pub(super) fn wants_only_a_budget(plan: &Plan) -> bool {
    let keeps_all = |case: &Case| {
        let published = |stream: &PlannedStream| {
            let of_it =
                case.steps.iter().filter(|step| matches!(step, Step::Publish { stream: of, .. } if *of == stream.id));
            u64::try_from(of_it.count()).unwrap_or(u64::MAX)
        };
        let pruned = |stream: &PlannedStream| stream.retention.is_some_and(|retention| retention < published(stream));
        !case.streams.iter().any(pruned) && !case.steps.iter().any(|step| matches!(step, Step::Policy { .. }))
    };
    let proves = plan.proves.iter().any(|row| row == "stale-cursor-recovery");
    plan.expect == Expectation::Allow && proves && plan.cases.iter().all(keeps_all)
}
