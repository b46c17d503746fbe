#![allow(clippy::unwrap_used)]

use super::*;

fn is_valid(name: &str) -> bool {
    let parts = name.split('-');
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    parts.into_iter().all(is_plain)
}

#[test]
fn a_number_is_taken_as_it_is() {
    assert_eq!(database("sync-dev", "123").as_deref(), Some("sync-dev-pr-123"));
    assert_eq!(database(&"c2".repeat(32), "123").as_deref(), Some("cutover-pr-123"));
}

#[test]
fn every_branch_gets_a_valid_name_of_its_own() {
    let branches =
        ["feature/offline_queue", "feature-offline-queue", "Feature/Offline_Queue", "feature/offline-queue", "ä--b"];
    let long = ["x".repeat(200), format!("{}y", "x".repeat(200))];
    let all = branches.iter().map(|branch| (*branch).to_owned()).chain(long);
    let names: Vec<String> = all.map(|branch| database("Sync_Dev", &branch).unwrap_or_default()).collect();
    assert!(names.iter().all(|name| is_valid(name) && name.len() <= 64), "{names:#?}");
    let different: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "{names:#?}");
}

#[test]
fn a_name_of_which_nothing_is_left_is_none() {
    assert_eq!(database("sync", "///"), None);
    assert_eq!(database("sync", ""), None);
}
