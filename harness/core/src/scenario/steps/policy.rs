//! `policy`: the writer changes the policy of streams.

use super::super::names::MAX_NUMBER;
use super::prelude::*;

pub(super) const KIND: StepKind = StepKind {
    name: "policy",
    keys: &["stream", "streams", "retention", "replay_budget"],
    what: "the policy of `stream`, or of `streams`, changes",
    read,
};

#[derive(Debug)]
struct Policy {
    streams: Vec<usize>,
    retention: Option<u64>,
    replay_budget: Option<u64>,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let streams = names.streams(section, mistakes);
    let retention = section.number("retention", 1..=MAX_NUMBER, mistakes);
    let replay_budget = section.number("replay_budget", 0..=MAX_NUMBER, mistakes);
    if !section.has("retention") && !section.has("replay_budget") {
        mistakes.local(section.at, "the policy sets nothing", "add `retention` or `replay_budget`".to_owned());
        return None;
    }
    Some(Box::new(Policy { streams, retention, replay_budget }))
}

impl Step for Policy {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("setting a policy");
        let (retention, replay_budget) = (self.retention, self.replay_budget);
        for &index in &self.streams {
            rehearsal.world.streams[index].set_policy(retention, replay_budget);
            let stream = rehearsal.world.stream_ids[index].clone();
            rehearsal.then(move |planner| {
                let op = planner.op();
                planner.push(plan::Step::Policy { op, stream: stream.clone(), retention, replay_budget });
            });
        }
    }
}
