//! `[rollout]` of a policy: the cohorts, and what each of them must show before the next one follows.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::scenario::{Mistakes, Node, Section, as_number, known_texts};
use crate::text::seconds;

/// What a rollout is decided by.
#[derive(Debug, Clone, PartialEq)]
pub struct RolloutTerms {
    /// Percent of the users, ascending.
    pub cohorts: Vec<u8>,
    /// A snapshot must be of so many seconds at least.
    pub soak_s: u64,
    /// And must have ended so many seconds ago at most.
    pub fresh_s: u64,
    /// A bundle must have been started so many seconds ago at most.
    pub evidence_fresh_s: u64,
    /// The commands that each stage needs evidence of.
    pub needs: Vec<String>,
    /// The service levels, by the name of the metric.
    pub slos: BTreeMap<String, Slo>,
}

/// The limits of one metric. A value at a limit is within it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Slo {
    /// With fewer samples, nothing is known.
    pub least_samples: u64,
    /// Above this, the rollout holds.
    pub hold_above: Option<f64>,
    /// Below this, the rollout holds.
    pub hold_below: Option<f64>,
    /// Above this, the cohort is rolled back.
    pub roll_back_above: Option<f64>,
    /// Below this, the cohort is rolled back.
    pub roll_back_below: Option<f64>,
    /// Above so many percent of the same metric on the legacy lane, the rollout holds.
    pub hold_above_percent_of_legacy: Option<f64>,
}

/// What a decision leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// So many percent of the users.
    Cohort(u8),
    /// The legacy service is retired.
    Retirement,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Cohort(percent) => write!(f, "{percent} %"),
            Stage::Retirement => f.write_str("retirement"),
        }
    }
}

impl RolloutTerms {
    /// The cohort that must be served well before this stage; `None` where it is the first one, or not of this rollout.
    pub fn before(&self, stage: Stage) -> Option<u8> {
        match stage {
            Stage::Retirement => self.cohorts.last().copied(),
            Stage::Cohort(percent) => {
                let at = self.cohorts.iter().position(|cohort| *cohort == percent)?;
                self.cohorts.get(at.checked_sub(1)?).copied()
            }
        }
    }

    /// Whether the rollout has this stage.
    pub fn has(&self, stage: Stage) -> bool {
        match stage {
            Stage::Retirement => true,
            Stage::Cohort(percent) => self.cohorts.contains(&percent),
        }
    }
}

const KEYS: [&str; 6] = ["cohorts", "soak", "fresh", "evidence_fresh", "needs", "slo"];
const SLO_KEYS: [&str; 6] =
    ["least_samples", "hold_above", "hold_below", "roll_back_above", "roll_back_below", "hold_above_percent_of_legacy"];
/// The commands whose evidence a stage may need.
const COMMANDS: [&str; 5] = ["gate", "provision-check", "handshake", "deploy", "shadow"];

/// Reads the table `[rollout]`. All mistakes of it are told.
pub(super) fn terms(node: Node<'_>, mistakes: &mut Mistakes) -> Option<RolloutTerms> {
    let section = Section::of(node, "`rollout`", mistakes)?;
    section.only(&KEYS, mistakes);
    let slos = section.need("slo", mistakes).and_then(|node| Section::of(node, "`rollout.slo`", mistakes));
    let mut read = BTreeMap::new();
    for name in slos.iter().flat_map(Section::keys) {
        let node = slos.as_ref().and_then(|slos| slos.get(name));
        read.extend(node.and_then(|node| slo(name, node, mistakes)).map(|slo| (name.to_owned(), slo)));
    }
    if let Some(slos) = slos.filter(|_| read.is_empty()) {
        mistakes.whole(slos.at, "`rollout.slo` has no metric: a rollout needs one at least".to_owned(), None);
    }
    let needs = known_texts(&section, "needs", "command with evidence", &COMMANDS, mistakes);
    Some(RolloutTerms {
        cohorts: cohorts(&section, mistakes),
        soak_s: duration(&section, "soak", 1800, mistakes),
        fresh_s: duration(&section, "fresh", 600, mistakes),
        evidence_fresh_s: duration(&section, "evidence_fresh", 86_400, mistakes),
        needs: if section.has("needs") {
            needs.into_iter().map(|text| text.value).collect()
        } else {
            vec!["gate".to_owned()]
        },
        slos: read,
    })
}

fn cohorts(section: &Section<'_>, mistakes: &mut Mistakes) -> Vec<u8> {
    let Some(node) = section.get("cohorts") else { return vec![1, 5, 10, 25, 50, 100] };
    let list = section.list("cohorts", mistakes);
    let read: Vec<u8> = list
        .into_iter()
        .filter_map(|node| as_number(node, "cohorts", 1..=100, mistakes))
        .filter_map(|percent| u8::try_from(percent).ok())
        .collect();
    if !read.is_sorted_by(|one, next| one < next) || read.last() != Some(&100) {
        let hint = "write it as [1, 5, 10, 25, 50, 100]".to_owned();
        mistakes.local(node.at, "`cohorts` must rise, and end with 100".to_owned(), hint);
    }
    read
}

/// A text such as `90s`, `10m` or `24h`, in seconds.
fn duration(section: &Section<'_>, key: &str, default: u64, mistakes: &mut Mistakes) -> u64 {
    let Some(text) = section.text(key, mistakes) else { return default };
    seconds(&text.value).filter(|seconds| *seconds > 0).unwrap_or_else(|| {
        mistakes.local(text.at, format!("`{key}` is a time such as \"90s\", \"10m\", \"24h\" or \"7d\""), None);
        default
    })
}

fn slo(name: &str, node: Node<'_>, mistakes: &mut Mistakes) -> Option<Slo> {
    let section = Section::of(node, &format!("`rollout.slo.{name}`"), mistakes)?;
    section.only(&SLO_KEYS, mistakes);
    section.need("least_samples", mistakes);
    let mut limit = |key: &str| section.get(key).and_then(|node| number(node, key, mistakes));
    let slo = Slo {
        least_samples: 0,
        hold_above: limit("hold_above"),
        hold_below: limit("hold_below"),
        roll_back_above: limit("roll_back_above"),
        roll_back_below: limit("roll_back_below"),
        hold_above_percent_of_legacy: limit("hold_above_percent_of_legacy"),
    };
    let least_samples = section.number("least_samples", 1..=u64::from(u32::MAX), mistakes).unwrap_or(1);
    if SLO_KEYS[1..].iter().all(|key| !section.has(key)) {
        let hint = format!("write one of {}", SLO_KEYS[1..].join(", "));
        mistakes.local(node.at, format!("`{name}` has no limit"), hint);
    }
    let crossed = |hold: Option<f64>, back: Option<f64>| hold.zip(back).is_some_and(|(hold, back)| hold > back);
    if crossed(slo.hold_above, slo.roll_back_above) || crossed(slo.roll_back_below, slo.hold_below) {
        let what = format!("`{name}` is rolled back before it holds: the two limits stand the wrong way round");
        mistakes.local(node.at, what, None);
    }
    Some(Slo { least_samples, ..slo })
}

fn number(node: Node<'_>, key: &str, mistakes: &mut Mistakes) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "a limit beyond 2^53 is one all the same")]
    let read = node.fraction().or_else(|| node.integer().map(|number| number as f64));
    let read = read.filter(|number| number.is_finite());
    if read.is_none() {
        mistakes.local(node.at, format!("`{key}` is a number, but this is {}", node.type_name()), None);
    }
    read
}
