//! What `latency` and `slicer` do.

use super::*;

#[test]
fn each_chunk_goes_its_latency_after_it_was_read_however_many_are_on_their_way() {
    let mut lab = Lab::new(&[("late", latency(100, 0))]);
    lab.push("a");
    assert_eq!(lab.run(10), []);
    lab.push("b");
    assert_eq!(lab.run(300), [bytes(100, "a"), bytes(110, "b")]);
}

#[test]
fn the_latencies_of_two_toxics_add_up() {
    let mut lab = Lab::new(&[("one", latency(100, 0)), ("two", latency(50, 0))]);
    lab.push("a");
    lab.push("b");
    assert_eq!(lab.run(300), [bytes(150, "a"), bytes(150, "b")]);
}

#[test]
fn time_that_a_chunk_waited_for_its_rate_counts_towards_its_latency() {
    let mut lab = Lab::new(&[("rate", bandwidth(1)), ("late", latency(50, 0))]);
    lab.push(&"a".repeat(70));
    assert_eq!(lab.run(300), [bytes(70, &"a".repeat(70))]);
}

#[test]
fn a_latency_moves_by_up_to_its_jitter() {
    let delays: Vec<u64> = (0..300)
        .map(|seed| {
            let mut lab = Lab::seeded(seed, &[("late", latency(100, 40))]);
            lab.push("a");
            match lab.run(1000)[..] {
                [Seen::Bytes(at, _)] => at,
                ref other => panic!("{other:?}"),
            }
        })
        .collect();
    assert!(delays.iter().all(|delay| (60..140).contains(delay)), "{delays:?}");
    assert!(delays.iter().any(|delay| *delay < 65) && delays.iter().any(|delay| *delay > 135), "{delays:?}");
}

#[test]
fn a_jitter_bigger_than_the_latency_neither_reorders_nor_goes_back_in_time() {
    let mut lab = Lab::new(&[("late", latency(10, 1000))]);
    (0..100).for_each(|n| lab.push(&format!("{n},")));
    let seen = lab.run(5000);
    let whole: String = (0..100).map(|n| format!("{n},")).collect();
    let (mut last, mut got) = (0, String::new());
    for one in seen {
        let Seen::Bytes(at, data) = one else { panic!("it ended") };
        assert!(at >= last && at < 1010);
        last = at;
        got.push_str(std::str::from_utf8(&data).unwrap());
    }
    assert_eq!(got, whole);
}

#[test]
fn a_latency_below_zero_is_none_and_does_not_strike() {
    let mut lab = Lab::new(&[("late", latency(-500, 0)), ("jitter", latency(0, -5))]);
    lab.push("a");
    assert_eq!(lab.run(0), [bytes(0, "a")]);
    assert!(lab.struck().is_empty());
}

#[test]
fn new_latency_lets_the_first_chunk_go_and_counts_for_those_behind_it() {
    let mut lab = Lab::new(&[("late", latency(1000, 0))]);
    lab.push("a");
    lab.push("b");
    assert_eq!(lab.run(10), []);
    lab.set(&[("late", latency(50, 0))]);
    assert_eq!(lab.run(2000), [bytes(10, "a"), bytes(50, "b")]);
}

#[test]
fn latency_that_is_asked_for_again_unchanged_goes_on() {
    let mut lab = Lab::new(&[("late", latency(100, 0))]);
    lab.push("a");
    assert_eq!(lab.run(10), []);
    lab.set(&[("late", latency(100, 0))]);
    assert_eq!(lab.run(200), [bytes(100, "a")]);
}

#[test]
fn removed_latency_lets_all_go_in_order() {
    let mut lab = Lab::new(&[("late", latency(1000, 0))]);
    lab.push("a");
    lab.push("b");
    assert_eq!(lab.run(10), []);
    lab.push("c");
    lab.end();
    lab.set(&[]);
    let seen = lab.run(10);
    assert_eq!(seen, [bytes(10, "a"), bytes(10, "b"), bytes(10, "c"), Seen::Ended(10, Ending::Eof)]);
}

#[test]
fn the_end_comes_behind_what_is_late() {
    let mut lab = Lab::new(&[("late", latency(100, 0))]);
    lab.push("a");
    lab.end();
    assert_eq!(lab.run(500), [bytes(100, "a"), Seen::Ended(100, Ending::Eof)]);
}

#[test]
fn latency_takes_1024_chunks_and_no_more_than_16_mib() {
    let mut lab = Lab::new(&[("late", latency(1000, 0))]);
    let mut taken = 0;
    while lab.chain.has_room() {
        lab.push("a");
        taken += 1;
    }
    assert_eq!(taken, 1024);

    let mut lab = Lab::new(&[("late", latency(1000, 0))]);
    while lab.chain.has_room() {
        lab.chain.push(Bytes::from(vec![0; 1 << 20]), lab.now);
    }
    assert_eq!(lab.chain.held(), 16 << 20);
}

