use super::*;
use crate::lane::trial::Mismatch;

/// How often it is tried where each try fails in this way.
fn tries(error: TrialError) -> usize {
    let mut tries = Tries::default();
    let mut count = 1;
    while wait_after(&mut tries, &error).is_some() {
        count += 1;
    }
    count
}

fn refused(passing: bool) -> TrialError {
    TrialError::Refused { what: "a publish was answered with HTTP 503".to_owned(), hint: None, passing }
}

#[test]
fn what_may_pass_is_tried_again_and_what_does_not_fit_is_not() {
    assert_eq!(tries(refused(true)), 4);
    assert_eq!(tries(refused(false)), 1);
    let mismatch = Mismatch::new("fields.watermark", "n", "an event has no such field");
    assert_eq!(tries(mismatch.into()), 1);
}
