//! What `slow_close`, `timeout`, `reset_peer` and `limit_data` do.

use super::*;

#[test]
fn slow_close_passes_data_and_keeps_the_end() {
    let mut lab = Lab::new(&[("slow", slow_close(100))]);
    lab.push("a");
    assert_eq!(lab.run(50), [bytes(0, "a")]);
    assert!(lab.struck().is_empty());
    lab.end();
    assert_eq!(lab.run(500), [Seen::Ended(150, Ending::Eof)]);
    assert_eq!(lab.struck(), ["slow"]);
}

#[test]
fn slow_close_keeps_the_end_that_another_toxic_makes() {
    let mut lab = Lab::new(&[("limit", limit_data(1)), ("slow", slow_close(100))]);
    lab.push("abc");
    assert_eq!(lab.run(500), [bytes(0, "a"), Seen::Ended(100, Ending::Close)]);
}

#[test]
fn a_removed_slow_close_lets_the_end_go_and_a_changed_one_begins_again() {
    let mut lab = Lab::new(&[("slow", slow_close(100))]);
    lab.end();
    assert_eq!(lab.run(90), []);
    lab.set(&[("slow", slow_close(200))]);
    assert_eq!(lab.run(280), []);
    lab.set(&[]);
    assert_eq!(lab.run(280), [Seen::Ended(280, Ending::Eof)]);
}

#[test]
fn slow_close_without_delay_does_nothing() {
    for delay in [0, -1] {
        let mut lab = Lab::new(&[("slow", slow_close(delay))]);
        lab.end();
        assert_eq!(lab.run(0), [Seen::Ended(0, Ending::Eof)]);
        assert!(lab.struck().is_empty());
    }
}

#[test]
fn timeout_lets_nothing_pass_and_closes() {
    let mut lab = Lab::new(&[("out", timeout(100))]);
    lab.push("a");
    assert_eq!(lab.run(500), [Seen::Ended(100, Ending::Close)]);
    assert_eq!(lab.struck(), ["out"]);
    assert!(!lab.chain.has_room());
}

#[test]
fn timeout_closes_a_connection_on_which_nothing_comes() {
    let mut lab = Lab::new(&[("out", timeout(100))]);
    assert_eq!(lab.run(99), []);
    assert!(lab.struck().is_empty());
    assert_eq!(lab.run(500), [Seen::Ended(100, Ending::Close)]);
    assert_eq!(lab.struck(), ["out"]);
}

#[test]
fn data_starts_the_timeout_anew() {
    let mut lab = Lab::new(&[("out", timeout(100))]);
    assert_eq!(lab.run(60), []);
    lab.push("a");
    assert_eq!(lab.run(500), [Seen::Ended(160, Ending::Close)]);
}

#[test]
fn a_timeout_of_zero_or_less_swallows_for_ever() {
    for none in [0, -1] {
        let mut lab = Lab::new(&[("out", timeout(none))]);
        for hour in 0..3 {
            assert!(lab.chain.has_room());
            lab.push("a");
            assert_eq!(lab.run(hour * 3_600_000), []);
        }
        assert_eq!((lab.struck(), lab.chain.held()), (vec!["out".to_string()], 0));
    }
}

#[test]
fn the_end_of_the_source_passes_a_timeout() {
    let mut lab = Lab::new(&[("out", timeout(0))]);
    lab.push("a");
    lab.end();
    assert_eq!(lab.run(0), [Seen::Ended(0, Ending::Eof)]);
}

#[test]
fn a_removed_timeout_closes_the_connection_behind_what_other_toxics_hold() {
    let mut lab = Lab::new(&[("late", latency(100, 0))]);
    lab.push("a");
    assert_eq!(lab.run(10), []);
    lab.set(&[("out", timeout(0)), ("late", latency(100, 0))]);
    lab.push("b");
    assert_eq!(lab.run(20), []);
    lab.set(&[("late", latency(100, 0))]);
    assert_eq!(lab.run(500), [bytes(100, "a"), Seen::Ended(100, Ending::Close)]);
    assert_eq!(lab.struck(), ["late", "out"]);
}

#[test]
fn a_changed_timeout_begins_again() {
    let mut lab = Lab::new(&[("out", timeout(100))]);
    assert_eq!(lab.run(90), []);
    lab.set(&[("out", timeout(50))]);
    assert_eq!(lab.run(500), [Seen::Ended(140, Ending::Close)]);
}

#[test]
fn a_timeout_closes_though_the_toxic_behind_it_is_full() {
    let mut lab = Lab::new(&[("rate", bandwidth(0))]);
    lab.push("a");
    lab.run(1);
    lab.push("b");
    lab.set(&[("out", timeout(100)), ("rate", bandwidth(0))]);
    lab.push("c");
    lab.run(1000);
    assert!(!lab.chain.has_room());
    lab.set(&[("out", timeout(100))]);
    assert_eq!(lab.run(1000), [bytes(1000, "a"), bytes(1000, "b"), Seen::Ended(1000, Ending::Close)]);
}

