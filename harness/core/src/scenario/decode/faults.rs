//! Reads the faults of a scenario.

use super::super::errors::Mistakes;
use super::super::faults::{FaultDraft, FaultPosition};
use super::super::names::Names;
use super::super::numbers::{number, numbers};
use super::super::open::{Number, Setting, Settings};
use super::super::read::{At, Node, Section, as_word};
use super::super::words::{self, keys};
use super::attributes::{attributes, filter, keys_of, only_of_messages};
use super::cast::check_name;
use crate::plan::fault::spec::{Effect, Value};
use crate::plan::fault::{FAULTS, FILTER};
use crate::plan::{Direction, MessageKind};

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
    let known: Vec<_> = FAULTS.iter().map(|spec| (spec.word, *spec)).collect();
    let spec = as_word(section.need_text("do", mistakes)?, "fault", &known, mistakes)?;
    let section = &section.called(format!("`{}`", spec.word));
    let known: Vec<_> = words::FAULT_KEYS.iter().copied().chain(keys_of(spec.attributes)).collect();
    section.only(&known, mistakes);
    let name = match section.text("name", mistakes) {
        Some(name) => {
            check_name(name, "a fault's name", mistakes);
            name.value.to_owned()
        }
        None => format!("{}-{}", spec.word, index + 1),
    };
    let clients = clients(section, names, mistakes);
    // A fault without positions chooses its messages itself, and all of them.
    let chooses = spec.positions.is_empty();
    let at = match chooses {
        true => heartbeat_replies(section, mistakes),
        false => position(section, names, mistakes),
    };
    let lane = section.word("lane", words::SERVERS, mistakes).flatten();
    let draws = section.number("draws", 1..=64, mistakes).unwrap_or(1);
    let always = section.word("times", words::TIMES, mistakes).unwrap_or(chooses);
    let settings = attributes(spec.attributes, section, names, mistakes)?;
    let fault = FaultDraft { name, clients: clients?, lane, at: at?, spec, settings, draws, always };
    check(section.at, &fault, mistakes);
    Some(fault)
}

/// `Some(None)` is the writer.
pub(super) fn clients(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Option<Vec<usize>>> {
    section.need("clients", mistakes)?;
    let listed = section.texts("clients", mistakes);
    if let [only] = listed.as_slice()
        && only.value == "writer"
    {
        return Some(None);
    }
    Some(Some(listed.into_iter().filter_map(|name| names.client(name, mistakes)).collect()))
}

/// Every answer to a heartbeat.
fn heartbeat_replies(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<At<FaultPosition<At<Number>>>> {
    for key in ["at", "times", "draws"] {
        if let Some(node) = section.get(key) {
            let what = format!("`starve-heartbeats` fires at every answer to a heartbeat, and takes no `{key}`");
            mistakes.local(node.at, what, "for some of them use do = \"drop\"".to_owned());
        }
    }
    let kind = Setting::Is(Value::Text(MessageKind::HeartbeatReply.as_str().to_owned()));
    let value = FaultPosition::Message(Direction::Downstream, Settings(vec![("kind", kind)]));
    Some(At { value, at: section.at })
}

fn position(
    section: &Section<'_>,
    names: &Names<'_>,
    mistakes: &mut Mistakes,
) -> Option<At<FaultPosition<At<Number>>>> {
    let node = section.need("at", mistakes)?;
    let at = node.at;
    let section = Section::of(node, "`at`", mistakes)?;
    let known: Vec<_> = keys::POSITIONS.iter().copied().chain(keys_of(FILTER)).collect();
    section.only(&known, mistakes);
    let kinds: Vec<_> = keys::POSITIONS.iter().filter(|key| section.has(key)).collect();
    let [kind] = kinds.as_slice() else {
        let hint = format!("give one of `{}`", keys::POSITIONS.join("`, `"));
        mistakes.local(at, "`at` says in one way where the fault fires", hint);
        return None;
    };
    if **kind == "message" {
        let direction = section.word("message", words::DIRECTIONS, mistakes);
        let filter = filter(&section, names, mistakes);
        return Some(At { value: FaultPosition::Message(direction?, filter?), at });
    }
    only_of_messages(&section, mistakes);
    if **kind == "proof" {
        let stream = names.stream(section.text(kind, mistakes)?, mistakes)?;
        return Some(At { value: FaultPosition::Proof { stream }, at });
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
            "delivery" => FaultPosition::Delivery { stream, seqs },
            _ => FaultPosition::Ack { stream, seqs },
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
        "resume" => FaultPosition::Resume(nth),
        "resume_reply" => FaultPosition::ResumeReply(nth),
        _ => FaultPosition::HeartbeatReply(nth),
    };
    Some(At { value, at })
}

fn check(at: usize, fault: &FaultDraft, mistakes: &mut Mistakes) {
    let position = &fault.at.value;
    let key = position.key();
    // A filter matches messages on the writer's connection as on any other.
    if (key == "ack") != fault.clients.is_none() && key != "message" {
        let hint = "`ack` and `message` go with clients = [\"writer\"], every other position with a client".to_owned();
        mistakes.local(at, "the fault's client never comes by its position", hint);
    }
    if fault.clients.as_ref().is_some_and(Vec::is_empty) {
        mistakes.local(at, "the fault applies to no client", None);
    }
    let positions = fault.spec.positions;
    if !positions.is_empty() && !positions.contains(&key) {
        let (what, hint) = match positions {
            ["resume"] => ("only a resume has a cursor to rewrite", "use at = { resume = 2 }"),
            _ if key == "proof" => {
                ("faults are off before the proof of life; only a defect is there", "use do = \"drop-event\"")
            }
            _ => ("only a delivery can be changed or repeated", "use at = { delivery = \"<topic>\", seq = 5 }"),
        };
        mistakes.local(fault.at.at, what, hint.to_owned());
    }
    lasting(at, fault, mistakes);
    let random = match position {
        FaultPosition::Delivery { seqs, .. } | FaultPosition::Ack { seqs, .. } => {
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

/// A fault that fires every time must leave the client a way to get on.
fn lasting(at: usize, fault: &FaultDraft, mistakes: &mut Mistakes) {
    if !fault.always {
        return;
    }
    if fault.spec.does(Effect::Ends) || fault.spec.does(Effect::Holds) {
        mistakes.local(at, "a fault that always cuts, drains or holds never lets the client get on", None);
    }
    let (on_resume, on_heartbeat) = match &fault.at.value {
        FaultPosition::Resume(_) => (true, false),
        FaultPosition::HeartbeatReply(_) => (false, true),
        FaultPosition::Message(_, filter) => {
            let kind = filter.word("kind");
            (kind == Some("resume"), matches!(kind, Some("heartbeat" | "heartbeat-reply")))
        }
        _ => (false, false),
    };
    if fault.spec.leaves_gap() && !on_heartbeat {
        let what = if on_resume { "a resume" } else { "a message" };
        let hint = "fire once, or lose heartbeats only".to_owned();
        mistakes.local(at, format!("{what} that is lost or late every time never gets through"), hint);
    }
}
