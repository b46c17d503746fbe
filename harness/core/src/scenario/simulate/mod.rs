//! Walks through a scenario's steps case by case, as if nothing went wrong, so that what can't happen is refused at its
//! line and what is named by word (`below-floor`, `each`) becomes a number. No chance is spent here: whatever the seed,
//! the same script is walked.

mod apart;
mod bounds;
mod cursor;
mod faults;
mod messages;
mod settings;
mod toxics;
mod walk;
mod world;

use super::AtLeast;
use super::draft::{Binding, Draft};
use super::errors::Mistakes;
use super::faults::Target;
use super::script::{Case, Client, Stream};
use crate::plan::fault::spec::Effect;
use crate::topic;
use world::World;

/// The most events that a scenario publishes, all cases together.
const MAX_EVENTS: u64 = 20_000;

/// Walks every case. What comes back is whole where no mistake was added.
pub(super) fn cases(draft: &Draft, mistakes: &mut Mistakes) -> Vec<Case> {
    expandable(draft, mistakes);
    planted(draft, mistakes);
    let (cases, seen) = walk_all(draft, mistakes);
    bounds::check(draft, &seen, mistakes);
    cases
}

/// The cases where nothing goes wrong, and the least that they must still see: what only a fault brings is not asked
/// for.
pub(super) fn cases_without_faults(draft: &Draft) -> (Vec<Case>, AtLeast) {
    // What was without a mistake with its faults has none without them.
    let (cases, seen) = walk_all(draft, &mut Mistakes::default());
    (cases, seen.at_most(&draft.at_least.value))
}

fn walk_all(draft: &Draft, mistakes: &mut Mistakes) -> (Vec<Case>, bounds::Seen) {
    let mut cases = Vec::new();
    let mut seen = bounds::Seen::default();
    let mut events = 0;
    for binding in &draft.bindings {
        let Some((streams, clients)) = cast(draft, binding, mistakes) else {
            return (cases, seen);
        };
        let mut world = World::new(draft, binding);
        let steps = walk::steps(&mut world, mistakes);
        let faults = faults::faults(&world, mistakes);
        let toxics = toxics::toxics(&world, &clients, mistakes);
        let steps = faults::with_faults(steps, &faults, &toxics);
        let case = Case {
            name: case_name(binding),
            streams,
            clients,
            steps,
            deliveries: world.deliveries(),
            faults: faults.into_iter().map(|(_, fault)| fault).collect(),
            toxics: toxics.into_iter().map(|(_, toxic)| toxic).collect(),
        };
        seen.add(&world, &case);
        events += world.events();
        if events > MAX_EVENTS {
            mistakes.once(0, format!("the scenario publishes more than {MAX_EVENTS} events"), None);
            return (cases, seen);
        }
        cases.push(case);
    }
    (cases, seen)
}

/// What is the case's own is told apart by this.
fn case_name(binding: &Binding) -> String {
    let mut parts = Vec::new();
    parts.extend(binding.position.map(|position| format!("p{position}")));
    parts.extend([binding.how, binding.when].into_iter().flatten().map(str::to_owned));
    if parts.is_empty() { "main".to_owned() } else { parts.join("-") }
}

/// `cut-1`, or `cut-1.desk.3` if it has several targets and positions, or `cut-1@p5-before` in a case.
fn name_of(world: &World<'_>, entry: &str, target: Target, several: bool, nth: Option<usize>) -> String {
    let mut name = entry.to_owned();
    if let (Target::Client(client), true) = (target, several) {
        name = format!("{name}.{}", world.draft.clients[client].value.name);
    }
    if let Some(nth) = nth {
        name = format!("{name}.{nth}");
    }
    match case_name(world.binding).as_str() {
        "main" => name,
        case => format!("{name}@{case}"),
    }
}

/// The streams and clients of a case, under names of their own.
fn cast(draft: &Draft, binding: &Binding, mistakes: &mut Mistakes) -> Option<(Vec<Stream>, Vec<Client>)> {
    let mut streams: Vec<_> = draft.streams.iter().map(|stream| stream.value.clone()).collect();
    let mut clients: Vec<_> = draft.clients.iter().map(|client| client.value.clone()).collect();
    if draft.expand.is_none() {
        return Some((streams, clients));
    }
    let name = case_name(binding);
    for (stream, at) in streams.iter_mut().zip(draft.streams.iter().map(|stream| stream.at)) {
        let Some(scoped) = topic::scoped(&stream.topic, &name) else {
            let what = format!("`{}` has no id, so cases can't each have a copy of it", stream.topic);
            mistakes.once(at, what, "leave out `expand`, or use a topic with an id".to_owned());
            return None;
        };
        stream.topic = scoped;
    }
    for client in &mut clients {
        client.name = format!("{}-{name}", client.name);
    }
    Some((streams, clients))
}

/// A scenario that is expanded must use what it is expanded over, and has no servers of its own to kill.
fn expandable(draft: &Draft, mistakes: &mut Mistakes) {
    let Some(expand) = draft.expand else {
        return;
    };
    for step in &draft.steps {
        if matches!(step.value, super::draft::StepDraft::Server { .. }) {
            let hint = "leave out `expand`, or the server step".to_owned();
            mistakes.once(step.at, "cases run side by side on one server, so none of them can stop it", hint);
        }
    }
    if draft.steps.is_empty() {
        mistakes.once(expand.at, "there is nothing to expand", None);
    }
}

/// A defect is planted where one is expected, and nowhere else.
fn planted(draft: &Draft, mistakes: &mut Mistakes) {
    let mutation = draft.faults.iter().find(|fault| fault.value.spec.does(Effect::Defect));
    match &draft.expect {
        Some(expect) => {
            let planted =
                mutation.is_some() || !draft.faults_whole || !draft.legacy_defects.is_empty() || draft.is_vacuous();
            if !planted {
                let hint = "add `legacy_defects` or a fault such as drop-event".to_owned();
                mistakes.whole(expect.at, "findings are expected, but no defect is planted", hint);
            }
        }
        None => {
            let hint = || "say which findings it must give: expect = { decision = \"block\", .. }".to_owned();
            if let Some(fault) = mutation {
                mistakes.whole(fault.at, "the fault plants a defect, but no finding is expected", hint());
            }
            if !draft.legacy_defects.is_empty() {
                mistakes.whole(0, "`legacy_defects` are planted, but no finding is expected", hint());
            }
        }
    }
    if let Some(fault) =
        draft.faults.iter().find(|fault| fault.value.spec.does(Effect::Defect) && fault.value.lane.is_none())
    {
        mistakes.whole(fault.at, "a defect is planted in one lane", "add lane = \"candidate\"".to_owned());
    }
}