#[test]
fn reset_peer_resets_so_long_after_the_first_data_and_takes_no_more_until_then() {
    let mut lab = Lab::new(&[("reset", reset_peer(100))]);
    assert_eq!(lab.run(1000), []);
    lab.push("a");
    assert_eq!(lab.run(1050), []);
    lab.push("b");
    assert!(!lab.chain.has_room() && lab.struck().is_empty());
    assert_eq!(lab.run(2000), [Seen::Ended(1100, Ending::Reset)]);
    assert_eq!(lab.struck(), ["reset"]);
}

#[test]
fn reset_peer_without_a_time_resets_at_the_first_data_or_the_end() {
    for none in [0, -1] {
        let mut lab = Lab::new(&[("reset", reset_peer(none))]);
        lab.push("a");
        assert_eq!(lab.run(0), [Seen::Ended(0, Ending::Reset)]);
        let mut lab = Lab::new(&[("reset", reset_peer(none))]);
        lab.end();
        assert_eq!(lab.run(0), [Seen::Ended(0, Ending::Reset)]);
    }
}

#[test]
fn a_removed_reset_peer_is_harmless_before_data_and_resets_after_it() {
    let mut lab = Lab::new(&[("reset", reset_peer(100))]);
    assert_eq!(lab.run(10), []);
    lab.set(&[]);
    assert!(lab.chain.is_empty() && lab.struck().is_empty());
    lab.set(&[("reset", reset_peer(100))]);
    lab.push("a");
    assert_eq!(lab.run(20), []);
    lab.set(&[]);
    assert_eq!(lab.run(20), [Seen::Ended(20, Ending::Reset)]);
    assert_eq!(lab.struck(), ["reset"]);
}

#[test]
fn a_changed_reset_peer_counts_from_the_first_data_still() {
    let mut lab = Lab::new(&[("reset", reset_peer(100))]);
    lab.push("a");
    assert_eq!(lab.run(50), []);
    lab.set(&[("reset", reset_peer(200))]);
    assert_eq!(lab.run(1000), [Seen::Ended(200, Ending::Reset)]);
}

#[test]
fn limit_data_closes_as_soon_as_the_limit_has_passed() {
    let mut lab = Lab::new(&[("limit", limit_data(5))]);
    lab.push("abc");
    assert_eq!(lab.run(1), [bytes(0, "abc")]);
    assert!(lab.struck().is_empty());
    lab.push("defg");
    assert_eq!(lab.run(2), [bytes(1, "de"), Seen::Ended(1, Ending::Close)]);
    assert_eq!(lab.struck(), ["limit"]);

    let mut lab = Lab::new(&[("limit", limit_data(3))]);
    lab.push("abc");
    assert_eq!(lab.run(0), [bytes(0, "abc"), Seen::Ended(0, Ending::Close)]);
}

#[test]
fn a_limit_of_zero_or_less_closes_at_the_first_data() {
    for none in [0, -1, i64::MIN] {
        let mut lab = Lab::new(&[("limit", limit_data(none))]);
        assert_eq!(lab.run(1000), []);
        lab.push("a");
        assert_eq!(lab.run(1000), [Seen::Ended(1000, Ending::Close)]);
    }
}

#[test]
fn what_has_passed_counts_on_when_the_limit_changes() {
    let mut lab = Lab::new(&[("limit", limit_data(5))]);
    lab.push("abcd");
    assert_eq!(lab.run(0), [bytes(0, "abcd")]);
    lab.set(&[("limit", limit_data(6))]);
    lab.push("efgh");
    assert_eq!(lab.run(0), [bytes(0, "ef"), Seen::Ended(0, Ending::Close)]);
}

#[test]
fn a_limit_that_has_passed_already_closes_at_the_next_data() {
    let mut lab = Lab::new(&[("limit", limit_data(5))]);
    lab.push("abcd");
    lab.run(0);
    lab.set(&[("limit", limit_data(2))]);
    assert_eq!(lab.run(100), []);
    lab.push("e");
    assert_eq!(lab.run(100), [Seen::Ended(100, Ending::Close)]);
}

#[test]
fn the_end_before_the_limit_is_an_end_and_no_strike() {
    let mut lab = Lab::new(&[("limit", limit_data(5))]);
    lab.push("abcd");
    lab.end();
    assert_eq!(lab.run(0), [bytes(0, "abcd"), Seen::Ended(0, Ending::Eof)]);
    assert!(lab.struck().is_empty());
}
