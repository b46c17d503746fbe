#![allow(clippy::unwrap_used)]
use std::collections::BTreeSet;

use crate::check::earned;
use crate::check::tests::notation::World;
use crate::matrix::Part;

/// What the legacy lane shows of stale cursors.
fn shown(text: &str) -> BTreeSet<Part> {
    let world = World::read(text).unwrap();
    let parts = earned(&world.plan, &world.legacy);
    parts.into_iter().filter(|part| matches!(part, Part::FloorBreach | Part::BudgetExceeded)).collect()
}

#[test]
fn a_bootstrap_behind_a_refusal_without_a_reason_shows_the_one_reason_that_there_was() {
    let refused = "pub a1..6; c1 ask a from 1; c1 refused a unsaid; c1 rewind a; c1 sub a;";
    assert_eq!(shown(&format!("budget a 2; {refused} c1 a1..6")), [Part::BudgetExceeded].into());
    assert_eq!(shown(&format!("retain a 3; {refused} c1 a4..6")), [Part::FloorBreach].into());
    // Where both are so, the floor comes first.
    assert_eq!(shown(&format!("retain a 3; budget a 2; {refused} c1 a4..6")), [Part::FloorBreach].into());
    let at_floor = "retain a 3; budget a 2; pub a1..6; c1 ask a from 3; c1 refused a unsaid; c1 rewind a; c1 sub a;";
    assert_eq!(shown(&format!("{at_floor} c1 a4..6")), [Part::BudgetExceeded].into());
}

#[test]
fn a_refusal_without_a_reason_shows_nothing_without_a_bootstrap_or_a_stale_cursor() {
    let refused = "pub a1..6; c1 ask a from 1; c1 refused a unsaid; c1 rewind a";
    assert_eq!(shown(&format!("budget a 2; {refused}")), [].into());
    assert_eq!(shown(&format!("budget a 9; {refused}; c1 sub a; c1 a1..6")), [].into());
}

#[test]
fn a_cursor_that_a_fault_put_in_the_place_of_a_fresh_one_counts_where_the_lane_saw_it() {
    let text = "budget a 2; pub a1..6; c1 ask a from 6; c1 rewrote a 6 to 1; c1 refused a unsaid; c1 rewind a; \
                c1 sub a; c1 a1..6";
    assert_eq!(shown(text), [Part::BudgetExceeded].into());
}
