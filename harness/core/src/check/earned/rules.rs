//! What a lane's history shows of the row `reducer-rules`.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::history::{Completion, Outcome};
use crate::ids::{OpId, StreamId};
use crate::matrix::{Part, WRITERS};
use crate::plan::{NextSeq, Plan, PublishExpect, REDUCERS, Step};

#[derive(Default)]
pub(super) struct Rules<'a> {
    steps: HashMap<OpId, &'a Step>,
    done: HashSet<(&'a str, &'a str)>,
    repeated: HashSet<&'a str>,
    refused: HashSet<&'a str>,
    heads: HashMap<&'a StreamId, u64>,
    together: HashMap<OpId, BTreeSet<u64>>,
    right_seq: bool,
    wrong_seq: bool,
    stale_seq: bool,
    earned: BTreeSet<Part>,
}

impl<'a> Rules<'a> {
    pub(super) fn of(plan: &'a Plan) -> Rules<'a> {
        let steps = plan.cases.iter().flat_map(|case| &case.steps);
        let op = |step: &'a Step| match step {
            Step::Publish { op, .. } | Step::Call { op, .. } | Step::Checkpoint { op, .. } => Some((*op, step)),
            _ => None,
        };
        Rules { steps: steps.filter_map(op).collect(), ..Rules::default() }
    }

    pub(super) fn completed(&mut self, op: OpId, completion: &Completion) {
        let code = match completion {
            Completion::Fail { refusal } => Some(refusal.code.as_str()),
            _ => None,
        };
        let done = matches!(completion, Completion::Ok { outcome: Outcome::Done });
        match self.steps.get(&op) {
            Some(Step::Call { reducer, args, refused: None, .. }) if done => {
                let is_first = self.done.insert((reducer, args));
                self.repeated.extend((!is_first).then_some(reducer.as_str()));
            }
            Some(Step::Call { reducer, refused: Some(refused), .. }) if code == Some(refused) => {
                self.refused.insert(reducer);
            }
            Some(Step::Checkpoint { refused: Some(refused), .. }) if code == Some(refused) => {
                self.earned.extend((refused == "checkpoint_conflict").then_some(Part::CheckpointBack));
            }
            Some(step @ Step::Publish { .. }) => self.published(step, completion),
            _ => {}
        }
    }

    fn published(&mut self, step: &'a Step, completion: &Completion) {
        let Step::Publish { stream, claims, together, expect, .. } = step else { return };
        let head = self.heads.entry(stream).or_default();
        match (completion, expect) {
            (Completion::Ok { outcome: Outcome::Published { seq, .. } }, PublishExpect::Accepted { .. }) => {
                self.right_seq |= claims.next_seq == Some(NextSeq::Right) && seq.0 == *head + 1;
                *head = seq.0.max(*head);
                if let Some(group) = together {
                    self.together.entry(*group).or_default().insert(seq.0);
                }
            }
            (Completion::Fail { refusal }, PublishExpect::Refused { code }) if refusal.code == *code => {
                if let (Some(NextSeq::Is(expected)), "sequence_conflict") = (claims.next_seq, code.as_str()) {
                    self.wrong_seq |= expected > *head + 1;
                    self.stale_seq |= expected <= *head;
                }
                self.earned.extend((code == "payload_hash_mismatch").then_some(Part::HashRefused));
            }
            _ => {}
        }
    }

    pub(super) fn finish(mut self) -> BTreeSet<Part> {
        let of_each = |called: &HashSet<&str>| REDUCERS.iter().all(|reducer| called.contains(reducer));
        let shown = [
            (of_each(&self.repeated), Part::CallsRepeated),
            (of_each(&self.refused), Part::CallsRefused),
            (self.together.values().any(|seqs| seqs.len() as u64 >= WRITERS), Part::WritersTogether),
            (self.right_seq && self.wrong_seq && self.stale_seq, Part::SeqExpected),
        ];
        self.earned.extend(shown.into_iter().filter(|(shown, _)| *shown).map(|(_, part)| part));
        self.earned
    }
}
