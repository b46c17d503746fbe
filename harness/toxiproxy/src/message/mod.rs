//! Message toxics: the types `ws_*`. Their names, attributes and defaults are those of the faults' specifications.

mod fault;
mod read;

pub use read::Attributes;

use cutover_core::plan::fault::spec::{Attribute, FaultSpec};
use cutover_core::plan::fault::{ALWAYS, FAULTS, FILTER, ONCE};

pub fn message_type(name: &str) -> Option<&'static FaultSpec> {
    FAULTS.iter().find(|spec| spec.toxic == Some(name)).copied()
}

/// Whether it works on what clients ask, so that the other direction never has a message for it.
pub fn is_upstream_only(of: &FaultSpec) -> bool {
    of.positions == ["resume"]
}

/// All that a type takes, with its key, in the order in which it is answered.
fn attributes(of: &'static FaultSpec) -> impl Iterator<Item = (&'static str, &'static Attribute)> {
    // These choose the kind of their messages themselves.
    let chooses = of.positions.is_empty() || is_upstream_only(of);
    let filter = FILTER.iter().filter(move |attribute| !chooses || matches!(attribute.name, "nth" | "per"));
    let times = if of.positions.is_empty() { &ALWAYS } else { &ONCE };
    let all = of.attributes.iter().chain(filter).chain([times]);
    all.filter_map(|attribute| Some((attribute.api?, attribute)))
}
