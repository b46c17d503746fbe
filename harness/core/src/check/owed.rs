//! Events that a client need not be delivered.
//!
//! Retention may have pruned an event before the client's bootstrap, and a cursor that was put on the client's disk
//! tells the lane that the client has everything up to it (contract, "Ordering, delivery, replay").

use super::index::{LaneIndex, PairKey, PlanIndex};

/// The greatest seq up to which a client need not have been delivered anything, by what its subscriptions were.
pub(super) fn excused_up_to(plan: &PlanIndex<'_>, lane: &LaneIndex<'_>, key: PairKey) -> u64 {
    let Some(pair) = lane.pair(key) else { return 0 };
    let timeline = &lane.streams[key.1];
    let (mut pruned, mut given) = (0, 0);
    let mut rewinds = pair.rewinds.iter().peekable();
    for sub in pair.subs.iter().map(|sub| &lane.subs[*sub]) {
        while rewinds.next_if(|rewind| **rewind < sub.at).is_some() {
            // A client that bootstraps again is owed what its cursor had excused.
            given = 0;
        }
        match (sub.asked, sub.saw, sub.accepted_at()) {
            (_, None, Some(accepted)) => pruned = pruned.max(timeline.floor_may.before(accepted)),
            // A bootstrap that was cut: the client goes on from what came, and what was pruned before that stays
            // pruned.
            (None, None, None) => {
                let came = sub.deliveries.iter().map(|number| lane.deliveries[*number].seq).min();
                let floor = timeline.floor_may.before(sub.ended);
                pruned = pruned.max(came.map_or(0, |first| floor.min(first.saturating_sub(1))));
            }
            (Some(cursor), _, _) if plan.sets_cursor(key, cursor) => given = given.max(cursor),
            _ => {}
        }
    }
    if rewinds.next().is_some() {
        given = 0;
    }
    pruned.max(given)
}
