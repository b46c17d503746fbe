//! Baselines on disk: what a lane's clients applied in each scenario, for the time when that lane is gone.
//!
//! A baseline is a folder with the scenario's name: `vector.jsonl`, and `baseline.json`, which says of what it is. A
//! run that differs leaves its own beside them, with `.new` behind their names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cutover_core::hash::HashVector;
use cutover_core::ids::{LaneId, Seed};
use cutover_core::plan::Plan;
use cutover_core::text::{quoted, visible};
use cutover_live::plain_file;
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

const SCHEMA: &str = "cutover.baseline/1";
const ABOUT: &str = "baseline.json";
pub const VECTOR: &str = "vector.jsonl";
const MAX_BYTES: u64 = 256 << 20;
/// So many scenarios are named in a message.
const MAX_NAMED: usize = 5;

/// What a baseline is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    pub schema: String,
    pub scenario: String,
    pub seed: Seed,
    /// The digest of the plan: another scenario, seed or way to compile gives another.
    pub plan_digest: String,
    pub lane: LaneId,
    /// What ran as the lane, with its version.
    pub server: String,
    pub tool: String,
}

impl About {
    pub fn of(plan: &Plan, lane: LaneId, server: &str) -> About {
        About {
            schema: SCHEMA.to_owned(),
            scenario: plan.scenario.clone(),
            seed: plan.seed,
            plan_digest: plan.digest(),
            lane,
            server: server.to_owned(),
            tool: format!("cutover {}", env!("CARGO_PKG_VERSION")),
        }
    }
}

#[derive(Debug)]
pub struct Baseline {
    pub vector: HashVector,
    /// The file that `vector` was read from.
    pub bytes: Vec<u8>,
}

/// The baselines that a run is judged against.
#[derive(Debug)]
pub struct Baselines {
    pub dir: PathBuf,
    pub each: BTreeMap<String, Baseline>,
    /// Of what the first one is; the others are of the same seed.
    first: About,
}

impl Baselines {
    /// The baselines of these plans.
    ///
    /// # Errors
    /// One that is missing, can't be read, or is of another plan; the message says how to record it.
    pub fn of(dir: &Path, plans: &[&Plan], seed: Seed) -> Result<Baselines, Failure> {
        let (mut missing, mut others) = (Vec::new(), Vec::new());
        let (mut each, mut first) = (BTreeMap::new(), None);
        for plan in plans {
            let folder = dir.join(&plan.scenario);
            let Some(about) = about(&folder)? else {
                missing.push(plan.scenario.as_str());
                continue;
            };
            if about.plan_digest != plan.digest() {
                others.push(plan.scenario.as_str());
                continue;
            }
            let path = folder.join(VECTOR);
            let bytes = plain_file::read(&path, MAX_BYTES).map_err(|error| Failure::unreadable(&path, &error))?;
            let vector = HashVector::read(&path.display().to_string(), bytes.as_slice()).map_err(|error| {
                Failure::usage(visible(&error.to_string())).hint(again(dir, seed, &[&plan.scenario]))
            })?;
            each.insert(plan.scenario.clone(), Baseline { vector, bytes });
            first.get_or_insert(about);
        }
        let there = dir.display();
        if !others.is_empty() {
            let what = "the scenario, the seed or the version of this tool has changed since";
            return Err(Failure::usage(format!("baselines in {there} are of other plans: {}; {what}", some(&others)))
                .hint(again(dir, seed, &others)));
        }
        if !missing.is_empty() {
            return Err(Failure::usage(format!("{there} has no baseline of: {}", some(&missing)))
                .hint(again(dir, seed, &missing)));
        }
        let first = first.ok_or_else(|| Failure::usage("no scenario of this run has a baseline"))?;
        Ok(Baselines { dir: dir.to_owned(), each, first })
    }

    /// Where they are and what they were recorded of, for people.
    pub fn what(&self) -> String {
        let About { lane, server, tool, seed, .. } = &self.first;
        format!("{}, of the {lane} lane ({server}), seed {seed}, recorded by {tool}", self.dir.display())
    }

    /// Leaves what a run brought beside a baseline that it differs from.
    pub fn propose(&self, about: &About, vector: &[u8]) -> Result<(), Failure> {
        write(&self.dir.join(&about.scenario), about, vector, NEW)
    }
}

/// What is behind the names of files that wait for a review.
const NEW: &str = ".new";

