//! The defects that the second wasm of the SpacetimeDB module can be armed with. They are planted in
//! `spacetime/module/src/planted`, by these names.
#![allow(missing_docs, reason = "the names say it")]

mod calls;
mod streams;

use super::Planted;

const COUNT: usize = streams::LIST.len() + calls::LIST.len();

pub const NAMES: &[&str] = &joined::<&str, COUNT>(streams::NAMES, calls::NAMES);
pub const LIST: &[Planted] = &joined::<Planted, COUNT>(streams::LIST, calls::LIST);

const fn joined<T: Copy, const N: usize>(first: &[T], second: &[T]) -> [T; N] {
    let mut all = [first[0]; N];
    let mut at = 1;
    while at < N {
        all[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    all
}
