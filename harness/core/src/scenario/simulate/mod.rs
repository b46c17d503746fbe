//! Rehearses a scenario case by case, as if nothing went wrong. What can't happen is refused at its line, and what is
//! named by word (`below-floor`, `each`) becomes a number. No chance is spent here: the rehearsal is the same for every
//! seed.

mod apart;
mod bounds;
pub(super) mod faults;
mod messages;
mod settings;
mod toxics;

use std::collections::{BTreeMap, BTreeSet};

use super::cast::{Client, Stream};
use super::claims::{self, Parts};
use super::draft::{Binding, Draft};
use super::errors::Mistakes;
use super::faults::Target;
use super::rehearsal::{Steps, rehearse};
use super::script::Case;
use super::world::World;
use super::{AtLeast, cursor, slow, world};
use crate::ids::{FaultId, LaneId};
use crate::plan::Programs;
use crate::plan::fault::spec::Effect;
use crate::topic;

/// The most events that a scenario publishes, all cases together.
const MAX_EVENTS: u64 = 100_000;

/// Rehearses every case, and checks what the scenario claims and asks for. The cases are complete where no mistake was
/// added. With them comes the most that each lane can see, and the parts of the matrix.
pub(super) fn cases(draft: &Draft, steps: &Steps, mistakes: &mut Mistakes) -> (Vec<Case>, AtLeast, Parts) {
    expandable(draft, steps, mistakes);
    planted(draft, steps, mistakes);
    let (cases, seen, earned) = rehearse_all(draft, steps, mistakes);
    bounds::check(draft, &seen, mistakes);
    claims::check(draft, &earned, mistakes);
    (cases, seen.most(), earned)
}

/// The cases without faults, and the least that they must still see: what only a fault brings is not asked for.
pub(super) fn cases_without_faults(draft: &Draft, steps: &Steps) -> (Vec<Case>, AtLeast) {
    // What was without a mistake with its faults has none without them.
    let (cases, seen, _) = rehearse_all(draft, steps, &mut Mistakes::default());
    (cases, seen.at_most(&draft.at_least.value))
}

fn rehearse_all(draft: &Draft, steps: &Steps, mistakes: &mut Mistakes) -> (Vec<Case>, bounds::Seen, Parts) {
    let (mut cases, mut events) = (Vec::new(), 0);
    let mut earned = Parts::from(LaneId::BOTH.map(|lane| (lane, BTreeSet::new())));
    let mut seen = bounds::Seen::of(steps.iter().any(|step| step.value.controls_server()));
    let armed_later = |name: &str| steps.iter().any(|step| step.value.arms(name));
    let armed: Vec<_> = draft.toxics.iter().map(|toxic| !armed_later(&toxic.value.name)).collect();
    for binding in &draft.bindings {
        let Some((streams, clients)) = cast(draft, binding, mistakes) else {
            break;
        };
        let mut world = World::new(draft, binding, (&streams, &clients), armed.clone());
        let acts = rehearse(steps, &mut world, mistakes);
        let faults = faults::faults(&world, mistakes);
        let toxics = toxics::toxics(&world, &clients, mistakes);
        let mut fault_ids = BTreeMap::<String, Vec<FaultId>>::new();
        for (index, fault) in &faults {
            let named = draft.faults[*index].value.name.clone();
            fault_ids.entry(named).or_default().push(FaultId::new(&fault.name));
        }
        for (index, toxic) in &toxics {
            fault_ids.entry(draft.toxics[*index].value.name.clone()).or_default().push(toxic.id.clone());
        }
        let case = Case {
            name: binding.case_name(),
            streams,
            clients,
            acts,
            deliveries: world.deliveries(),
            faults: faults.into_iter().map(|(_, fault)| fault).collect(),
            toxics: toxics.into_iter().map(|(_, toxic)| toxic).collect(),
            fault_ids,
        };
        seen.add(&world, &case);
        claims::earn(&mut world, &case);
        slow::earn(&mut world);
        for (lane, parts) in world.earned() {
            earned.entry(lane).or_default().extend(parts);
        }
        events += world.events();
        if events > MAX_EVENTS {
            mistakes.once(0, format!("the scenario publishes more than {MAX_EVENTS} events"), None);
            break;
        }
        cases.push(case);
    }
    (cases, seen, earned)
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
    match world.binding.case_name().as_str() {
        "main" => name,
        case => format!("{name}@{case}"),
    }
}

