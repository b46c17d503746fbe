//! Reads the faults of a scenario.

use super::super::draft::{FaultDraft, KindDraft, Number, Pick, PickDraft, PlaceDraft};
use super::super::errors::{Mistakes, did_you_mean};
use super::super::read::{At, Node, Section, as_word};
use super::super::words::{self, keys};
use super::Names;
use super::cast::check_name;
use super::numbers::{cursor, number, numbers};
use super::picks::{only_of_messages, pick as message, pointer};
use super::steps::verb;
use crate::plan::{Direction, FaultKind, MessageKind, Mutation, Scope, rules};

/// The close code of a service restart (RFC 6455 registry), which Phoenix sends as it drains.
const SERVICE_RESTART: u16 = 1012;
/// The longest that a frame is delayed, in milliseconds.
const MAX_DELAY_MS: u64 = 2_000;
/// How long a message waits for others where nothing else is said, in milliseconds.
const WITHIN_MS: u64 = 200;

pub(super) fn faults(root: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Vec<At<FaultDraft>> {
    let mut faults: Vec<At<FaultDraft>> = Vec::new();
    let nodes = root.list("faults", mistakes);
    for (index, node) in nodes.into_iter().enumerate() {
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
    let starves = verb == "starve-heartbeats";
    let at = match starves {
        true => heartbeat_replies(section, mistakes),
        false => place(section, names, mistakes),
    };
    let lane = section.word("lane", words::SERVERS, mistakes).flatten();
    let draws = section.number("draws", 1..=64, mistakes).unwrap_or(1);
    let always = section.word("times", words::TIMES, mistakes).unwrap_or(starves);
    let kind = kind(verb, section, names, mistakes)?;
    let fault = FaultDraft { name, clients: clients?, lane, at: at?, kind, draws, always };
    check(section.at, &fault, mistakes);
    Some(fault)
}

/// `Some(None)` is the writer.
pub(super) fn victims(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Option<Vec<usize>>> {
    section.need("clients", mistakes)?;
    let listed = section.texts("clients", mistakes);
    if let [only] = listed.as_slice()
        && only.value == "writer"
    {
        return Some(None);
    }
    Some(Some(listed.into_iter().filter_map(|name| names.client(name, mistakes)).collect()))
}

/// What heartbeats are starved at.
fn heartbeat_replies(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<At<PlaceDraft>> {
    for key in ["at", "times", "draws"] {
        if let Some(node) = section.get(key) {
            let what = format!("`starve-heartbeats` strikes at every answer to a heartbeat, and takes no `{key}`");
            mistakes.local(node.at, what, "for some of them use do = \"drop\"".to_owned());
        }
    }
    let value = PlaceDraft::Message(PickDraft {
        direction: Direction::Downstream,
        kind: Some(MessageKind::HeartbeatReply),
        event: None,
        stream: None,
        seq: None,
        payload: None,
        nth: None,
        per: Scope::Proxy,
    });
    Some(At { value, at: section.at })
}

fn place(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<At<PlaceDraft>> {
    let node = section.need("at", mistakes)?;
    let at = node.at;
    let section = Section::of(node, "`at`", mistakes)?;
    section.only(keys::AT, mistakes);
    let kinds: Vec<_> = keys::AT.iter().filter(|key| !keys::PICK.contains(key) && section.has(key)).collect();
    let [kind] = kinds.as_slice() else {
        let hint =
            "give one of `delivery`, `proof`, `ack`, `resume`, `resume_reply`, `heartbeat_reply`, `message`".to_owned();
        mistakes.local(at, "`at` says in one way where the fault strikes", hint);
        return None;
    };
    if **kind == "message" {
        let value = PlaceDraft::Message(message(&section, names, mistakes)?);
        return Some(At { value, at });
    }
    only_of_messages(&section, mistakes);
    if **kind == "proof" {
        let stream = names.stream(section.text(kind, mistakes)?, mistakes)?;
        let value = PlaceDraft::Proof { stream };
        return Some(At { value, at });
    }
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
            KindDraft::Cut { how: how?, when: when?, code: close_code(section, mistakes) }
        }
        "hold" => KindDraft::Hold { acked: until(section, names, mistakes)? },
        "rewrite-cursor" => {
            let stream = names.need_stream(section, mistakes);
            let to = cursor(section, names, mistakes);
            KindDraft::RewriteCursor { stream: stream?, to: to? }
        }
        "replace-payload" => KindDraft::ReplacePayload,
        "misdeliver" => {
            let stream = names.need_stream(section, mistakes);
            let seq = number(section.need("seq", mistakes)?, "seq", 1, mistakes)?;
            KindDraft::Misdeliver { stream: stream?, seq }
        }
        _ => KindDraft::Settled(settled(verb, section, mistakes)?),
    })
}

/// A kind that the file settles.
fn settled(verb: &str, section: &Section<'_>, mistakes: &mut Mistakes) -> Option<FaultKind> {
    Some(match verb {
        "repeat" => FaultKind::Repeat { more: more(section, mistakes) },
        "delay" => {
            section.need("ms", mistakes)?;
            FaultKind::Delay { ms: section.number("ms", 1..=MAX_DELAY_MS, mistakes)? }
        }
        "drop" | "starve-heartbeats" => FaultKind::Drop,
        "reorder" => FaultKind::Reorder {
            behind: section.number("behind", 1..=32, mistakes).map_or(1, |behind| behind as u8),
            within_ms: within(section, mistakes),
        },
        "split" => {
            FaultKind::Split { frames: section.number("frames", 2..=1_000, mistakes).map_or(2, |frames| frames as u16) }
        }
        "merge" => FaultKind::Merge {
            messages: section.number("messages", 2..=64, mistakes).map_or(2, |messages| messages as u8),
            within_ms: within(section, mistakes),
        },
        "drain" => FaultKind::Drain { code: close_code(section, mistakes), within_ms: within(section, mistakes) },
        _ => FaultKind::Mutate { mutation: mutation(verb, section, mistakes)? },
    })
}

/// A defect that the file settles.
fn mutation(verb: &str, section: &Section<'_>, mistakes: &mut Mistakes) -> Option<Mutation> {
    Some(match verb {
        "set-json" => {
            let at = section.need_text("pointer", mistakes);
            let value = json_value(section, mistakes);
            Mutation::SetJson { pointer: pointer(at?, mistakes)?, value: value? }
        }
        "set-column" => {
            let column = section.need_text("column", mistakes);
            let value = json_value(section, mistakes);
            Mutation::SetColumn { column: column?.value.to_owned(), value: value? }
        }
        "drop-event" => Mutation::DropEvent,
        "swap" => Mutation::SwapWithNext,
        "flood" => Mutation::Flood { more: more(section, mistakes) },
        _ => return None,
    })
}

/// How many more times.
fn more(section: &Section<'_>, mistakes: &mut Mistakes) -> u8 {
    section.number("more", 1..=9, mistakes).map_or(1, |more| more as u8)
}

fn close_code(section: &Section<'_>, mistakes: &mut Mistakes) -> u16 {
    let code = section.number("code", 0..=u64::from(u16::MAX), mistakes);
    if let (Some(code), Some(node)) = (code.filter(|code| !rules::is_close_code(*code)), section.get("code")) {
        let what = format!("no close frame has the code {code}");
        mistakes.local(node.at, what, rules::CLOSE_CODES.to_owned());
    }
    code.map_or(SERVICE_RESTART, |code| code as u16)
}

fn within(section: &Section<'_>, mistakes: &mut Mistakes) -> u64 {
    section.number("within_ms", 1..=MAX_DELAY_MS, mistakes).unwrap_or(WITHIN_MS)
}

fn json_value(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<String> {
    let node = section.need("value", mistakes)?;
    let value = node.json();
    if value.is_none() {
        mistakes.local(node.at, format!("`value` is a JSON value, but this is {}", node.type_name()), None);
    }
    value
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
    let place = &fault.at.value;
    // A message is picked on the writer's connection as on any other.
    let is_message = matches!(place, PlaceDraft::Message(_));
    let is_ack = matches!(place, PlaceDraft::Ack { .. });
    if is_ack != fault.clients.is_none() && !is_message {
        let hint = "`ack` and `message` go with clients = [\"writer\"], every other position with a client".to_owned();
        mistakes.local(at, "the fault's client never comes by its position", hint);
    }
    if fault.clients.as_ref().is_some_and(Vec::is_empty) {
        mistakes.local(at, "the fault strikes nobody", None);
    }
    let resume = |pick: &PickDraft| pick.kind == Some(MessageKind::Resume);
    let on_resume =
        matches!(place, PlaceDraft::Resume(_)) || matches!(place, PlaceDraft::Message(pick) if resume(pick));
    if matches!(fault.kind, KindDraft::RewriteCursor { .. }) && !matches!(place, PlaceDraft::Resume(_)) {
        let hint = "use at = { resume = 2 }".to_owned();
        mistakes.local(fault.at.at, "only a resume has a cursor to rewrite", hint);
    }
    let on_proof = matches!(place, PlaceDraft::Proof { .. });
    let on_delivery = on_proof || matches!(place, PlaceDraft::Delivery { .. });
    let repeats = fault.kind.repeats();
    let sets_json = matches!(fault.kind, KindDraft::Settled(FaultKind::Mutate { mutation: Mutation::SetJson { .. } }));
    let by_message = is_message && (repeats || sets_json);
    if (fault.kind.is_mutation() || repeats) && !on_delivery && !by_message {
        let hint = "use at = { delivery = \"<topic>\", seq = 5 }".to_owned();
        mistakes.local(fault.at.at, "only a delivery can be changed or repeated", hint);
    }
    let lasts = matches!(fault.kind, KindDraft::Settled(FaultKind::Mutate { .. }));
    if on_proof && !lasts {
        let hint = "use do = \"drop-event\"".to_owned();
        mistakes.local(fault.at.at, "faults are off before the proof of life; only a defect is there", hint);
    }
    lasting(at, fault, on_resume, mistakes);
    let random = match place {
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

/// What strikes every time must leave the client a way to get on.
fn lasting(at: usize, fault: &FaultDraft, on_resume: bool, mistakes: &mut Mistakes) {
    if !fault.always {
        return;
    }
    if fault.kind.ends() || matches!(fault.kind, KindDraft::Hold { .. }) {
        mistakes.local(at, "a fault that always cuts, drains or holds never lets the client get on", None);
    }
    let beats = |pick: &PickDraft| matches!(pick.kind, Some(MessageKind::Heartbeat | MessageKind::HeartbeatReply));
    let spares = match &fault.at.value {
        PlaceDraft::HeartbeatReply(_) => true,
        PlaceDraft::Message(pick) => beats(pick),
        _ => false,
    };
    if fault.kind.displaces() && !spares {
        let what = if on_resume { "a resume" } else { "a message" };
        let hint = "strike once, or lose heartbeats only".to_owned();
        mistakes.local(at, format!("{what} that is lost or late every time never gets through"), hint);
    }
}
