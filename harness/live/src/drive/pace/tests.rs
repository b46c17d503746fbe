#![allow(clippy::unwrap_used)]
use super::*;

#[tokio::test]
async fn turns_are_spaced_however_many_writers_take_them() {
    let pace = Pace::per_second(NonZeroU32::new(1000).unwrap());
    let started = Instant::now();
    futures_util::future::join_all((0..21).map(|_| pace.turn())).await;
    assert!(started.elapsed() >= Duration::from_millis(20));
}

#[tokio::test]
async fn a_turn_that_was_not_used_is_lost() {
    let pace = Pace::per_second(NonZeroU32::new(100).unwrap());
    *pace.next.lock().unwrap() = Instant::now() - Duration::from_secs(5);
    let started = Instant::now();
    for _ in 0..3 {
        pace.turn().await;
    }
    assert!(started.elapsed() >= Duration::from_millis(20));
}