#[test]
fn toxics_that_come_and_go_do_not_pile_up_more_than_the_chain_may_hold() {
    let mut lab = Lab::new(&[("a", latency(1 << 40, 0)), ("stuck", bandwidth(0))]);
    for round in 0..20 {
        while lab.chain.has_room() {
            lab.chain.push(Bytes::from(vec![0; 32 << 10]), lab.now);
        }
        lab.run(round);
        let name = if round % 2 == 0 { "b" } else { "a" };
        lab.set(&[(name, latency(1 << 40, 0)), ("stuck", bandwidth(0))]);
    }
    assert!(lab.chain.held() <= 33 << 20, "{}", lab.chain.held());
}

/// The lengths of the pieces that a text of `length` bytes is cut into, which must add up to it.
fn pieces(length: usize, what: ByteToxic) -> Vec<usize> {
    let mut lab = Lab::seeded(7, &[("cut", what)]);
    let text: String = ('a'..='z').cycle().take(length).collect();
    lab.push(&text);
    let mut got = Vec::new();
    let mut lengths = Vec::new();
    for one in lab.run(1 << 40) {
        let Seen::Bytes(_, data) = one else { panic!("it ended") };
        lengths.push(data.len());
        got.extend(data);
    }
    assert_eq!(String::from_utf8(got).unwrap(), text);
    lengths
}

#[test]
fn a_slicer_cuts_to_about_its_average() {
    let lengths = pieces(10_000, slicer(100, 20, 0));
    assert!(lengths.iter().all(|length| (1..=120).contains(length)), "{lengths:?}");
    let average = 10_000 / lengths.len();
    assert!((50..=120).contains(&average), "{average}");
    assert!(lengths.iter().any(|length| *length != lengths[0]));
}

#[test]
fn a_slicer_without_variation_halves_until_it_fits() {
    assert_eq!(pieces(100, slicer(25, 0, 0)), [25, 25, 25, 25]);
    assert_eq!(pieces(100, slicer(25, -7, 0)), [25, 25, 25, 25]);
    assert_eq!(pieces(20, slicer(25, 0, 0)), [20]);
}

#[test]
fn a_slicer_of_one_byte_or_less_cuts_to_single_bytes() {
    for average in [1, 0, -3, i64::MIN] {
        assert_eq!(pieces(40, slicer(average, 0, 0)), [1; 40]);
    }
}

#[test]
fn a_slicer_whose_variation_is_beyond_its_average_cuts_no_piece_of_nothing() {
    for variation in [10, 11, 50, i64::MAX] {
        let lengths = pieces(1000, slicer(10, variation, 0));
        assert!(!lengths.contains(&0) && lengths.iter().all(|length| *length as i64 <= variation.saturating_add(10)));
    }
}

#[test]
fn a_slicer_pauses_after_each_piece_and_before_the_end() {
    let mut lab = Lab::new(&[("cut", slicer(2, 0, 10_000))]);
    lab.push("abcd");
    lab.end();
    assert_eq!(lab.run(100), [bytes(0, "ab"), bytes(10, "cd"), Seen::Ended(20, Ending::Eof)]);
    assert_eq!(lab.struck(), ["cut"]);
}

#[test]
fn a_slicer_strikes_only_where_it_cuts() {
    let mut lab = Lab::new(&[("cut", slicer(2, 0, 10_000))]);
    lab.push("ab");
    assert_eq!(lab.run(100), [bytes(0, "ab")]);
    assert!(lab.struck().is_empty());
}

#[test]
fn a_changed_or_removed_slicer_lets_the_rest_of_its_chunk_go_in_one_piece() {
    let mut lab = Lab::new(&[("cut", slicer(2, 0, 50_000))]);
    lab.push("abcdefgh");
    lab.push("ijkl");
    assert_eq!(lab.run(10), [bytes(0, "ab")]);
    lab.set(&[("cut", slicer(1, 0, 1000))]);
    assert_eq!(lab.run(12), [bytes(10, "cdefgh"), bytes(10, "i"), bytes(11, "j"), bytes(12, "k")]);
    lab.set(&[]);
    assert_eq!(lab.run(12), [bytes(12, "l")]);
    assert!(lab.chain.is_empty());
}

#[test]
fn a_slicer_keeps_its_pace_on_a_coarse_timer() {
    // Asked once in a millisecond only, it still gives a piece for each 250 µs.
    let mut lab = Lab::new(&[("cut", slicer(1, 0, 250))]);
    lab.push(&"a".repeat(4000));
    let mut millis = 0;
    while lab.chain.held() > 0 {
        lab.now = lab.start + Duration::from_millis(millis);
        while let Out::Bytes(_) = lab.chain.poll(lab.now) {}
        millis += 1;
    }
    assert!((990..=1010).contains(&millis), "{millis}");
}