fn cast(draft: &Draft, binding: &Binding, mistakes: &mut Mistakes) -> Option<(Vec<Stream>, Vec<Client>)> {
    let mut streams: Vec<_> = draft.streams.iter().map(|stream| stream.value.clone()).collect();
    let mut clients: Vec<_> = draft.clients.iter().map(|client| client.value.clone()).collect();
    if draft.expand.is_none() {
        return Some((streams, clients));
    }
    let name = binding.case_name();
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
fn expandable(draft: &Draft, steps: &Steps, mistakes: &mut Mistakes) {
    let Some(expand) = draft.expand else {
        return;
    };
    for step in steps.iter().filter(|step| step.value.controls_server()) {
        let hint = "leave out `expand`, or the server step".to_owned();
        mistakes.once(step.at, "cases run side by side on one server, so none of them can stop it", hint);
    }
    if draft.bridge.is_some() {
        mistakes.once(expand.at, "cases run side by side, and there is one bridge", "leave out `expand`".to_owned());
    }
    if steps.is_empty() {
        mistakes.once(expand.at, "there is nothing to expand", None);
    }
}

/// A defect is planted where one is expected, and nowhere else.
fn planted(draft: &Draft, steps: &Steps, mistakes: &mut Mistakes) {
    let step = steps.iter().find_map(|step| step.value.plants().map(|lanes| (step.at, lanes)));
    let has_defect = |programs: &Programs| programs.defect.is_some();
    let plants = |client: &Client| client.passes_off || client.programs.as_ref().is_some_and(has_defect);
    let client = draft.clients.iter().find(|client| plants(&client.value));
    let mutation = draft.faults.iter().find(|fault| fault.value.spec.does(Effect::Defect));
    let keeps_away = draft.faults.iter().find(|fault| draft.keeps_away(&fault.value));
    let of_bridge = draft.bridge.as_ref().map_or(&[] as &[String], |bridge| &bridge.defects);
    let keys = [
        ("legacy_defects", draft.legacy_defects.as_slice()),
        ("candidate_defects", &draft.candidate_defects),
        ("defects", of_bridge),
    ];
    let planting = keys.into_iter().find(|(_, defects)| !defects.is_empty()).map(|(key, _)| key);
    match &draft.expect {
        Some(expect) => {
            let planted = step.is_some()
                || client.is_some()
                || mutation.is_some()
                || draft.clients.iter().any(|client| client.value.programs.is_some())
                || !draft.faults_whole
                || planting.is_some()
                || draft.is_vacuous()
                || draft.slows_a_lane()
                || keeps_away.is_some();
            if !planted {
                let hint =
                    "add `legacy_defects`, `candidate_defects` or a fault such as drop-event; where `latency` or \
                            `recovery` is expected, a toxic of one lane is a defect"
                        .to_owned();
                mistakes.whole(expect.at, "findings are expected, but no defect is planted", hint);
            }
        }
        None => {
            let hint = || "say which findings it must give: expect = { decision = \"block\", .. }".to_owned();
            if let Some(fault) = mutation {
                mistakes.whole(fault.at, "the fault plants a defect, but no finding is expected", hint());
            }
            if let Some(fault) = keeps_away {
                let what = "a client of this habit does not come back after this close, but no finding is expected";
                mistakes.whole(fault.at, what, hint());
            }
            if let Some(client) = client {
                mistakes.whole(client.at, "the client plants a defect, but no finding is expected", hint());
            }
            if let Some((at, _)) = step {
                mistakes.whole(at, "the step plants a defect, but no finding is expected", hint());
            }
            if let Some(key) = planting {
                mistakes.whole(0, format!("`{key}` are planted, but no finding is expected"), hint());
            }
        }
    }
    if let Some((at, None)) = step {
        mistakes.whole(at, "a defect is planted in one lane", "add lane = \"candidate\"".to_owned());
    }
    if let Some(fault) =
        draft.faults.iter().find(|fault| fault.value.spec.does(Effect::Defect) && fault.value.lane.is_none())
    {
        mistakes.whole(fault.at, "a defect is planted in one lane", "add lane = \"candidate\"".to_owned());
    }
}
