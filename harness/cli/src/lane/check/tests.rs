#![allow(clippy::unwrap_used)]
use cutover_live::lane::trial::{Step, TrialError};

use super::*;

fn steps(outcomes: Vec<Outcome>) -> Steps {
    let mut steps = Steps::default();
    steps.all = outcomes.into_iter().map(|outcome| Step { what: "do it".to_owned(), outcome }).collect();
    steps
}

fn failed(of_the_profile: bool) -> Outcome {
    let refused = TrialError::Refused { what: "a publish was refused".to_owned(), hint: None, passing: false };
    let module = TrialError::Module("the table `events` is looked for".to_owned());
    Outcome::Failed(Box::new(if of_the_profile { module } else { refused }))
}

#[test]
fn the_exit_code_says_whether_the_profile_or_the_service_is_wrong() {
    assert_eq!(exit_of(&steps(vec![Outcome::Works, Outcome::LeftOut])), Exit::Allow);
    assert_eq!(exit_of(&steps(vec![Outcome::Works, Outcome::Missing("the event did not come")])), Exit::Environment);
    assert_eq!(exit_of(&steps(vec![failed(false), Outcome::NotTried])), Exit::Environment);
    assert_eq!(exit_of(&steps(vec![failed(false), failed(true)])), Exit::Usage);
}

#[test]
fn the_table_has_a_line_for_each_step_and_counts_those_that_fail() {
    let all = steps(vec![Outcome::Works, Outcome::LeftOut, failed(true), Outcome::NotTried]).all;
    let lines: Vec<Line> = all.into_iter().map(line).collect();
    insta::assert_snapshot!(text(&lines, true));
}
