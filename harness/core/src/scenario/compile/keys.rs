//! The idempotency keys of events.

use super::super::cast::{Keys, Stream};
use crate::topic::Form;

/// Around the sizes of hash blocks, of a length in one byte, and of columns of text.
const LENGTHS: [usize; 8] = [64, 65, 128, 255, 256, 257, 512, 1000];

/// `#` is a number of two digits or more.
const ALIKE: [&str; 12] = [
    "key-#",
    "KEY-#",
    "key_#",
    "key-#.",
    "key #",
    "key+#",
    "key%2D#",
    "cl\u{e9}-#",
    "cle\u{301}-#",
    "cle-#",
    "#",
    "0#",
];

/// The key of an event. `mark` distinguishes it from every other event.
pub(super) fn key(streams: &[Stream], stream: usize, seq: u64, mark: &str) -> String {
    let nth = |kinds: usize| usize::try_from(seq.saturating_sub(1) % kinds.max(1) as u64).unwrap_or(0);
    match streams[stream].keys {
        Keys::Own => mark.to_owned(),
        Keys::Shared => format!("shared:{seq}"),
        Keys::Long => format!("{seq:0>length$}", length = LENGTHS[nth(LENGTHS.len())]),
        Keys::Alike => {
            let number = 10 + seq.saturating_sub(1) / ALIKE.len() as u64;
            ALIKE[nth(ALIKE.len())].replace('#', &number.to_string())
        }
        Keys::Joined => {
            let rests = rests(streams, stream);
            let end = format!("#{seq}");
            match rests.get(nth(2 * rests.len()) / 2) {
                None => end,
                Some(rest) if nth(2) == 0 => format!("{rest}{end}"),
                // The first character of the rest is the separator.
                Some(rest) => {
                    let mut rest = rest.chars();
                    rest.next().map_or(end.clone(), |separator| format!("{}{separator}{end}", rest.as_str()))
                }
            }
        }
    }
}

/// What the ids of the other streams with joined keys have behind this one's; nothing where this is not the shortest.
fn rests(streams: &[Stream], stream: usize) -> Vec<&str> {
    let others = streams.iter().filter(|other| other.keys == Keys::Joined).map(|other| id(&other.topic));
    let rests: Option<Vec<_>> = others.map(|other| other.strip_prefix(id(&streams[stream].topic))).collect();
    rests.unwrap_or_default().into_iter().filter(|rest| !rest.is_empty()).collect()
}

/// Whether streams of these topics can have joined keys: the id of one begins the ids of all the others.
pub(crate) fn can_join<'t>(topics: impl Iterator<Item = &'t str> + Clone) -> bool {
    let joined = topics.map(id);
    let shortest = joined.clone().min_by_key(|id| id.len()).unwrap_or_default();
    joined.clone().all(|id| id.starts_with(shortest)) && joined.clone().any(|id| id != shortest)
}

fn id(topic: &str) -> &str {
    match Form::of(topic) {
        Form::Run(id) | Form::Worker(id) | Form::FleetUser(id) | Form::FleetGuest(id) => id,
        Form::CodexWorkerEvents | Form::Other => topic,
    }
}

#[cfg(test)]
mod tests;
