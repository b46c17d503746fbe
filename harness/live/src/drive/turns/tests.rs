use cutover_core::stats::Budgets;
use tokio::task::yield_now;

use super::*;

fn turns(least: u32) -> Arc<Turns> {
    Arc::new(Turns {
        state: watch::Sender::default(),
        limits: Budgets::default().latency,
        seed: Seed(1),
        least,
        planned: 80,
    })
}

/// Has each lane take so many turns, and tells who had which.
async fn order(turns: &Arc<Turns>, counts: [usize; 2]) -> String {
    let told = Arc::new(std::sync::Mutex::new(String::new()));
    let lane = |lane: LaneId, count: usize| {
        let (turns, told) = (turns.clone(), told.clone());
        async move {
            let _leaving = Leaving(Some(turns.clone()), lane);
            for _ in 0..count {
                assert!(turns.take(lane, false).await);
                told.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push_str(&lane.as_str()[..1]);
                yield_now().await;
                turns.end(lane, Vec::new());
            }
        }
    };
    tokio::join!(lane(LaneId::Legacy, counts[0]), lane(LaneId::Candidate, counts[1]));
    let told = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    told.clone()
}

#[tokio::test]
async fn lanes_take_turns_in_the_order_abba() {
    assert_eq!(order(&turns(4), [4, 4]).await, "lccllccl");
}

#[tokio::test]
async fn a_lane_that_ends_early_leaves_the_turns_to_the_other() {
    assert_eq!(order(&turns(4), [4, 1]).await, "lclll");
}

#[tokio::test]
async fn a_spare_turn_is_taken_only_while_the_comparison_is_not_clear() {
    for (spread_us, needed) in [(100, false), (100_000, true)] {
        let turns = turns(20);
        for block in 1..=20 {
            let order = if block % 2 == 1 { LaneId::BOTH } else { [LaneId::Candidate, LaneId::Legacy] };
            for lane in order {
                assert!(turns.take(lane, false).await);
                turns.end(lane, (0..4).map(|_| Sample { us: u64::from(block) * spread_us, block }).collect());
            }
        }
        assert_eq!(turns.take(LaneId::Legacy, true).await, needed);
        if needed {
            turns.end(LaneId::Legacy, Vec::new());
        }
        assert_eq!(turns.take(LaneId::Candidate, true).await, needed);
    }
}

#[tokio::test]
async fn nobody_waits_for_a_lane_that_left() {
    let turns = turns(1);
    let (first, second) =
        (Leaving(Some(turns.clone()), LaneId::Legacy), Leaving(Some(turns.clone()), LaneId::Candidate));
    drop(first);
    assert!(turns.take(LaneId::Candidate, false).await);
    drop(second);
    turns.all_left().await;
}
