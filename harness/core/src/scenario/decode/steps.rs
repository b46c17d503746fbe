//! Reads the steps of a scenario.

use super::super::draft::{Number, StepDraft};
use super::super::errors::Mistakes;
use super::super::read::{At, Node, Section, as_word};
use super::super::script::Spread;
use super::super::words;
use super::numbers::{cursor, number, numbers};
use super::{MAX_NUMBER, Names};
use crate::plan::ServerAction;

/// The most events that one step publishes.
const MAX_COUNT: u64 = 10_000;

pub(super) fn steps(root: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Vec<At<StepDraft>> {
    if root.need("steps", mistakes).is_none() {
        return Vec::new();
    }
    let nodes = root.list("steps", mistakes);
    let step = |node: Node<'_>| {
        let at = node.at;
        step(node, names, mistakes).map(|value| At { value, at })
    };
    nodes.into_iter().filter_map(step).collect()
}

/// Finds what a step or a fault does, and notes keys that it does not take.
pub(super) fn verb<'a>(
    section: Section<'a>,
    kind: &str,
    verbs: &[(&str, &'static [&'static str])],
    common: &[&str],
    mistakes: &mut Mistakes,
) -> Option<(&'a str, Section<'a>)> {
    let word = section.need_text("do", mistakes)?;
    let own = as_word(word, kind, verbs, mistakes)?;
    let section = section.called(format!("`{}`", word.value));
    let known: Vec<_> = common.iter().chain(own).copied().collect();
    section.only(&known, mistakes);
    Some((word.value, section))
}

fn step(node: Node<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<StepDraft> {
    let section = Section::of(node, "a step", mistakes)?;
    let (verb, section) = verb(section, "step", words::STEPS, &["do"], mistakes)?;
    let section = &section;
    Some(match verb {
        "connect" => StepDraft::Connect(names.clients(section, mistakes)),
        "disconnect" => StepDraft::Disconnect(names.clients(section, mistakes)),
        "crash" => StepDraft::Crash(names.clients(section, mistakes)),
        "resubscribe" => StepDraft::Resubscribe(names.clients(section, mistakes)),
        "await" => StepDraft::Await(names.clients(section, mistakes)),
        "await-fault" => {
            let fault = section.need_text("fault", mistakes)?;
            StepDraft::AwaitFault(At { value: fault.value.to_owned(), at: fault.at })
        }
        "arm" => StepDraft::Arm(toxics(section, mistakes)?),
        "disarm" => StepDraft::Disarm(toxics(section, mistakes)?),
        "publish" => publish(section, names, mistakes)?,
        "republish" => {
            let (stream, seqs) = stream_and_seqs(section, names, mistakes)?;
            StepDraft::Republish { stream, seqs }
        }
        "conflict" => {
            let (stream, seqs) = stream_and_seqs(section, names, mistakes)?;
            StepDraft::Conflict { stream, seqs }
        }
        "policy" => policy(section, names, mistakes)?,
        "set-cursor" => {
            let client = section.need_text("client", mistakes);
            let client = client.and_then(|client| names.client(client, mistakes));
            let stream = names.need_stream(section, mistakes);
            let to = cursor(section, names, mistakes)?;
            StepDraft::SetCursor { client: client?, stream: stream?, to }
        }
        "server" => {
            section.need("lane", mistakes);
            section.need("action", mistakes);
            let lane = section.word("lane", words::SERVERS, mistakes);
            let action = section.word("action", words::ACTIONS, mistakes);
            StepDraft::Server { lane: lane?, action: moment(section, action?, mistakes) }
        }
        _ => return None,
    })
}

/// What is done to a server, with the moment of a kill.
fn moment(section: &Section<'_>, action: ServerAction, mistakes: &mut Mistakes) -> ServerAction {
    let Some(node) = section.get("when") else {
        return action;
    };
    if action != ServerAction::Kill {
        let hint = "leave it out, or kill the server".to_owned();
        mistakes.local(node.at, "`when` says when a kill falls", hint);
    }
    match section.word("when", words::KILL_TIMES, mistakes) {
        Some(true) if action == ServerAction::Kill => ServerAction::KillAtOnce,
        _ => action,
    }
}

/// The names of toxics; whether there are such is looked up where the script is walked.
fn toxics(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<Vec<At<String>>> {
    let node = section.need("toxics", mistakes)?;
    let names = section.texts("toxics", mistakes);
    if names.is_empty() {
        mistakes.local(node.at, "`toxics` names none", None);
    }
    let name = |name: At<&str>| At { value: name.value.to_owned(), at: name.at };
    Some(names.into_iter().map(name).collect())
}

fn publish(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<StepDraft> {
    let streams = names.streams(section, mistakes);
    let count = match section.get("count") {
        None => Number::Fixed(1),
        Some(node) => {
            let count = number(node, "count", 1, mistakes)?;
            if count.value == Number::Random || matches!(count.value, Number::Fixed(n) if n > MAX_COUNT) {
                let what = format!("`count` is a whole number from 1 to {MAX_COUNT}, or \"each\"");
                mistakes.local(count.at, what, "what is published must not depend on the seed".to_owned());
            }
            count.value
        }
    };
    let spread = section.word("spread", words::SPREADS, mistakes).unwrap_or(Spread::Even);
    let lockstep = section.word("pace", words::PACES, mistakes).unwrap_or(true);
    let too_few = matches!(count, Number::Fixed(count) if count < streams.len() as u64);
    if too_few {
        let what = format!("{} streams can't share fewer events than that", streams.len());
        mistakes.local(section.at, what, "`count` is for all streams together".to_owned());
    }
    (!streams.is_empty() && !too_few).then_some(StepDraft::Publish { streams, count, lockstep, spread })
}

fn stream_and_seqs(
    section: &Section<'_>,
    names: &Names<'_>,
    mistakes: &mut Mistakes,
) -> Option<(usize, Vec<At<Number>>)> {
    let stream = names.need_stream(section, mistakes);
    let node = section.need("seqs", mistakes)?;
    let seqs = numbers(node, "seqs", mistakes);
    for seq in &seqs {
        if seq.value == Number::Random {
            mistakes.local(seq.at, "`seqs` are numbers or \"each\"", None);
        }
    }
    Some((stream?, seqs))
}

fn policy(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<StepDraft> {
    let streams = names.streams(section, mistakes);
    let retention = section.number("retention", 1..=MAX_NUMBER, mistakes);
    let replay_budget = section.number("replay_budget", 0..=MAX_NUMBER, mistakes);
    if !section.has("retention") && !section.has("replay_budget") {
        mistakes.local(section.at, "the policy sets nothing", "add `retention` or `replay_budget`".to_owned());
        return None;
    }
    Some(StepDraft::Policy { streams, retention, replay_budget })
}
