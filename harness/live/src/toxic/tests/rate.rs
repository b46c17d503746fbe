//! What `bandwidth` does.

use super::*;

#[test]
fn a_low_rate_goes_in_pieces_of_a_tenth_of_a_second() {
    let mut lab = Lab::new(&[("rate", bandwidth(1))]);
    lab.push(&"a".repeat(250));
    let whole = "a".repeat(100);
    assert_eq!(lab.run(1000), [bytes(100, &whole), bytes(200, &whole), bytes(250, &"a".repeat(50))]);
    assert_eq!(lab.struck(), ["rate"]);
}

/// Sends 60 virtual seconds' worth as fast as the chain takes it, asked only at times of this grain, and returns how
/// many milliseconds it took.
fn transfer(rate: u64, grain: Duration, chunk: usize) -> u128 {
    let mut lab = Lab::new(&[("rate", bandwidth(rate as i64))]);
    let whole = rate as usize * 60_000;
    let (mut sent, mut got) = (0, 0);
    while got < whole {
        while sent < whole && lab.chain.has_room() {
            let length = chunk.min(whole - sent);
            lab.chain.push(Bytes::from(vec![0; length]), lab.now);
            sent += length;
        }
        match lab.chain.poll(lab.now) {
            Out::Bytes(data) => got += data.len(),
            Out::Until(due) => {
                let ticks = (due - lab.start).as_nanos().div_ceil(grain.as_nanos());
                lab.now = lab.start + Duration::from_nanos((ticks * grain.as_nanos()) as u64);
            }
            other => assert_eq!((other, sent < whole), (Out::Idle, true)),
        }
    }
    (lab.now - lab.start).as_millis()
}

#[test]
fn the_rate_is_kept_within_a_hundredth_over_a_minute() {
    for (rate, grain, chunk) in [
        (1, Duration::from_millis(1), 4096),
        (64, Duration::from_nanos(1), 1 << 20),
        (1000, Duration::from_millis(1), 32 << 10),
        (1000, Duration::from_millis(7), 200),
        (100_000, Duration::from_millis(1), 32 << 10),
    ] {
        let took = transfer(rate, grain, chunk);
        assert!((59_400..=60_600).contains(&took), "{rate} KB/s in chunks of {chunk}: {took} ms");
    }
}

#[test]
fn a_pause_of_the_source_is_no_credit() {
    let mut lab = Lab::new(&[("rate", bandwidth(10))]);
    assert_eq!(lab.run(60_000), []);
    lab.push(&"a".repeat(500));
    assert_eq!(lab.run(70_000), [bytes(60_050, &"a".repeat(500))]);
}

#[test]
fn a_pause_of_the_reader_is_a_credit_of_a_tenth_of_a_second_at_most() {
    let mut lab = Lab::new(&[("rate", bandwidth(1))]);
    lab.push(&"a".repeat(10_000));
    lab.now += Duration::from_secs(5);
    let mut at_once = 0;
    while let Out::Bytes(data) = lab.chain.poll(lab.now) {
        at_once += data.len();
    }
    assert_eq!(at_once, 200);
}

#[test]
fn no_rate_and_less_hold_all_until_the_toxic_goes() {
    for rate in [0, -1, i64::MIN] {
        let mut lab = Lab::new(&[("rate", bandwidth(rate))]);
        lab.push("a");
        lab.end();
        assert_eq!(lab.run(1_000_000), []);
        assert_eq!(lab.struck(), ["rate"]);
        lab.set(&[]);
        assert_eq!(lab.run(1_000_000), [bytes(1_000_000, "a"), Seen::Ended(1_000_000, Ending::Eof)]);
    }
}

#[test]
fn the_end_passes_a_rate_of_none_where_nothing_is_before_it() {
    let mut lab = Lab::new(&[("rate", bandwidth(0))]);
    lab.end();
    assert_eq!(lab.run(0), [Seen::Ended(0, Ending::Eof)]);
    assert!(lab.struck().is_empty());
}

#[test]
fn a_new_rate_lets_the_chunk_go_that_was_waiting_and_counts_for_the_next() {
    let mut lab = Lab::new(&[("rate", bandwidth(0))]);
    lab.push("abc");
    assert_eq!(lab.run(100), []);
    lab.push(&"d".repeat(100));
    lab.set(&[("rate", bandwidth(2))]);
    assert_eq!(lab.run(1000), [bytes(100, "abc"), bytes(150, &"d".repeat(100))]);
}

#[test]
fn the_highest_rate_does_not_wait() {
    let mut lab = Lab::new(&[("rate", bandwidth(i64::MAX))]);
    lab.push("abc");
    assert_eq!(lab.run(0), [bytes(0, "abc")]);
    assert!(lab.struck().is_empty());
}

#[test]
fn it_takes_one_chunk_besides_the_one_that_it_sends() {
    let mut lab = Lab::new(&[("rate", bandwidth(1))]);
    lab.push(&"a".repeat(1000));
    assert!(!lab.chain.has_room());
    lab.run(1);
    assert!(lab.chain.has_room());
    lab.push("b");
    lab.run(2);
    assert!(!lab.chain.has_room());
}
