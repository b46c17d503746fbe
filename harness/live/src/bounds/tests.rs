use std::future::pending;

use super::*;

const SHORT: Bound = Bound::new("short", Duration::from_millis(100));

#[tokio::test]
async fn a_bound_ends_a_wait_and_says_which_it_was() {
    let started = Instant::now();
    let reached = SHORT.within(pending::<()>()).await.map_err(|reached| reached.to_string());
    assert_eq!(reached, Err("not within 100 ms (our bound `short`)".to_owned()));
    assert!(started.elapsed() >= SHORT.time, "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_is_done_in_time_is_not_bounded() {
    assert_eq!(SHORT.within(async { 7 }).await, Ok(7));
}

#[tokio::test]
async fn many_short_waits_use_a_bound_up() {
    let mut running = SHORT.begin();
    let mut waits = 0;
    while running.within(sleep(Duration::from_millis(5))).await.is_ok() {
        waits += 1;
        assert!(waits < 1000, "the bound never ends");
    }
}

#[tokio::test]
async fn time_that_the_process_did_not_have_is_not_counted() {
    let mut running = SHORT.begin();
    let stopped = running.within(async {
        // Nothing of this process runs meanwhile, so that ticks come late.
        std::thread::sleep(SHORT.time * 3);
        tokio::task::yield_now().await;
    });
    assert!(stopped.await.is_ok());
    assert!(!running.is_reached());
}

#[test]
fn a_bound_does_not_begin_anew_for_ever() {
    let mut running = SHORT.begin();
    assert_eq!((0..1000).filter(|_| running.renew()).count(), MOST_RENEWALS as usize);
}

#[tokio::test]
async fn work_that_is_only_watched_ends_by_itself() {
    let mut running = SHORT.begin();
    running.during(sleep(SHORT.time * 2)).await;
    assert!(running.is_reached());
}
