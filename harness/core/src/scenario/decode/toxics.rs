//! Reads the byte toxics of a scenario. Types and attributes have Toxiproxy's names.

use super::super::errors::Mistakes;
use super::super::faults::ToxicDraft;
use super::super::names::Names;
use super::super::read::{At, Node, Section, as_word};
use super::super::words;
use super::cast::check_name;
use super::faults::clients;
use crate::ids::LaneId;
use crate::plan::{BRIDGE, ByteToxic, Direction, TOXICS, ToxicSpec};

pub(super) fn toxics(root: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Vec<At<ToxicDraft>> {
    let mut toxics: Vec<At<ToxicDraft>> = Vec::new();
    for (index, node) in root.list("toxics", mistakes).into_iter().enumerate() {
        let Some(value) = toxic(root, (node, index), names, mistakes) else {
            continue;
        };
        if toxics.iter().any(|other| other.value.name == value.name) {
            mistakes.whole(node.at, format!("two toxics are called `{}`", value.name), None);
        }
        toxics.push(At { value, at: node.at });
    }
    toxics
}

fn toxic(
    root: &Section<'_>,
    (node, index): (Node<'_>, usize),
    names: &Names<'_>,
    mistakes: &mut Mistakes,
) -> Option<ToxicDraft> {
    let section = Section::of(node, "a toxic", mistakes)?;
    let word = section.need_text("type", mistakes)?;
    let types: Vec<_> = TOXICS.iter().map(|spec| (spec.name, spec)).collect();
    let spec = as_word(word, "toxic", &types, mistakes)?;
    let section = section.called(format!("`{}`", word.value));
    let own = spec.attributes.iter().map(|attribute| attribute.name);
    let known: Vec<_> = words::TOXIC_KEYS.iter().copied().chain(own).collect();
    section.only(&known, mistakes);
    let name = match section.text("name", mistakes) {
        Some(name) => {
            check_name(name, "a toxic's name", mistakes);
            name.value.to_owned()
        }
        None => format!("{}-{}", word.value.replace('_', "-"), index + 1),
    };
    let of_bridge = matches!(section.texts("clients", mistakes).as_slice(), [only] if only.value == BRIDGE);
    let clients = if of_bridge { Some(Some(Vec::new())) } else { clients(&section, names, mistakes) };
    let lane = match of_bridge {
        true => Some(LaneId::Candidate),
        false => section.word("lane", words::SERVERS, mistakes).flatten(),
    };
    if of_bridge && !root.has("bridge") {
        mistakes.local(section.at, "the scenario has no bridge", "add `bridge = {}`".to_owned());
    }
    let stream = section.word("stream", words::DIRECTIONS, mistakes);
    let toxicity = toxicity(&section, mistakes);
    let toxic = attributes(spec, &section, mistakes)?;
    if !of_bridge && matches!(&clients, Some(Some(clients)) if clients.is_empty()) {
        mistakes.local(section.at, "the toxic applies to no client", None);
    }
    Some(ToxicDraft {
        name,
        clients: clients?,
        of_bridge,
        lane,
        stream: stream.unwrap_or(Direction::Downstream),
        toxicity: toxicity?,
        toxic,
    })
}

/// From 0 to 1, but not 0: such a toxic never fires.
fn toxicity(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<f64> {
    let Some(node) = section.get("toxicity") else {
        return Some(1.0);
    };
    match node.fraction() {
        Some(chance) if chance > 0.0 && chance <= 1.0 => Some(chance),
        Some(0.0) => {
            let hint = "leave the toxic out, or give it a chance".to_owned();
            mistakes.local(node.at, "with a toxicity of 0 the toxic never fires", hint);
            None
        }
        _ => {
            mistakes.local(node.at, "`toxicity` is a number above 0 and up to 1", None);
            None
        }
    }
}

/// An attribute is 0 where it is left out; one that can't be 0 has to be given.
fn attributes(spec: &ToxicSpec, section: &Section<'_>, mistakes: &mut Mistakes) -> Option<ByteToxic> {
    let mut values = Some(Vec::new());
    for attribute in spec.attributes {
        let (least, most) = attribute.range;
        let value = match section.has(attribute.name) {
            false if least == 0 => Some(0),
            false => {
                section.need(attribute.name, mistakes);
                None
            }
            true => section.number(attribute.name, least..=most, mistakes),
        };
        match value.and_then(|value| i64::try_from(value).ok()) {
            Some(value) => values.iter_mut().for_each(|values| values.push(value)),
            None => values = None,
        }
    }
    let toxic = ByteToxic::new(spec, &values?)?;
    match toxic {
        ByteToxic::Latency { latency: 0, jitter: 0 } => {
            let hint = "give `latency` or `jitter`, in milliseconds".to_owned();
            mistakes.local(section.at, "the toxic delays nothing", hint);
        }
        ByteToxic::Slicer { average_size, size_variation, .. } if size_variation >= average_size => {
            let what = format!("slices of {average_size} bytes can't be {size_variation} bytes shorter");
            let hint = "give a `size_variation` below the `average_size`".to_owned();
            mistakes.local(section.at, what, hint);
        }
        _ => {}
    }
    Some(toxic)
}
