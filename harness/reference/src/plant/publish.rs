//! Planted defects of a publish: topics, keys, repeats, conflicts, expected seqs.

use serde_json::Value;

use crate::canonical::canonical_sha256;
use crate::defects::{Defect, Defects};
use crate::store::{Publish, Published};

const LARGE: usize = 65_536;

/// The topic that an event is written to.
pub(crate) fn written_topic(topic: &str, defects: &Defects) -> String {
    if defects.has(Defect::LowerTopics) {
        topic.to_lowercase()
    } else if defects.has(Defect::DashTopics) && topic.contains(':') {
        topic.replace('_', "-")
    } else if defects.has(Defect::CutTopics) && topic.len() > 64 && topic.starts_with("run:") {
        let id = topic.trim_start_matches("run:").trim_end_matches(":events");
        format!("run:{}:events", first_bytes(id, 64 - "run::events".len()))
    } else {
        topic.to_owned()
    }
}

/// Where a key is known, and as what.
pub(crate) fn key_of(topic: &str, class: &str, key: &str, defects: &Defects) -> (String, String) {
    let known_as = if defects.has(Defect::TrimKeys) {
        key.trim().to_owned()
    } else if defects.has(Defect::LowerKeys) {
        key.to_lowercase()
    } else if defects.has(Defect::CutKeys64) {
        first_bytes(key, 64).to_owned()
    } else if defects.has(Defect::CutKeys255) {
        first_bytes(key, 255).to_owned()
    } else if defects.has(Defect::DashKeys) {
        key.replace('_', "-")
    } else if defects.has(Defect::JoinKeys) {
        // Whole topics never meet: none begins another one.
        let id = topic.rsplit(':').nth(1).unwrap_or(topic);
        return (String::new(), format!("{id}{key}"));
    } else {
        key.to_owned()
    };
    let place = if defects.has(Defect::KeysPerClass) { class } else { topic };
    (place.to_owned(), known_as)
}

/// Whether the key of an event is still known.
pub(crate) fn is_remembered(seq: u64, head: u64, oldest: u64, defects: &Defects) -> bool {
    let within = |window: u64| seq + window > head;
    !(defects.has(Defect::IgnoreIdempotency)
        || (defects.has(Defect::Window64) && !within(64))
        || (defects.has(Defect::Window1000) && !within(1000))
        || (defects.has(Defect::ForgetPrunedKeys) && seq < oldest))
}

/// The hash by which a payload is compared with the one of a known key.
pub(crate) fn compared_hash(text: &str, hash: [u8; 32], defects: &Defects) -> [u8; 32] {
    let compared = if defects.has(Defect::ConflictPrefix) && text.len() > LARGE {
        first_bytes(text, LARGE)
    } else if defects.has(Defect::TextConflict) {
        text
    } else {
        return hash;
    };
    canonical_sha256(&Value::from(compared).to_string()).unwrap_or(hash)
}

/// Whether another payload under a known key is taken for the same.
pub(crate) fn tolerated(seq: u64, oldest: u64, defects: &Defects) -> bool {
    defects.has(Defect::AcceptConflict) || (defects.has(Defect::PrunedConflict) && seq < oldest)
}

/// Whether a publish under a new key is taken for a repeat of the event before it.
pub(crate) fn is_same(before: Option<[u8; 32]>, hash: [u8; 32], defects: &Defects) -> bool {
    defects.has(Defect::DedupeEqual) && before == Some(hash)
}

pub(crate) fn repeat_answer(mut answer: Published, head: u64, defects: &Defects) -> Published {
    if defects.has(Defect::RepeatedAsNew) && answer.seq != head {
        answer.duplicate = false;
    }
    if defects.has(Defect::RepeatedAtHead) {
        answer.seq = head;
    }
    if defects.has(Defect::RepeatWithoutHash) {
        answer.hash = None;
    }
    answer
}

/// Whether an event may be written as `next`, where its publisher expects a seq.
pub(crate) fn fits(expected: Option<u64>, next: u64, defects: &Defects) -> bool {
    expected.is_none_or(|expected| {
        expected == next
            || defects.has(Defect::ExpectedIgnored)
            || (defects.has(Defect::ExpectedLow) && expected < next)
    })
}

pub(crate) fn is_refused_for_size(publish: &Publish, defects: &Defects) -> bool {
    (defects.has(Defect::RefuseLarge) && publish.payload.get().len() > 128 * 1024)
        || (defects.has(Defect::RefuseLongKeys) && publish.key.len() > 255)
}

/// At most so many bytes of a text, cut between two characters.
pub(super) fn first_bytes(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