pub fn write_baseline(dir: &Path, about: &About, vector: &[u8]) -> Result<(), Failure> {
    let folder = dir.join(&about.scenario);
    write(&folder, about, vector, "")?;
    clear(&folder)
}

fn write(folder: &Path, about: &About, vector: &[u8], behind: &str) -> Result<(), Failure> {
    let mut text = serde_json::to_vec_pretty(about).map_err(|error| Failure::fault(error.to_string()))?;
    text.push(b'\n');
    for (name, content) in [(ABOUT, text.as_slice()), (VECTOR, vector)] {
        let path = folder.join(format!("{name}{behind}"));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, content))
            .map_err(|error| Failure::unwritable(&path, &error))?;
    }
    Ok(())
}

/// A change that waits for a review: the scenario, and the files of both vectors.
pub struct Pending {
    pub scenario: String,
    pub vector: PathBuf,
    pub proposed: PathBuf,
    folder: PathBuf,
}

impl Pending {
    pub fn accept(&self) -> Result<(), Failure> {
        for name in [ABOUT, VECTOR] {
            let path = self.folder.join(name);
            fs::rename(self.folder.join(format!("{name}{NEW}")), &path)
                .map_err(|error| Failure::unwritable(&path, &error))?;
        }
        Ok(())
    }

    pub fn reject(&self) -> Result<(), Failure> {
        clear(&self.folder)
    }
}

/// Removes a change that waits for a review.
fn clear(folder: &Path) -> Result<(), Failure> {
    for name in [ABOUT, VECTOR] {
        let path = folder.join(format!("{name}{NEW}"));
        if path.exists() {
            fs::remove_file(&path).map_err(|error| Failure::unwritable(&path, &error))?;
        }
    }
    Ok(())
}

/// The changes of a directory that wait for a review, in order of names.
pub fn pending(dir: &Path) -> Result<Vec<Pending>, Failure> {
    let folders = folders(dir)?.into_iter().filter(|folder| folder.join(format!("{VECTOR}{NEW}")).is_file());
    let pending = folders.map(|folder| Pending {
        scenario: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        vector: folder.join(VECTOR),
        proposed: folder.join(format!("{VECTOR}{NEW}")),
        folder,
    });
    Ok(pending.collect())
}

/// The seed of the baselines in a directory.
pub fn seed_of(dir: &Path) -> Result<Seed, Failure> {
    for folder in folders(dir)? {
        if let Some(about) = about(&folder)? {
            return Ok(about.seed);
        }
    }
    let hint = format!("record some: cutover record --seed 42 --out {}", quoted(&dir.display().to_string()));
    Err(Failure::usage(format!("there is no baseline in {}", dir.display())).hint(hint))
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(dir).map_err(|error| Failure::unreadable(dir, &error))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(|error| Failure::unreadable(dir, &error))?;
    paths.retain(|path| path.is_dir());
    paths.sort();
    Ok(paths)
}

/// What a baseline is of; `None` where there is none in the folder.
fn about(folder: &Path) -> Result<Option<About>, Failure> {
    let path = folder.join(ABOUT);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = plain_file::read(&path, MAX_BYTES).map_err(|error| Failure::unreadable(&path, &error))?;
    let read: Result<About, String> = serde_json::from_slice(&bytes).map_err(|error| error.to_string());
    let wrong = match read {
        Ok(about) if about.schema == SCHEMA => return Ok(Some(about)),
        Ok(about) => format!("its schema is `{}`, and this tool reads `{SCHEMA}`", about.schema),
        Err(error) => error,
    };
    let hint = "record it anew with `cutover record`";
    Err(Failure::usage(format!("{} is no baseline: {}", path.display(), visible(&wrong))).hint(hint))
}

/// The command that records these scenarios anew.
fn again(dir: &Path, seed: Seed, names: &[&str]) -> String {
    let globs = match names.len() {
        1..=MAX_NAMED => names.iter().map(|name| format!(" --scenario {}", quoted(name))).collect(),
        _ => String::new(),
    };
    let dir = quoted(&dir.display().to_string());
    format!("record it anew where the legacy lane still runs: cutover record --seed {seed}{globs} --out {dir}")
}

fn some(names: &[&str]) -> String {
    match names.len().saturating_sub(MAX_NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MAX_NAMED].join(", ")),
    }
}

/// Whether a CI runs this: it never writes baselines.
pub fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}
