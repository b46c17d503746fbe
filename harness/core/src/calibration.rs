//! What a calibration found: which planted defects the gate blocks, and how often it blocks right lanes.
//!
//! `cutover calibrate --save` writes the file, and the tool has it built in. So each bundle says how well its gate was
//! calibrated.
#![allow(missing_docs, reason = "the names say it")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{LaneId, Seed};
use crate::plan::defect::{Kind, Place, Planted, all, survivor};

pub const CALIBRATION_SCHEMA: &str = "cutover.calibration/1";

/// The file of the last calibration.
pub const PATH: &str = "golden/calibration.json";

/// The largest file of a calibration that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 16 << 20;

const SAVED: &str = include_str!("../../../golden/calibration.json");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    pub schema: String,
    /// The version of the tool.
    pub tool: String,
    pub seed: Seed,
    /// How many honest scenarios looked for the defects.
    pub scenarios: u64,
    pub clean: Vec<Clean>,
    pub defects: Vec<Tried>,
}

/// Runs of lanes that are right. Whatever they found is a false alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clean {
    /// The lane that ran against itself, in an A/A run.
    pub aa: Option<LaneId>,
    pub seeds: u64,
    pub scenarios: u64,
    /// Seed, scenario, and what was found.
    pub alarms: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    pub name: String,
    pub place: Place,
    pub kind: Kind,
    pub stateful: bool,
    /// What blocked it; nothing where it survived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caught: Option<Caught>,
    /// In how many scenarios it was planted until then.
    pub scenarios: u64,
    pub ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caught {
    pub scenario: String,
    /// The principal findings: checker and reason.
    pub by: Vec<String>,
    /// Whether a finding is of a checker for such a defect, on the lane with the defect.
    pub named: bool,
}

/// What evidence says of the calibration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub tool: String,
    pub places: BTreeMap<Place, Count>,
    pub kinds: BTreeMap<Kind, Count>,
    /// The defects that survived, by name.
    pub survivors: Vec<String>,
    pub clean: Vec<CleanCount>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub planted: u64,
    pub stateful: u64,
    pub caught: u64,
    pub named: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanCount {
    pub aa: Option<LaneId>,
    pub seeds: u64,
    pub scenarios: u64,
    pub alarms: u64,
}

impl Count {
    fn add(&mut self, tried: &Tried) {
        self.planted += 1;
        self.stateful += u64::from(tried.stateful);
        self.caught += u64::from(tried.caught.is_some());
        self.named += u64::from(tried.caught.as_ref().is_some_and(|caught| caught.named));
    }
}

impl Summary {
    pub fn total(&self) -> Count {
        self.places.values().fold(Count::default(), |sum, count| Count {
            planted: sum.planted + count.planted,
            stateful: sum.stateful + count.stateful,
            caught: sum.caught + count.caught,
            named: sum.named + count.named,
        })
    }

    /// The rows of a table: place or kind, planted, of these stateful, caught, named.
    pub fn rows(&self) -> Vec<(&'static str, Count)> {
        let places = self.places.iter().map(|(place, count)| (place.as_str(), *count));
        let kinds = self.kinds.iter().map(|(kind, count)| (kind.as_str(), *count));
        places.chain(kinds).chain([("all", self.total())]).collect()
    }

    /// One sentence with the numbers.
    pub fn sentence(&self) -> String {
        let Count { planted, stateful, caught, named } = self.total();
        let seeds: u64 = self.clean.iter().map(|clean| clean.seeds).sum();
        let alarms: u64 = self.clean.iter().map(|clean| clean.alarms).sum();
        format!(
            "version {} catches {caught} of {planted} planted defects ({stateful} need a state), {named} by a finding \
             that names the defect; {alarms} false alarms in clean and A/A runs of {seeds} seeds",
            self.tool
        )
    }
}

impl Tried {
    pub fn of(planted: &Planted) -> Tried {
        let Planted { place, name, kind, stateful, .. } = *planted;
        Tried { name: name.to_owned(), place, kind, stateful, caught: None, scenarios: 0, ms: 0 }
    }

    /// Whether the gate had to find it and did not.
    pub fn is_news(&self) -> bool {
        self.caught.is_none() && survivor(&self.name).is_none()
    }
}

impl Calibration {
    pub fn summary(&self) -> Summary {
        let (mut places, mut kinds) = (BTreeMap::new(), BTreeMap::new());
        for tried in &self.defects {
            places.entry(tried.place).or_insert_with(Count::default).add(tried);
            kinds.entry(tried.kind).or_insert_with(Count::default).add(tried);
        }
        let survivors = self.defects.iter().filter(|tried| tried.caught.is_none());
        let clean = self.clean.iter().map(|clean| CleanCount {
            aa: clean.aa,
            seeds: clean.seeds,
            scenarios: clean.scenarios,
            alarms: clean.alarms.len() as u64,
        });
        Summary {
            tool: self.tool.clone(),
            places,
            kinds,
            survivors: survivors.map(|tried| tried.name.clone()).collect(),
            clean: clean.collect(),
        }
    }

