use super::*;
use crate::proxy::Flow;

fn stats(down: u64, connections: u64, ended: u64) -> ProxyStats {
    ProxyStats { to_client: Flow { bytes: down, ..Flow::default() }, connections, ended, ..ProxyStats::default() }
}

fn check(toxic: ByteToxic, now: ProxyStats, expect: bool) {
    let toxic = Toxic { name: FaultId::from("toxic"), direction: Direction::Downstream, toxicity: 1.0, toxic };
    assert_eq!(has_fired(&toxic, &stats(100, 1, 0), &now), expect, "{toxic:?} {now:?}");
}

#[test]
fn a_toxic_that_delays_has_fired_once_bytes_passed_in_its_direction() {
    check(ByteToxic::Latency { latency: 5, jitter: 0 }, stats(100, 2, 1), false);
    check(ByteToxic::Bandwidth { rate: 5 }, stats(101, 1, 0), true);
}

#[test]
fn a_toxic_that_ends_connections_has_fired_once_one_ended() {
    check(ByteToxic::ResetPeer { timeout: 5 }, stats(900, 1, 0), false);
    check(ByteToxic::ResetPeer { timeout: 5 }, stats(100, 1, 1), true);
    check(ByteToxic::LimitData { bytes: 50 }, stats(149, 1, 1), false);
    check(ByteToxic::LimitData { bytes: 50 }, stats(150, 1, 1), true);
    check(ByteToxic::SlowClose { delay: 5 }, stats(900, 2, 0), false);
}

#[test]
fn a_toxic_that_lets_nothing_pass_has_fired_once_something_was_lost_in_it() {
    check(ByteToxic::Timeout { timeout: 0 }, stats(100, 1, 0), false);
    check(ByteToxic::Timeout { timeout: 0 }, stats(101, 1, 0), true);
    check(ByteToxic::Timeout { timeout: 0 }, stats(100, 2, 0), true);
}
