#![allow(clippy::unwrap_used)]
use super::*;
use crate::check::Verdict;
use crate::check::tests::notation::World;
use crate::plan::defect::{client, harness};

const RUN: &str = "pub a1..3; c1 sub a; c1 a1 a2 a3; pub a4; c1 a4";

fn whole() -> Whole {
    let World { plan, mut legacy, mut candidate } = World::read(RUN).unwrap();
    for history in [&mut legacy, &mut candidate] {
        history.header.plan_digest = plan.digest();
    }
    Whole { plan, legacy, candidate }
}

#[test]
fn what_was_driven_well_is_taken_for_good_and_each_defect_of_a_bundle_is_not() {
    let whole = whole();
    assert_eq!(whole.judged().verdict, Verdict::Valid);
    for defect in harness::Defect::ALL.iter().filter(|defect| !is_of_histories(**defect)) {
        if switched_off(*defect).is_none() {
            assert!(!holds_with(*defect, std::slice::from_ref(&whole)), "{}", defect.name());
        }
    }
}

#[test]
fn a_client_that_skips_an_event_or_ends_elsewhere_is_not_taken_for_good() {
    use client::Defect;
    let whole = whole();
    for defect in [Defect::SkipsFirst, Defect::SkipsLate, Defect::WatermarkLow, Defect::WatermarkHigh, Defect::Absent] {
        let candidate = in_client(defect, &whole.candidate).unwrap();
        let judged = Whole { candidate, ..whole.clone() }.judged();
        assert_ne!(judged.verdict, Verdict::Valid, "{}", defect.name());
    }
}

#[test]
fn histories_that_are_not_what_happened_are_not_taken_for_good() {
    use harness::Defect;
    let whole = whole();
    for defect in
        [Defect::NothingPlanted, Defect::CutHistory, Defect::CutAtHeal, Defect::AnswerDropped, Defect::OtherSeed]
    {
        let planted = in_harness(defect, &whole, &whole).unwrap();
        assert_ne!(planted.judged().verdict, Verdict::Valid, "{}", defect.name());
    }
}