    /// The file: one line for each defect, so that two of them can be compared.
    pub fn to_text(&self) -> String {
        let json = |value: &serde_json::Value| value.to_string();
        let mut document = serde_json::json!(self);
        let defects = document["defects"].take();
        let lines: Vec<String> = defects.as_array().into_iter().flatten().map(json).collect();
        let head = document.as_object().into_iter().flatten().filter(|(key, _)| *key != "defects");
        let head: Vec<String> = head.map(|(key, value)| format!("\"{key}\": {value}")).collect();
        format!("{{\n{},\n\"defects\": [\n{}\n]}}\n", head.join(",\n"), lines.join(",\n"))
    }

    /// With these defects, and with those of an earlier calibration that are not among them.
    #[must_use]
    pub fn followed_by(mut self, last: Option<&Calibration>, tried: &[Tried]) -> Calibration {
        let earlier = last.into_iter().flat_map(|last| &last.defects);
        let is_new = |earlier: &&Tried| tried.iter().all(|tried| tried.name != earlier.name);
        self.defects = tried.iter().chain(earlier.filter(is_new)).cloned().collect();
        self
    }

    pub fn read(text: &str) -> Result<Calibration, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The names of defects that are in the code and not in this calibration, and the other way round.
    pub fn misses(&self) -> Vec<String> {
        let is_tried = |name: &str| self.defects.iter().any(|tried| tried.name == name);
        let is_known = |name: &str| all().any(|planted| planted.name == name);
        let new = all().filter(|planted| !is_tried(planted.name)).map(|planted| planted.name.to_owned());
        let gone = self.defects.iter().filter(|tried| !is_known(&tried.name)).map(|tried| tried.name.clone());
        new.chain(gone).collect()
    }
}

/// The calibration of this version of the tool, if there is one.
pub fn saved() -> Option<Calibration> {
    Calibration::read(SAVED).ok()
}

/// The checkers whose findings name a defect of this kind.
pub fn checkers_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Loss => &[
            "bridge",
            "lost-write",
            "gap",
            "unseen",
            "convergence",
            "not-live",
            "observed-then-lost",
            "stale-cursor",
            "slow-consumer",
        ],
        Kind::Order => &["bridge", "nonmonotonic", "gap", "duplicate-apply"],
        Kind::Duplicate => &["bridge", "excess-copies", "duplicate-apply", "nonmonotonic", "wrong-stream"],
        Kind::Payload => &["bridge", "hash-mismatch", "contradiction", "wrong-answer", "stored-state"],
        Kind::Key => {
            &["duplicate-apply", "wrong-answer", "lost-write", "hash-mismatch", "stored-state", "reducer-rule"]
        }
        Kind::Seq => &[
            "wrong-answer",
            "gap",
            "nonmonotonic",
            "phantom",
            "hash-mismatch",
            "duplicate-apply",
            "lost-write",
            "contradiction",
        ],
        Kind::Stale => &["stale-cursor", "gap", "contradiction", "convergence", "wrong-stream"],
        Kind::Policy => {
            &["stale-cursor", "gap", "lost-write", "wrong-answer", "convergence", "contradiction", "stored-state"]
        }
        Kind::Restart => &[
            "observed-then-lost",
            "hash-mismatch",
            "duplicate-apply",
            "stale-cursor",
            "gap",
            "lost-write",
            "wrong-answer",
            "contradiction",
            "stored-state",
        ],
        Kind::Checkpoint => {
            &["gap", "stale-cursor", "convergence", "duplicate-apply", "wrong-answer", "contradiction", "stored-state"]
        }
        Kind::Answer => &[
            "wrong-answer",
            "lost-write",
            "duplicate-apply",
            "stored-state",
            "contradiction",
            "reducer-rule",
            "slow-consumer",
        ],
        Kind::Field => &[
            "bridge",
            "contradiction",
            "hash-mismatch",
            "stale-cursor",
            "convergence",
            "gap",
            "wrong-answer",
            "stored-state",
            "presence",
            "reducer-rule",
            "slow-consumer",
        ],
        Kind::Stream => &[
            "wrong-stream",
            "lost-write",
            "phantom",
            "hash-mismatch",
            "contradiction",
            "wrong-answer",
            "stored-state",
            "gap",
        ],
        Kind::Speed => &["latency", "recovery"],
        Kind::Liveness => &[
            "bridge",
            "not-live",
            "unreached",
            "convergence",
            "gap",
            "unplanned-end",
            "lost-write",
            "vacuity",
            "slow-consumer",
        ],
        Kind::Access => &["token", "unauthorized", "negotiation"],
        Kind::Vacuity | Kind::Evidence => &["vacuity", "history"],
    }
}

#[cfg(test)]
mod tests;
