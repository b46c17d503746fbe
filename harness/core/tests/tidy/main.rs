//! The rules of the code as tests. Each failure lists the places, and says how to mend them.
#![allow(clippy::unwrap_used)]

mod debts;
mod imports;
mod pages;
mod shape;
mod sources;
mod words;

/// Fails with all places at once, and with the mend.
#[track_caller]
fn none(places: &[String], mend: &str) {
    assert!(places.is_empty(), "{}\n\n{mend}\n", places.join("\n"));
}
