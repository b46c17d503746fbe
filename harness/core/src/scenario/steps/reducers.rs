//! `reducers`: the reducers that no client calls, by scripts whose answers are known.

use super::super::read::as_word;
use super::prelude::*;
use crate::ids::LaneId;
use crate::matrix::Part;
use crate::plan::{Act, SCRIPTS, Script};

pub(super) const KIND: StepKind = StepKind {
    name: "reducers",
    keys: &["stream", "scripts"],
    what: "on a lane with reducers: calls those that no client calls, and reads what is stored after them. Each \
           script has calls that are done, repeated, in conflict and illegal. All scripts, or those of `scripts`; \
           each once for `stream`",
    read,
};

#[derive(Debug)]
struct Reducers {
    stream: usize,
    scripts: Vec<&'static Script>,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let known: Vec<_> = SCRIPTS.iter().map(|script| (script.word, script)).collect();
    let stream = names.need_stream(section, mistakes);
    let words = section.texts("scripts", mistakes);
    let named: Option<Vec<_>> = words.into_iter().map(|word| as_word(word, "scripts", &known, mistakes)).collect();
    let scripts = if section.has("scripts") { named? } else { SCRIPTS.iter().collect() };
    Some(Box::new(Reducers { stream: stream?, scripts }))
}

impl Step for Reducers {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("a call of a reducer");
        if rehearsal.world.mirror.is_some() {
            rehearsal.refuse("the scripts of reducers use the outbox, and so does the bridge", "leave one of them out");
        }
        if SCRIPTS.iter().all(|script| self.scripts.contains(&script)) {
            rehearsal.world.earn(Some(LaneId::Candidate), [Part::CallsRepeated, Part::CallsRefused]);
        }
        for script in &self.scripts {
            if !rehearsal.world.scripts.insert((self.stream, script.word)) {
                return rehearsal.refuse(format!("`{}` was done for this stream before", script.word), None);
            }
            for act in script.acts {
                let stream = rehearsal.world.stream_ids[self.stream].clone();
                rehearsal.then(move |planner| {
                    let (op, stream) = (planner.op(), stream.clone());
                    planner.push(match act {
                        Act::Call { reducer, args, refused } => plan::Step::Call {
                            op,
                            stream,
                            reducer: (*reducer).to_owned(),
                            args: (*args).to_owned(),
                            refused: refused.map(str::to_owned),
                        },
                        Act::Rows { query, rows } => {
                            plan::Step::Rows { op, stream, query: (*query).to_owned(), rows: (*rows).to_owned() }
                        }
                    });
                });
            }
        }
    }
}
