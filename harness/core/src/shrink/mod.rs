//! Makes a failing scenario smaller, as long as it still fails. Pure: it proposes texts, and the caller drives them.
//!
//! [`Shrink`] goes over all moves again and again, the greatest first, until none of them leaves a scenario that
//! still fails: so no step, fault, client, stream or key of the result can go alone. What the reader or the rehearsal
//! refuses is never driven: it is mended first by what stands on the refused lines. It works on any scenario file.
#![allow(missing_docs, reason = "the names say it")]

mod moves;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeSet;

use crate::check::Finding;
use crate::ids::{LaneId, Seed};
use crate::scenario::{Scenario, ScenarioErrors};
use moves::{Move, moves};
use tree::{Size, Tree, print};

/// So many lines that the rehearsal refuses are taken out of one proposal.
const MENDS: usize = 24;

/// A finding that must come again: same checker, same reason, same lane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    pub lane: Option<LaneId>,
    pub checker: &'static str,
    pub reason: &'static str,
}

impl Wanted {
    pub fn of(finding: &Finding) -> Wanted {
        Wanted { lane: finding.lane, checker: finding.checker, reason: finding.reason.word }
    }

    /// A name for the file of what gives this finding.
    pub fn name(&self) -> String {
        let lane = self.lane.map_or("both", |lane| lane.as_str());
        format!("{}-{}-{lane}", self.checker, self.reason)
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lane = self.lane.map_or("both lanes", |lane| lane.as_str());
        write!(f, "{} {} ({lane})", self.checker, self.reason)
    }
}

/// What the file of a found scenario says of the search.
#[derive(Debug, Clone)]
pub struct Origin {
    pub name: String,
    pub seed: Seed,
    pub wanted: Wanted,
    /// The defects that were planted in the legacy server and in the module.
    pub planted: [Vec<String>; 2],
}

/// A scenario that may be small enough to be kept, if it fails.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub text: String,
    pub scenario: Scenario,
    tree: Tree,
    size: Size,
    /// The place after its move.
    next: usize,
}

pub struct Shrink {
    best: Proposal,
    /// What was proposed before. A text that failed once is not driven again.
    seen: BTreeSet<String>,
    proposed: Vec<Proposal>,
    /// The place among the moves of the best.
    next: usize,
    /// Whether this round over the moves made it smaller.
    gained: bool,
    pub trials: usize,
    limit: usize,
}

impl Shrink {
    /// Begins with a scenario that fails. `limit` bounds the number of proposals.
    ///
    /// # Errors
    /// A file that is no scenario, or a known-bad one, which says itself what it must give.
    pub fn new(path: &str, text: &str, origin: &Origin, limit: usize) -> Result<Shrink, ScenarioErrors> {
        Scenario::parse(path, text)?;
        let mut tree = Tree::parse(text).unwrap_or(Tree::Table(Vec::new()));
        tree.remove("proves");
        let Wanted { checker, reason, .. } = origin.wanted;
        tree.set("name", Tree::Text(origin.name.clone()));
        tree.set("title", Tree::Text(format!("A search found {}", origin.wanted)));
        tree.set("seed", Tree::Whole(i64::try_from(origin.seed.0).unwrap_or_default()));
        let mut found = Tree::Table(Vec::new());
        found.set("checker", Tree::Text(checker.to_owned()));
        found.set("reason", Tree::Text(reason.to_owned()));
        if let Some(lane) = origin.wanted.lane {
            found.set("lane", Tree::Text(lane.as_str().to_owned()));
        }
        for (key, defects) in ["legacy_defects", "candidate_defects"].into_iter().zip(&origin.planted) {
            if !defects.is_empty() {
                found.set(key, Tree::List(defects.iter().cloned().map(Tree::Text).collect()));
            }
        }
        tree.set("found", found);
        let text = print(&tree).text;
        let scenario = Scenario::parse(&path_of(&origin.name), &text)?;
        let size = tree.size();
        let best = Proposal { text, scenario, tree, size, next: 0 };
        let seen = BTreeSet::from([best.text.clone()]);
        Ok(Shrink { best, seen, proposed: Vec::new(), next: 0, gained: false, trials: 0, limit })
    }

    /// The smallest that is known to fail.
    pub fn best(&self) -> &Proposal {
        &self.best
    }

    /// The file of the smallest, with how often the finding came.
    pub fn file(&self, came: &str) -> String {
        let mut tree = self.best.tree.clone();
        if let Some(mut found) = tree.get("found").cloned() {
            found.set("came", Tree::Text(came.to_owned()));
            tree.set("found", found);
        }
        print(&tree).text
    }

    /// Up to so many proposals, to be driven side by side; none where nothing is left to try.
    pub fn propose(&mut self, at_once: usize) -> Vec<Proposal> {
        let at_once = at_once.min(self.limit.saturating_sub(self.trials));
        self.proposed.clear();
        while self.proposed.len() < at_once {
            let moves = moves(&self.best.tree);
            while self.proposed.len() < at_once
                && let Some(one) = moves.get(self.next)
            {
                self.next += 1;
                let proposal = self.proposal(one);
                self.proposed.extend(proposal);
            }
            if self.next < moves.len() || !self.proposed.is_empty() || !std::mem::take(&mut self.gained) {
                break;
            }
            self.next = 0;
        }
        self.trials += self.proposed.len();
        self.proposed.clone()
    }

    /// Takes in which of the proposals failed. The smallest of those is the new best.
    pub fn answer(&mut self, failed: &[bool]) {
        let proposed = std::mem::take(&mut self.proposed);
        let failing = proposed.into_iter().zip(failed).filter(|(_, failed)| **failed).map(|(proposal, _)| proposal);
        if let Some(best) = failing.min_by_key(|proposal| proposal.size) {
            // What stands behind a part that went has its place now.
            self.next = best.next - 1;
            self.best = best;
            self.gained = true;
        }
    }

    fn proposal(&mut self, one: &Move) -> Option<Proposal> {
        let (tree, scenario) = mended(one.applied(&self.best.tree)?, &self.best.scenario.name)?;
        let (text, size) = (print(&tree).text, tree.size());
        let is_new = size < self.best.size && self.seen.insert(text.clone());
        is_new.then_some(Proposal { text, scenario, tree, size, next: self.next })
    }
}

/// How many steps a scenario file has.
pub fn steps_of(text: &str) -> usize {
    let tree = Tree::parse(text);
    tree.as_ref().and_then(|tree| tree.get("steps")?.list()).map_or(0, <[Tree]>::len)
}

/// Takes out what the reader or the rehearsal refuses, until they accept the rest.
fn mended(mut tree: Tree, name: &str) -> Option<(Tree, Scenario)> {
    for _ in 0..MENDS {
        let printed = print(&tree);
        let errors = match Scenario::parse(&path_of(name), &printed.text) {
            Ok(scenario) => return Some((tree, scenario)),
            Err(errors) => errors.errors,
        };
        // The last first: what comes before it may be all right without it.
        let line = errors.last()?.line;
        let (entry, member) = (*printed.lines.get(line - 1)?)?;
        let is_asked = tree.table()?.get(entry)?.0 == "at_least";
        let least = || Tree::Table(vec![("deliveries".to_owned(), Tree::Whole(1))]);
        match member {
            Some(member) => tree = Move::Drop { list: vec![entry], from: member, count: 1 }.applied(&tree)?,
            None if is_asked && tree.get("at_least") != Some(&least()) => tree.set("at_least", least()),
            None => return None,
        }
    }
    None
}

/// Where the file of a found scenario is, for messages.
fn path_of(name: &str) -> String {
    format!("scenarios/found/{name}.toml")
}
