//! Scenarios, written in TOML. Each shows one property. They are read, rehearsed, and compiled with a seed into a plan.
//! All mistakes of a file are reported at once, with file, line, column and hint.
//!
//! [`Scenario::parse`] reads and rehearses a file. Its result holds no chance and no payload: [`compile`] adds those.
#![allow(missing_docs, reason = "the names say it")]

mod cast;
mod claims;
mod compile;
mod cursor;
mod decode;
mod draft;
mod errors;
mod faults;
mod mirror;
mod names;
mod numbers;
mod open;
pub mod pattern;
mod read;
mod rehearsal;
mod rights;
mod script;
mod simulate;
mod slow;
mod steps;
mod stock;
#[cfg(test)]
mod tests;
pub mod words;
mod world;

pub use compile::compile;
pub(crate) use compile::keys::can_join;
pub(crate) use errors::{Mistakes, did_you_mean};
pub use errors::{ScenarioError, ScenarioErrors};
pub(crate) use read::{At, Node, Section, as_truth, known_texts, parse_toml};
pub use stock::{SCHEMA, stock};

use std::collections::{BTreeMap, BTreeSet};

use crate::hash::sha256;
use crate::ids::{LaneId, Seed};
use crate::matrix::Part;
use crate::plan::{Bridge, Window};
use draft::Draft;
use rehearsal::Steps;
use script::Case;

/// The largest scenario file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;

#[derive(Debug, Clone)]
pub struct Scenario {
    /// Also the stem of its file.
    pub name: String,
    pub title: String,
    /// The rows of the verification matrix that it proves, sorted.
    pub proves: Vec<String>,
    /// Defects of the reference legacy server that it plants, sorted.
    pub legacy_defects: Vec<String>,
    /// Defects of the SpacetimeDB module that it plants, sorted.
    pub candidate_defects: Vec<String>,
    pub converge_within_ms: u64,
    pub backoff: Backoff,
    /// Which clients each lane lets in; `None` is everybody.
    pub window: Option<Window>,
    /// The bridge to a relay, with its planted defects.
    pub bridge: Option<Bridge>,
    pub(crate) identities: Vec<cast::Identity>,
    pub(crate) cases: Vec<Case>,
    pub at_least: AtLeast,
    /// The most that each lane can see where nothing goes wrong.
    pub(crate) most: AtLeast,
    /// The parts of the matrix that the script can let each lane see.
    pub earns: BTreeMap<LaneId, BTreeSet<Part>>,
    /// The findings that it must give, or `None` where it must be allowed.
    pub expect: Option<Expect>,
    /// The seed of its random choices, whatever the seed of the run is.
    pub seed: Option<Seed>,
    /// What it gave when a search found it.
    pub found: Option<Found>,
    /// `sha256:` of the file's bytes.
    pub digest: String,
}

/// Exponential backoff with full jitter: before the nth reconnect in a row a client waits up to `base_ms` doubled n
/// times, but never more than `cap_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pub base_ms: u64,
    pub cap_ms: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { base_ms: 20, cap_ms: 400 }
    }
}

/// The least that each lane must see, see [`crate::plan::AtLeast`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AtLeast {
    pub deliveries: u64,
    pub resumes: u64,
    pub refusals: u64,
    pub duplicates: u64,
    /// Where it is left out: as many as apply to the lane with the fewest.
    pub faults: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// Checkers, sorted.
    pub findings: Vec<String>,
    pub lane: LaneId,
    at: usize,
}

/// A finding that a search made with a scenario. The gate does not ask for it: once the lane is right, the scenario
/// passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub checker: String,
    pub reason: String,
    /// `None` where it is on no one lane.
    pub lane: Option<LaneId>,
    /// How often it came, as `3 of 3`.
    pub came: Option<String>,
    /// The planted defects with which it came, where there were some.
    pub legacy_defects: Vec<String>,
    pub candidate_defects: Vec<String>,
}

impl Scenario {
    /// Reads a scenario without its faults and toxics, and without the steps that need them. It asks for nothing that
    /// only they bring, and proves no row. It shows that the scenario passes without them.
    ///
    /// # Errors
    /// Every mistake of the file, those of its faults among them.
    pub fn parse_without_faults(path: &str, text: &str) -> Result<Scenario, ScenarioErrors> {
        let mut scenario = Scenario::parse(path, text)?;
        let mut mistakes = Mistakes::default();
        // The draft was not kept, so the file is read again. All its mistakes were reported before.
        if let Some((mut draft, mut steps)) = draft(path, text, &mut mistakes) {
            draft.faults.clear();
            draft.toxics.clear();
            steps.retain(|step| !step.value.needs_faults());
            let (cases, at_least) = simulate::cases_without_faults(&draft, &steps);
            scenario.cases = cases;
            scenario.at_least = at_least;
        }
        scenario.proves.clear();
        Ok(scenario)
    }

