//! Reads the faults of a scenario.

use super::super::draft::{FaultDraft, KindDraft, Number, Pick, PlaceDraft};
use super::super::errors::{Mistakes, did_you_mean};
use super::super::read::{At, Node, Section, as_word};
use super::super::words::{self, keys};
use super::cast::check_name;
use super::numbers::{cursor, number, numbers};
use super::steps::verb;
use super::{MAX_LIST, Names};

/// The close code of a service restart (RFC 6455 registry), which Phoenix sends as it drains.
const SERVICE_RESTART: u64 = 1012;
/// The longest that a frame is delayed, in milliseconds.
const MAX_DELAY_MS: u64 = 2_000;

pub(super) fn faults(root: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Vec<At<FaultDraft>> {
    let mut faults: Vec<At<FaultDraft>> = Vec::new();
    let nodes = root.list("faults", mistakes);
    for (index, node) in nodes.into_iter().enumerate().take(MAX_LIST) {
        let Some(value) = fault(node, index, names, mistakes) else {
            continue;
        };
        if faults.iter().any(|other| other.value.name == value.name) {
            mistakes.whole(node.at, format!("two faults are called `{}`", value.name), None);
        }
        faults.push(At { value, at: node.at });
    }
    faults
}

fn fault(node: Node<'_>, index: usize, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<FaultDraft> {
    let section = Section::of(node, "a fault", mistakes)?;
    let (verb, section) = verb(section, "fault", words::FAULTS, words::FAULT_KEYS, mistakes)?;
    let section = &section;
    let name = match section.text("name", mistakes) {
        Some(name) => {
            check_name(name, "a fault's name", mistakes);
            name.value.to_owned()
        }
        None => format!("{verb}-{}", index + 1),
    };
    let clients = victims(section, names, mistakes);
    let at = place(section, names, mistakes);
    let lane = section.word("lane", words::SERVERS, mistakes).flatten();
    let draws = section.number("draws", 1..=64, mistakes).unwrap_or(1);
    let always = section.word("times", words::TIMES, mistakes).unwrap_or(false);
    let kind = kind(verb, section, names, mistakes)?;
    let fault = FaultDraft {
        name,
        clients: clients?,
        lane,
        at: at?,
        kind,
        draws,
        always,
    };
    check(section.at, &fault, mistakes);
    Some(fault)
}

/// `Some(None)` is the writer.
fn victims(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Option<Vec<usize>>> {
    section.need("clients", mistakes)?;
    let listed = section.texts("clients", mistakes);
    if let [only] = listed.as_slice()
        && only.value == "writer"
    {
        return Some(None);
    }
    Some(Some(
        listed
            .into_iter()
            .filter_map(|name| names.client(name, mistakes))
            .collect(),
    ))
}

fn place(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<At<PlaceDraft>> {
    let node = section.need("at", mistakes)?;
    let at = node.at;
    let section = Section::of(node, "`at`", mistakes)?;
    section.only(keys::AT, mistakes);
    let kinds: Vec<_> = keys::AT
        .iter()
        .filter(|key| **key != "seq" && section.has(key))
        .collect();
    let [kind] = kinds.as_slice() else {
        let hint = "give one of `delivery`, `ack`, `resume`, `resume_reply`, `heartbeat_reply`".to_owned();
        mistakes.local(at, "`at` says in one way where the fault strikes", hint);
        return None;
    };
    if matches!(**kind, "delivery" | "ack") {
        let topic = section.text(kind, mistakes);
        let stream = topic.and_then(|topic| names.stream(topic, mistakes));
        let seqs = numbers(section.need("seq", mistakes)?, "seq", mistakes);
        if seqs.len() > 1 && seqs.iter().any(|seq| seq.value == Number::Random) {
            mistakes.local(at, "a list of seqs has numbers only", None);
        }
        let stream = stream?;
        let value = match **kind {
            "delivery" => PlaceDraft::Delivery { stream, seqs },
            _ => PlaceDraft::Ack { stream, seqs },
        };
        return Some(At { value, at });
    }
    if section.has("seq") {
        mistakes.local(at, format!("`{kind}` is counted and takes no `seq`"), None);
    }
    let nth = number(section.get(kind)?, kind, 1, mistakes)?;
    if nth.value == Number::Random {
        mistakes.local(nth.at, format!("`{kind}` is a number or \"each\""), None);
    }
    let value = match **kind {
        "resume" => PlaceDraft::Resume(nth.value),
        "resume_reply" => PlaceDraft::ResumeReply(nth.value),
        _ => PlaceDraft::HeartbeatReply(nth.value),
    };
    Some(At { value, at })
}

fn kind(verb: &str, section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<KindDraft> {
    Some(match verb {
        "cut" => {
            let how = pick(section, "how", words::CUTS, mistakes);
            let when = pick(section, "when", words::WHENS, mistakes);
            let code = section.number("code", 1000..=4999, mistakes).unwrap_or(SERVICE_RESTART);
            KindDraft::Cut {
                how: how?,
                when: when?,
                code: u16::try_from(code).unwrap_or(1012),
            }
        }
        "repeat" => KindDraft::Repeat {
            more: section.number("more", 1..=9, mistakes).map_or(1, |more| more as u8),
        },
        "delay" => {
            section.need("ms", mistakes)?;
            KindDraft::Delay {
                ms: section.number("ms", 1..=MAX_DELAY_MS, mistakes)?,
            }
        }
        "hold" => KindDraft::Hold {
            acked: until(section, names, mistakes)?,
        },
        "rewrite-cursor" => {
            let stream = names.need_stream(section, mistakes);
            let to = cursor(section, names, mistakes);
            KindDraft::RewriteCursor {
                stream: stream?,
                to: to?,
            }
        }
        "drop-event" => KindDraft::DropEvent,
        "swap" => KindDraft::Swap,
        "replace-payload" => KindDraft::ReplacePayload,
        "misdeliver" => {
            let stream = names.need_stream(section, mistakes);
            let seq = number(section.need("seq", mistakes)?, "seq", 1, mistakes)?;
            KindDraft::Misdeliver { stream: stream?, seq }
        }
        _ => return None,
    })
}

/// A word that may be left to the cases (`each`) or to chance (`random`).
fn pick<T: Copy>(section: &Section<'_>, key: &str, words: &[(&str, T)], mistakes: &mut Mistakes) -> Option<Pick<T>> {
    section.need(key, mistakes)?;
    let text = section.text(key, mistakes)?;
    let mut known: Vec<_> = words.iter().map(|(word, value)| (*word, Pick::This(*value))).collect();
    known.extend([("each", Pick::Each), ("random", Pick::Random)]);
    as_word(text, key, &known, mistakes)
}

/// `Some(None)` is the heal phase.
#[allow(clippy::type_complexity)]
fn until(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Option<(usize, At<Number>)>> {
    let node = section.need("until", mistakes)?;
    if let Some(word) = node.str() {
        if word == "heal" {
            return Some(None);
        }
        let what = format!("`until` is \"heal\" or a table, but not \"{word}\"");
        mistakes.local(node.at, what, did_you_mean(word, &["heal"]));
        return None;
    }
    let section = Section::of(node, "`until`", mistakes)?;
    section.only(keys::UNTIL, mistakes);
    let topic = section.need_text("acked", mistakes);
    let stream = topic.and_then(|topic| names.stream(topic, mistakes));
    let seq = number(section.need("seq", mistakes)?, "seq", 1, mistakes)?;
    Some(Some((stream?, seq)))
}

/// What can't go together in one fault.
fn check(at: usize, fault: &FaultDraft, mistakes: &mut Mistakes) {
    let is_ack = matches!(fault.at.value, PlaceDraft::Ack { .. });
    if is_ack != fault.clients.is_none() {
        let hint = "`ack` goes with clients = [\"writer\"], every other position with a client".to_owned();
        mistakes.local(at, "the fault's client never comes by its position", hint);
    }
    if fault.clients.as_ref().is_some_and(Vec::is_empty) {
        mistakes.local(at, "the fault strikes nobody", None);
    }
    let on_resume = matches!(fault.at.value, PlaceDraft::Resume(_));
    if matches!(fault.kind, KindDraft::RewriteCursor { .. }) && !on_resume {
        let hint = "use at = { resume = 2 }".to_owned();
        mistakes.local(fault.at.at, "only a resume has a cursor to rewrite", hint);
    }
    let on_delivery = matches!(fault.at.value, PlaceDraft::Delivery { .. });
    if (fault.kind.is_mutation() || matches!(fault.kind, KindDraft::Repeat { .. })) && !on_delivery {
        let hint = "use at = { delivery = \"<topic>\", seq = 5 }".to_owned();
        mistakes.local(fault.at.at, "only a delivery can be changed or repeated", hint);
    }
    if fault.always && matches!(fault.kind, KindDraft::Cut { .. } | KindDraft::Hold { .. }) {
        mistakes.local(
            at,
            "a fault that always cuts or holds never lets the client get on",
            None,
        );
    }
    let random = match &fault.at.value {
        PlaceDraft::Delivery { seqs, .. } | PlaceDraft::Ack { seqs, .. } => {
            seqs.iter().any(|seq| seq.value == Number::Random)
        }
        _ => false,
    };
    if fault.draws > 1 && !random {
        mistakes.local(at, "only a random position can be drawn more than once", {
            "use seq = \"random\", or list the seqs".to_owned()
        });
    }
}
