//! Numbers, times and lists as every report writes them.

use std::collections::BTreeMap;

const MAX_NAMES: usize = 8;

pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// How many there are beyond those that are shown: `3 more findings`. `None` where all are shown.
pub fn more(count: usize, shown: usize, what: &str) -> Option<String> {
    let more = count.checked_sub(shown).filter(|more| *more > 0)?;
    Some(counted(more, &format!("more {what}")))
}

/// Milliseconds as seconds with one decimal, rounded half up.
pub fn seconds(ms: u64) -> String {
    let tenths = (ms + 50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

pub fn capitalized(says: &str) -> String {
    let mut letters = says.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Names with how often each was found: `unseen ×147, convergence`.
pub fn times_each(counts: &BTreeMap<String, u64>) -> String {
    let each = counts.iter().map(|(name, count)| match count {
        1 => name.clone(),
        _ => format!("{name} ×{count}"),
    });
    each.collect::<Vec<_>>().join(", ")
}

pub fn names(names: &[String]) -> String {
    let shown = names.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}