    /// Reads a scenario. `path` names the file in messages. Its stem must be the scenario's name.
    ///
    /// # Errors
    /// Every mistake of the file, in the order of their positions.
    pub fn parse(path: &str, text: &str) -> Result<Scenario, ScenarioErrors> {
        let mut mistakes = Mistakes::default();
        let scenario = read(path, text, &mut mistakes);
        match (scenario, mistakes.into_errors(path, text)) {
            (_, Some(errors)) => Err(errors),
            (Some(scenario), None) => Ok(scenario),
            (None, None) => Err(ScenarioErrors {
                errors: vec![ScenarioError {
                    path: path.to_owned(),
                    line: 1,
                    column: 1,
                    what: "this is no scenario".to_owned(),
                    hint: None,
                }],
            }),
        }
    }
}

/// The word of each step.
pub fn step_words() -> Vec<&'static str> {
    steps::KINDS.iter().map(|kind| kind.name).collect()
}

/// The lines of a file that are not TOML, with their positions; `None` where all of it can be read.
pub fn syntax_errors(path: &str, text: &str) -> Option<ScenarioErrors> {
    let mut mistakes = Mistakes::default();
    read::parse_toml(text, &mut mistakes);
    mistakes.into_errors(path, text)
}

/// The line and column, both from 1, of the value of a key in a TOML text. Dots lead into tables.
pub fn position_of(text: &str, key: &str) -> Option<(usize, usize)> {
    Some(errors::Lines::of(text).at(read::offset_of(text, key)?))
}

/// Reads many files, as `(path, text)`.
///
/// # Errors
/// All mistakes of all files, in the order of the files. Two scenarios of the same name are a mistake too.
pub fn load(files: &[(&str, &str)]) -> Result<Vec<Scenario>, ScenarioErrors> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut path_of: BTreeMap<String, &str> = BTreeMap::new();
    let mut errors = Vec::new();
    for (path, text) in files {
        match Scenario::parse(path, text) {
            Err(more) => errors.extend(more.errors),
            Ok(scenario) => match path_of.insert(scenario.name.clone(), path) {
                None => scenarios.push(scenario),
                Some(first) => errors.push(ScenarioError {
                    path: (*path).to_owned(),
                    line: 1,
                    column: 1,
                    what: format!("{first} holds a scenario `{}` too", scenario.name),
                    hint: Some("rename one of them, file and name".to_owned()),
                }),
            },
        }
    }
    if errors.is_empty() { Ok(scenarios) } else { Err(ScenarioErrors { errors }) }
}

/// The file as it was read; nothing where a part that the rehearsal needs could not be read.
fn draft(path: &str, text: &str, mistakes: &mut Mistakes) -> Option<(Draft, Steps)> {
    if text.len() > MAX_FILE_BYTES {
        let what = format!("a scenario is at most {MAX_FILE_BYTES} bytes, but this is {}", text.len());
        mistakes.local(0, what, None);
        return None;
    }
    let document = read::parse_toml(text, mistakes)?;
    let broken = !mistakes.is_empty();
    let mut found = Mistakes::default();
    let (draft, steps) = decode::decode(path, &document, &mut found);
    if broken {
        found.keep_local();
    }
    mistakes.append(found);
    // A script that was misread is not rehearsed: its further mistakes would only follow from that.
    (!broken && draft.walkable).then_some((draft, steps))
}

fn read(path: &str, text: &str, mistakes: &mut Mistakes) -> Option<Scenario> {
    let (draft, steps) = draft(path, text, mistakes)?;
    place(path, &draft, mistakes);
    let (cases, most, earns) = simulate::cases(&draft, &steps, mistakes);
    Some(Scenario {
        name: draft.name,
        title: draft.title,
        proves: draft.proves.into_iter().map(|row| row.value).collect(),
        legacy_defects: draft.legacy_defects,
        candidate_defects: draft.candidate_defects,
        converge_within_ms: draft.converge_within_ms,
        backoff: draft.backoff,
        window: draft.window,
        bridge: draft.bridge,
        identities: draft.identities.into_iter().map(|identity| identity.value).collect(),
        cases,
        at_least: draft.at_least.value,
        most,
        earns,
        expect: draft.expect,
        seed: draft.seed,
        found: draft.found,
        digest: sha256(text.as_bytes()),
    })
}

/// Refuses a known-bad scenario outside a directory `known-bad`, and an honest one in it.
fn place(path: &str, draft: &Draft, mistakes: &mut Mistakes) {
    let apart = path.split(['/', '\\']).any(|part| part == "known-bad");
    match &draft.expect {
        None if apart => mistakes.whole(0, "a known-bad scenario says which findings it must give", {
            "add expect = { decision = \"block\", findings = [..], lane = \"..\" }".to_owned()
        }),
        Some(expect) if !apart => {
            let hint = "move the file to a directory `known-bad`".to_owned();
            mistakes.whole(expect.at, "a scenario that must be blocked stands among the honest ones", hint);
        }
        _ => {}
    }
}
