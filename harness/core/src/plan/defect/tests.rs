#![allow(clippy::unwrap_used)]
use std::collections::BTreeSet;

use super::*;

#[test]
fn no_two_defects_have_one_name_and_each_has_a_sentence() {
    let names: BTreeSet<_> = all().map(|planted| planted.name).collect();
    assert_eq!(names.len(), all().count());
    for planted in all() {
        assert!(planted.says.ends_with('.') && planted.says.len() > 20, "{}: {}", planted.name, planted.says);
    }
}

#[test]
fn every_known_survivor_is_a_defect_of_a_list() {
    for known in survivors::known() {
        assert!(all().any(|planted| planted.name == known.name), "{}", known.name);
    }
}
