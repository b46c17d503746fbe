//! Reads the byte toxics of a scenario. Types and attributes have Toxiproxy's names.

use super::super::draft::ToxicDraft;
use super::super::errors::Mistakes;
use super::super::read::{At, Node, Section, as_word};
use super::super::words;
use super::Names;
use super::cast::check_name;
use super::faults::victims;
use crate::plan::{ByteToxic, Direction};

/// The longest delay that a toxic may add, in milliseconds.
const MAX_DELAY_MS: u64 = 1_000;
/// The longest time after which a toxic ends a connection, or to which it draws its end out, in milliseconds.
const MAX_END_MS: u64 = 10_000;
/// The longest pause between two slices, in microseconds.
const MAX_SLICE_DELAY_US: u64 = 100_000;
/// The greatest count of bytes, and of kilobytes a second.
const MAX_BYTES: u64 = 1_000_000_000;

pub(super) fn toxics(root: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Vec<At<ToxicDraft>> {
    let mut toxics: Vec<At<ToxicDraft>> = Vec::new();
    for (index, node) in root.list("toxics", mistakes).into_iter().enumerate() {
        let Some(value) = toxic(node, index, names, mistakes) else {
            continue;
        };
        if toxics.iter().any(|other| other.value.name == value.name) {
            mistakes.whole(node.at, format!("two toxics are called `{}`", value.name), None);
        }
        toxics.push(At { value, at: node.at });
    }
    toxics
}

fn toxic(node: Node<'_>, index: usize, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<ToxicDraft> {
    let section = Section::of(node, "a toxic", mistakes)?;
    let word = section.need_text("type", mistakes)?;
    let own = as_word(word, "toxic", words::TOXICS, mistakes)?;
    let section = section.called(format!("`{}`", word.value));
    let known: Vec<_> = words::TOXIC_KEYS.iter().chain(own).copied().collect();
    section.only(&known, mistakes);
    let name = match section.text("name", mistakes) {
        Some(name) => {
            check_name(name, "a toxic's name", mistakes);
            name.value.to_owned()
        }
        None => format!("{}-{}", word.value.replace('_', "-"), index + 1),
    };
    let clients = victims(&section, names, mistakes);
    let lane = section.word("lane", words::SERVERS, mistakes).flatten();
    let stream = section.word("stream", words::DIRECTIONS, mistakes);
    let toxicity = toxicity(&section, mistakes);
    let toxic = attributes(word.value, &section, mistakes)?;
    if matches!(&clients, Some(Some(clients)) if clients.is_empty()) {
        mistakes.local(section.at, "the toxic strikes nobody", None);
    }
    Some(ToxicDraft {
        name,
        clients: clients?,
        lane,
        stream: stream.unwrap_or(Direction::Downstream),
        toxicity: toxicity?,
        toxic,
    })
}

/// From 0 to 1, but not 0: such a toxic never strikes.
fn toxicity(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<f64> {
    let Some(node) = section.get("toxicity") else {
        return Some(1.0);
    };
    match node.fraction() {
        Some(chance) if chance > 0.0 && chance <= 1.0 => Some(chance),
        Some(0.0) => {
            let hint = "leave the toxic out, or give it a chance".to_owned();
            mistakes.local(node.at, "with a toxicity of 0 the toxic never strikes", hint);
            None
        }
        _ => {
            mistakes.local(node.at, "`toxicity` is a number above 0 and up to 1", None);
            None
        }
    }
}

fn attributes(word: &str, section: &Section<'_>, mistakes: &mut Mistakes) -> Option<ByteToxic> {
    Some(match word {
        "latency" => {
            let latency = optional(section, "latency", MAX_DELAY_MS, mistakes)?;
            let jitter = optional(section, "jitter", MAX_DELAY_MS, mistakes)?;
            if latency == 0 && jitter == 0 {
                let hint = "give `latency` or `jitter`, in milliseconds".to_owned();
                mistakes.local(section.at, "the toxic delays nothing", hint);
            }
            ByteToxic::Latency { latency, jitter }
        }
        "bandwidth" => ByteToxic::Bandwidth { rate: needed(section, "rate", MAX_BYTES, mistakes)? },
        "slow_close" => ByteToxic::SlowClose { delay: needed(section, "delay", MAX_END_MS, mistakes)? },
        "timeout" => ByteToxic::Timeout { timeout: optional(section, "timeout", MAX_END_MS, mistakes)? },
        "reset_peer" => ByteToxic::ResetPeer { timeout: optional(section, "timeout", MAX_END_MS, mistakes)? },
        "slicer" => slicer(section, mistakes)?,
        "limit_data" => ByteToxic::LimitData { bytes: needed(section, "bytes", MAX_BYTES, mistakes)? },
        _ => return None,
    })
}

fn slicer(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<ByteToxic> {
    let average_size = needed(section, "average_size", MAX_BYTES, mistakes);
    let size_variation = optional(section, "size_variation", MAX_BYTES, mistakes);
    let delay = optional(section, "delay", MAX_SLICE_DELAY_US, mistakes)?;
    let (average_size, size_variation) = (average_size?, size_variation?);
    if size_variation >= average_size {
        let what = format!("slices of {average_size} bytes can't be {size_variation} bytes shorter");
        let hint = "give a `size_variation` below the `average_size`".to_owned();
        mistakes.local(section.at, what, hint);
    }
    Some(ByteToxic::Slicer { average_size, size_variation, delay })
}

/// An attribute that is 0 where it is left out; nothing where it is wrong.
fn optional(section: &Section<'_>, key: &str, most: u64, mistakes: &mut Mistakes) -> Option<i64> {
    if !section.has(key) {
        return Some(0);
    }
    section.number(key, 0..=most, mistakes).map(whole)
}

/// An attribute without which the toxic does nothing, or lets nothing pass for ever.
fn needed(section: &Section<'_>, key: &str, most: u64, mistakes: &mut Mistakes) -> Option<i64> {
    section.need(key, mistakes)?;
    section.number(key, 1..=most, mistakes).map(whole)
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
