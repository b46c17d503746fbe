//! Toxics in a row, coming and going, and who gets one.

use super::super::applies;
use super::*;

#[test]
fn a_chain_without_toxics_passes_all_at_once_and_is_empty_again() {
    let mut lab = Lab::new(&[]);
    assert!(lab.chain.is_empty() && lab.chain.has_room());
    lab.push("abc");
    assert!(!lab.chain.is_empty() && !lab.chain.has_room());
    assert_eq!(lab.run(0), [bytes(0, "abc")]);
    assert!(lab.chain.is_empty() && lab.chain.has_room());
    lab.end();
    assert_eq!(lab.run(0), [Seen::Ended(0, Ending::Eof)]);
    assert!(!lab.chain.is_empty() && !lab.chain.has_room());
}

#[test]
fn toxics_work_in_their_order() {
    // Cut first, each piece is sent at the rate; the other way round, what the rate gave is cut.
    let mut lab = Lab::new(&[("cut", slicer(2, 0, 0)), ("rate", bandwidth(1))]);
    lab.push("abcd");
    assert_eq!(lab.run(10), [bytes(2, "ab"), bytes(4, "cd")]);
    let mut lab = Lab::new(&[("rate", bandwidth(1)), ("cut", slicer(2, 0, 0))]);
    lab.push("abcd");
    assert_eq!(lab.run(10), [bytes(4, "ab"), bytes(4, "cd")]);
}

#[test]
fn a_toxic_that_goes_gives_what_it_holds_to_the_one_behind_it() {
    let mut lab = Lab::new(&[("late", latency(100, 0)), ("rate", bandwidth(1))]);
    lab.push("abcd");
    lab.push("efgh");
    assert_eq!(lab.run(50), []);
    lab.set(&[("rate", bandwidth(1))]);
    assert_eq!(lab.run(100), [bytes(54, "abcd"), bytes(58, "efgh")]);
}

#[test]
fn a_toxic_that_comes_works_on_what_has_not_passed_its_place() {
    let mut lab = Lab::new(&[("late", latency(100, 0))]);
    lab.push("abcd");
    assert_eq!(lab.run(50), []);
    lab.set(&[("late", latency(100, 0)), ("cut", slicer(2, 0, 0))]);
    assert_eq!(lab.run(200), [bytes(100, "ab"), bytes(100, "cd")]);
}

#[test]
fn two_toxics_that_change_places_do_not_change_the_order_of_bytes() {
    let mut lab = Lab::new(&[("a", latency(1000, 0)), ("b", latency(2000, 0))]);
    lab.push("1");
    assert_eq!(lab.run(1500), []);
    lab.push("2");
    lab.set(&[("b", latency(2000, 0)), ("a", latency(1000, 0))]);
    lab.push("3");
    assert_eq!(lab.run(10_000), [bytes(4000, "1"), bytes(4500, "2"), bytes(4500, "3")]);
}

#[test]
fn a_toxic_of_the_same_name_and_another_type_is_another() {
    let mut lab = Lab::new(&[("x", latency(1000, 0))]);
    lab.push("a");
    lab.set(&[("x", slow_close(50))]);
    lab.end();
    assert_eq!(lab.run(500), [bytes(0, "a"), Seen::Ended(50, Ending::Eof)]);
}

#[test]
fn two_toxics_of_the_same_name_stay_two() {
    let both = [("x", latency(100, 0)), ("x", latency(200, 0))];
    let mut lab = Lab::new(&both);
    lab.push("a");
    lab.set(&both);
    assert_eq!(lab.run(500), [bytes(300, "a")]);
}

#[test]
fn a_toxic_before_the_end_of_the_stream_comes_too_late() {
    let mut lab = Lab::new(&[("slow", slow_close(100))]);
    lab.end();
    assert_eq!(lab.run(10), []);
    lab.set(&[("out", timeout(10)), ("slow", slow_close(100)), ("late", latency(100, 0))]);
    lab.set(&[("slow", slow_close(100)), ("late", latency(100, 0))]);
    assert_eq!(lab.run(500), [Seen::Ended(100, Ending::Eof)]);
    lab.set(&[("out", timeout(0))]);
    lab.set(&[]);
    assert_eq!(lab.run(500), [Seen::Ended(500, Ending::Eof)]);
}

#[test]
fn what_comes_after_the_end_is_dropped() {
    let mut lab = Lab::new(&[("late", latency(10, 0))]);
    lab.push("a");
    lab.end();
    assert!(!lab.chain.has_room());
    lab.push("b");
    assert_eq!(lab.run(50), [bytes(10, "a"), Seen::Ended(10, Ending::Eof)]);
    assert_eq!(lab.chain.held(), 0);
}

#[test]
fn a_clock_that_goes_back_is_taken_to_stand_still() {
    let mut lab = Lab::new(&[("late", latency(100, 0))]);
    lab.run(500);
    assert_eq!(lab.chain.poll(lab.now), Out::Idle);
    let early = lab.start;
    lab.chain.push(Bytes::from_static(b"a"), early);
    assert_eq!(lab.chain.poll(early), Out::Until(lab.start + Duration::from_millis(600)));
}

#[test]
fn a_strike_is_told_once_and_again_only_for_a_toxic_that_was_added_again() {
    let mut lab = Lab::new(&[("late", latency(100, 0)), ("never", slow_close(5))]);
    for _ in 0..3 {
        lab.push("a");
        lab.run(lab.millis() + 200);
    }
    assert_eq!(lab.struck(), ["late"]);
    assert!(lab.struck().is_empty());
    lab.set(&[]);
    lab.set(&[("late", latency(100, 0))]);
    lab.push("a");
    lab.run(lab.millis() + 200);
    assert_eq!(lab.struck(), ["late"]);
}

#[test]
fn the_same_seed_gives_the_same_times_and_pieces_and_another_seed_others() {
    let run = |seed| {
        let mut lab = Lab::seeded(seed, &[("late", latency(100, 90)), ("cut", slicer(5, 4, 10))]);
        (0..20).for_each(|_| lab.push("abcdefghijklmnopqrstuvwxyz"));
        lab.run(10_000)
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn toxicity_is_drawn_for_each_connection_and_toxic_and_does_not_change() {
    let hits = |toxic: &str, toxicity: f64| -> Vec<bool> {
        (0..10_000).map(|connection| applies(9, "proxy", toxic, connection, toxicity)).collect()
    };
    let count = |hits: &[bool]| hits.iter().filter(|hit| **hit).count();
    assert_eq!(count(&hits("a", 0.0)), 0);
    assert_eq!(count(&hits("a", f64::NAN)), 0);
    assert_eq!(count(&hits("a", 1.0)), 10_000);
    let (third, other) = (hits("a", 0.3), hits("b", 0.3));
    assert!((2800..3200).contains(&count(&third)), "{}", count(&third));
    assert_ne!(third, other);
    assert_eq!(third, hits("a", 0.3));
    assert!(hits("a", 0.5).iter().zip(&third).all(|(more, less)| *more || !*less), "more toxicity spares nobody new");
    assert!((0..50).any(|n| applies(9, "ab", "c", n, 0.5) != applies(9, "a", "bc", n, 0.5)));
}
