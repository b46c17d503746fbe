//! The most that a scenario's lanes can see, against the least that it asks for.

use super::super::AtLeast;
use super::super::draft::Draft;
use super::super::errors::Mistakes;
use super::super::faults::FaultPosition;
use super::super::script::Case;
use super::world::World;
use crate::ids::LaneId;
use crate::plan::fault::spec::Effect;

/// What the cases can see, lane by lane, all cases together.
#[derive(Debug, Default)]
pub(super) struct Seen {
    deliveries: u64,
    resumes: [u64; 2],
    refusals: [u64; 2],
    faults: [u64; 2],
    /// Whether a step kills, pauses, resumes or restarts a server.
    controls_server: bool,
}

impl Seen {
    pub(super) fn of(controls_server: bool) -> Seen {
        Seen { controls_server, ..Seen::default() }
    }

    /// What is asked for, no more than comes without faults.
    pub(super) fn at_most(&self, asked: &AtLeast) -> AtLeast {
        AtLeast {
            deliveries: asked.deliveries.min(self.deliveries),
            resumes: asked.resumes.min(fewest(self.resumes)),
            refusals: asked.refusals.min(fewest(self.refusals)),
            duplicates: 0,
            faults: None,
        }
    }

    /// The most that each lane can see, the faults apart.
    pub(super) fn most(&self) -> AtLeast {
        let (resumes, refusals) = (fewest(self.resumes), fewest(self.refusals));
        AtLeast { deliveries: self.deliveries, resumes, refusals, ..AtLeast::default() }
    }

    pub(super) fn add(&mut self, world: &World<'_>, case: &Case) {
        self.deliveries += case.deliveries;
        for (index, lane) in LaneId::BOTH.into_iter().enumerate() {
            for (client, entry) in world.draft.clients.iter().enumerate() {
                let streams = entry.value.streams.len() as u64;
                for resume in world.resumes_on(client, lane) {
                    self.resumes[index] += if resume.resumes { streams } else { 0 };
                    self.refusals[index] += u64::from(resume.refused);
                }
            }
            let sure = case.toxics.iter().filter(|toxic| toxic.toxicity >= 1.0);
            let sure = sure.filter(|toxic| toxic.lane.is_none_or(|only| only == lane));
            self.faults[index] += sure.count() as u64;
            for fault in &case.faults {
                if fault.lane.is_none_or(|only| only == lane) {
                    self.faults[index] += 1;
                    self.refusals[index] += u64::from(fault.spec.does(Effect::MovesCursor));
                }
            }
        }
    }
}

fn fewest(counts: [u64; 2]) -> u64 {
    counts[0].min(counts[1])
}

pub(super) fn check(draft: &Draft, seen: &Seen, mistakes: &mut Mistakes) {
    if !mistakes.is_empty() || draft.is_vacuous() {
        return;
    }
    let at = draft.at_least.at;
    let least = &draft.at_least.value;
    let mut refuse = |what: String| mistakes.whole(at, what, "ask for less, or let more happen".to_owned());
    if least.deliveries > seen.deliveries {
        let (asked, most) = (least.deliveries, seen.deliveries);
        refuse(format!("{asked} deliveries are asked for, but {most} events are all that its clients apply"));
    }
    // What makes clients ask again beyond what the steps say can't be counted.
    let does = |effects: &[Effect]| {
        draft.faults.iter().any(|fault| effects.iter().any(|effect| fault.value.spec.does(*effect)))
    };
    let unsteady =
        [Effect::Defect, Effect::Loses, Effect::Displaces, Effect::MovesCursor, Effect::Holds, Effect::Delays];
    let steady = !does(&unsteady)
        && !draft.faults.iter().any(|fault| matches!(fault.value.at.value, FaultPosition::Message(..)))
        && draft.toxics.is_empty()
        && !seen.controls_server;
    if steady && least.resumes > fewest(seen.resumes) {
        let (asked, most) = (least.resumes, fewest(seen.resumes));
        refuse(format!("{asked} resumes are asked for, but at most {most} streams are resumed"));
    }
    if steady && least.refusals > fewest(seen.refusals) {
        let (asked, most) = (least.refusals, fewest(seen.refusals));
        refuse(format!("{asked} refusals are asked for, but at most {most} resumes are refused"));
    }
    if least.duplicates > 0 && !does(&[Effect::Repeats, Effect::MovesCursor]) {
        refuse("duplicates are asked for, but nothing makes every lane repeat itself".to_owned());
    }
    if let Some(asked) = least.faults
        && asked > fewest(seen.faults)
    {
        let most = fewest(seen.faults);
        refuse(format!("{asked} faults are asked for on each lane, but one lane has {most}"));
    }
}
